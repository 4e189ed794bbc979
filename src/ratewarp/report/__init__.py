"""Figures and the page, from a run directory."""

from ratewarp.report.page import write_report

__all__ = ["write_report"]
