"""The command line: one file per command, which parses, calls, prints and gives the exit code."""

from ratewarp.cli.app import app, main

__all__ = ["app", "main"]
