"""What `ratewarp run --dry-run` prints: what a run will take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ratewarp.runs.shards import Shard
    from ratewarp.studies import Study


def print_plan(study, folder, shard, members_at_once, *, timing, as_json) -> None:
    raise NotImplementedError
