"""The command line: one file a command, which parses, calls, prints and gives the exit code."""

from ratewarp.cli.app import app, main

__all__ = ["app", "main"]
