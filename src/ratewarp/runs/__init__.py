"""Run directories and what fills them: waves, checkpoints, records, jobs and who does them; it trains and
stores, and makes no tables.
"""

from ratewarp.runs.directory import RunDirectory, open_run

__all__ = ["RunDirectory", "open_run"]
