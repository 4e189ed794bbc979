from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from ratewarp.runs.directory import TABLES, open_run
from ratewarp.runs.run_files import DamagedError
from ratewarp.runs.table_checks import check_table

FILE = Path("tables/models.csv")
MODELS = pd.DataFrame(
    {"model": ["m"], "capacity_nats": [1.0], "seed": [0], "diverged_at": [None], "mine": ["text"]}
)
PAPER = Path(__file__).parents[2] / "docs" / "results" / "paper"


def test_tables_that_can_be_used(tmp_path):
    check_table("models", MODELS.astype({"diverged_at": float}), FILE)
    check_table("models", MODELS[:0], FILE)


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_of_the_paper_are_sound(name):
    assert len(open_run(PAPER).table(name))


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (MODELS.drop(columns="seed"), "it has no column seed"),
        (MODELS.drop(columns=["model", "seed"]), "it has no column model, seed"),
        (MODELS.assign(capacity_nats="many"), "its column capacity_nats holds text instead of numbers"),
    ],
)
def test_what_is_wrong_is_said(table, reason):
    with pytest.raises(DamagedError, match=rf"models.csv is damaged: {reason}"):
        check_table("models", table.drop(columns="diverged_at"), FILE)
