"""Files that what was measured of several sets is kept in: two tables, of single sets and over them."""

from __future__ import annotations

import json
import math
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from ratewarp._checks import refuse
from ratewarp._files import can_be_made
from ratewarp.codes.keeping import (
    CELL,
    PLAIN_NAME,
    QUANTITIES,
    as_csv,
    as_parquet,
    check_new,
    distinct,
    labelled,
    plain_rows,
    storable,
    storable_table,
    write_all,
)

if TYPE_CHECKING:
    from ratewarp.codes.several import Several

_TABLES = (".csv", ".parquet")  # which hold one table a file
_GROUP_CELL = {**dict.fromkeys(("mean", *QUANTITIES[1:]), math.nan), "sets": 0}


def save_several(found: Several, path: str | PathLike[str]) -> None:
    """Writes both tables to a new file, or two; see `Several.save`."""
    files = check_new_of_several(path, "path")
    suffix = files[0].suffix.lower()
    if suffix in _TABLES:
        tables = [_storable(found, table) for table in (found.group, found.table)]
        settings = _settings(found)
        write = as_csv if suffix == ".csv" else lambda table: as_parquet(table, settings)
        write_all({file: write(table) for file, table in zip(files, tables, strict=True)})
    elif suffix == ".json":
        text = json.dumps(contents_of_several(found), indent=1)
        write_all({files[0]: f"{text}\n".encode()})
    else:
        write_all({files[0]: bytes(arrays_of_several(found).to_netcdf(None, engine="h5netcdf"))})


def check_new_of_several(path: str | PathLike[str], argument: str) -> tuple[Path, ...]:
    """The file that is to be written; where it can hold one table only, a second one for single sets.

    Raises:
        RequestError: as `check_new` does, or the second file exists.
        RatewarpError: a package that is needed is not installed.
    """
    file = check_new(path, argument, page=False)
    if file.suffix.lower() not in _TABLES:
        return (file,)
    sets = file.with_name(f"{file.stem}-sets{file.suffix}")
    if not can_be_made(sets):
        refuse(argument, f"a file beside which there is no {sets.name} yet, for single sets", str(file))
    return file, sets


def contents_of_several(found: Several) -> dict[str, Any]:
    """Both tables as JSON can hold them; None for what is missing. Places that are neither numbers nor text,
    such as dates, are text.
    """
    tables = {"sets": found.table, "group": found.group}
    rows = {name: plain_rows(_with_places(found, table)) for name, table in tables.items()}
    return {**_settings(found), **rows}


def arrays_of_several(found: Several) -> xr.DataTree:
    """Both tables as labelled arrays, in two groups.

    Returns:
        `group`: `mean`, `se`, `low`, `high`, `p`, `p_adjusted` and `sets` of all single numbers, over
        `measure`, `task`, `trial_noise` and the third axis where there is one; matrices and numbers of
        latents as in `arrays` of one measurement. `sets`: the numbers of every set, over `set`, too. A
        third axis whose name no axis can have is called `third`; the attribute `third` has its name.
    """
    third = _axis(found)
    tables = [("group", found.group, _GROUP_CELL), ("sets", found.table, CELL)]
    nodes = {"/": xr.Dataset(attrs={**_settings(found), "third": found.third or ""})}
    for node, table, cell in tables:
        rows = _storable(found, table).rename(columns=lambda name: third if name == found.third else name)
        heads = (*(["set"] if node == "sets" else []), *([third] if third is not None else []))
        every = rows.to_dict("records")
        axes = {axis: distinct(every, axis) for axis in (*heads, "trial_noise")}
        nodes[f"/{node}"] = xr.Dataset(labelled(every, axes, _classes(found.table), cell))
    return xr.DataTree.from_dict(nodes)


def _settings(found: Several) -> dict[str, Any]:
    return {"third": found.third, "names": [storable(name) for name in found.sets], "level": found.level}


def _axis(found: Several) -> str | None:
    """Name of the third axis that no other axis or array can have, too."""
    if found.third is None:
        return None
    taken = {"quantity", *found.table["measure"]}
    plain = PLAIN_NAME.fullmatch(found.third) and found.third not in taken and "_of_" not in found.third
    return found.third if plain else "third"


def _classes(table: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Names of the classes of every task, of all sets, in the order of their rows."""
    rows = table[table["class"].notna()]
    return {
        str(task): tuple(
            dict.fromkeys(name for pair in zip(own["class"], own["other"], strict=True) for name in pair)
        )
        for task, own in rows.groupby("task", sort=False)
    }


def _storable(found: Several, table: pd.DataFrame) -> pd.DataFrame:
    """A table as every format can hold it: nothing where a row has no class or latent."""
    held = _with_places(found, table)
    named = held["measure"].isin(list(found.table.loc[found.table["class"].notna(), "measure"]))
    columns = {name: held[name].astype(object).where(named, None) for name in ("class", "other")}
    return storable_table(held.assign(**columns, latent=pd.to_numeric(held["latent"], errors="coerce")))


def _with_places(found: Several, table: pd.DataFrame) -> pd.DataFrame:
    """With places of the third axis that are numbers, or text."""
    if found.third is None or np.asarray(found.places).dtype.kind in "iuf":
        return table
    return table.assign(**{found.third: [storable(str(place)) for place in table[found.third]]})
