"""The page of a run: one HTML file with a stage on which models, capacities and stimuli are chosen."""

from ratewarp.report.page.page_file import write_report

__all__ = ["write_report"]
