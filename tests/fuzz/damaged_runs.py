"""A small finished run, a half-finished one, and ways to damage a copy of either."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd

from ratewarp.runs.checkpoints import read_checkpoint, write_checkpoint
from ratewarp.runs.directory import TABLES, open_run
from ratewarp.runs.run_files import sums_of
from ratewarp.runs.run_lock import LOCK

STUDY = {
    "name": "fuzzed",
    "network": {"latents": 2, "convolutions": [{"filters": 2, "kernel": 4}]},
    "recipe": {"steps": 130},
    "training_images": 500,
    "validation_each": 2,
    "codes_each": 1,
    "models": {"baseline": {}, "E1M1": {"frequency": "E1M1"}, "E2M1": {"tasks": ["E2M1"]}},
    "capacities_nats": [0.3],
    "bound_points": 0,
}
FOLDERS = ("conditions", "tables", "figures", "checkpoints", "comparison", "readouts")
TEXTS = (
    b"",
    b"junk",
    b"[]",
    b"{}",
    b"null",
    b"3",
    b'"x"',
    b"\xff\xfe\x00" * 9,
    b"[" * 5000,
    b"a,b\n1,2\n",
    b'{"sessions": "x"}',
)


def make_runs(folder: Path) -> None:
    """Trains the study in `folder`: `whole`, `half` with a checkpoint, and `bounded`, which is whole and has
    a bound as well.
    """
    from ratewarp.api import run as run_study
    from ratewarp.studies import Study

    class Enough(Exception):  # noqa: N818
        pass

    def stop(at: object) -> None:
        if at.done >= 310:  # of 390 model-steps: one wave is stored, another has a checkpoint
            raise Enough

    study = Study(**STUDY)
    with suppress(Enough):
        run_study(
            study, folder / "half", progress=stop, report=False, members_at_once=2, checkpoint_seconds=0
        )
    run_study(study, folder / "whole", report=False, members_at_once=2)
    run = open_run(shutil.copytree(folder / "whole", folder / "bounded"))
    rates = np.linspace(0, 3, 9)
    numbers = dict.fromkeys(("distortion_below", "slope", "gap_nats", "raw_low", "raw_high"), rates / 2)
    bound = pd.DataFrame(
        {"model": "baseline", "rate_nats": rates, "rate_bits": rates, "distortion": 3 - rates, **numbers}
    )
    digest = run.write_table("bound", bound.assign(certificate="proved"))
    run.write_manifest({**run.manifest, "sha256": {**run.manifest["sha256"], "tables/bound.csv": digest}})


def damage(rng: random.Random, run: Path) -> tuple[str, bool]:
    """Damages a run directory; says how, and whether the result has the marks of a sound one, so that none
    could notice.
    """
    kind = rng.choice(("file",) * 6 + ("forge", "forge", "place"))
    if kind == "file":
        return _damage_file(rng, run)
    return (
        _PLACES[rng.randrange(len(_PLACES))](rng, run)
        if kind == "place"
        else _FORGERIES[rng.randrange(len(_FORGERIES))](rng, run)
    )


def _files(run: Path, pattern: str = "*") -> list[Path]:
    return sorted(file for file in run.rglob(pattern) if file.is_file() and not file.is_symlink())


def _damage_file(rng: random.Random, run: Path) -> tuple[str, bool]:
    """Changes one file, or puts something else in its place."""
    file = rng.choice(_files(run) or [run / "gone"])
    name = rng.choice(
        (
            *("flip",) * 4,
            *("cut",) * 2,
            *("text",) * 3,
            "double",
            "delete",
            "pipe",
            "zeros",
            "nowhere",
            "folder",
            "canary",
        )
    )
    content = file.read_bytes() if file.exists() else b""
    place = rng.randrange(len(content) or 1)
    if name == "flip" and content:
        file.write_bytes(
            content[:place] + bytes([content[place] ^ 1 << rng.randrange(8)]) + content[place + 1 :]
        )
    elif name == "cut":
        file.write_bytes(content[:place])
    elif name == "text":
        file.write_bytes(rng.choice(TEXTS))
    elif name == "double":
        file.write_bytes(content * 2)
    else:
        file.unlink(missing_ok=True)
        _replace(name, file, run)
    # without sums, or with the manifest's gone, a second damage may be one that nothing could notice
    return f"{name} {file.relative_to(run)}", file.name in ("sums.json", "manifest.json") and name in (
        "delete",
        "text",
        "nowhere",
    )


def _replace(name: str, file: Path, run: Path) -> None:
    """Puts something that is no file of ours in its place."""
    if name == "pipe":
        os.mkfifo(file)
    elif name == "folder":
        file.mkdir()
    elif name in ("zeros", "nowhere", "canary", "inside"):
        places = {
            "zeros": "/dev/zero",
            "nowhere": "/nowhere/at/all",
            "canary": run.parents[1] / "canary",
            "inside": run.parent,
        }
        file.symlink_to(places[name])


def _lead_out(rng: random.Random, run: Path) -> tuple[str, bool]:
    """A folder becomes a link to one outside, with what was in it."""
    name, outside = rng.choice(FOLDERS), run.parent / "outside"
    if not outside.exists():
        (run / name).rename(outside) if (run / name).exists() else outside.mkdir()
        (outside / "mine.txt").write_text("mine")
        (run / name).symlink_to(outside)
    return f"{name} leads out", False


def _leave_partial(rng: random.Random, run: Path) -> tuple[str, bool]:
    """Something that an interrupted write might have left, or somebody put there."""
    place = run / rng.choice(("", "conditions", "tables")) / ".partial-x"
    # links that lead out of the case would count as writes there when removed
    name = rng.choice(("pipe", "folder", "inside"))
    if place.parent.is_dir() and not os.path.lexists(place):
        _replace(name, place, run)
    return f"partial {name}", False


def _leave_lock(rng: random.Random, run: Path) -> tuple[str, bool]:
    """A lock file that means nothing."""
    place, name = run / LOCK, rng.choice(("text", "pipe", "folder", "inside"))
    if not os.path.lexists(place):
        place.write_bytes(rng.choice(TEXTS)) if name == "text" else _replace(name, place, run)
    return f"lock {name}", False


def _remove_folder(rng: random.Random, run: Path) -> tuple[str, bool]:
    name = rng.choice(("checkpoints", "tables", "conditions"))
    if not (run / name).is_symlink():
        shutil.rmtree(run / name, ignore_errors=True)
    return f"no {name}", False


def _swap_conditions(rng: random.Random, run: Path) -> tuple[str, bool]:
    """One condition's files stand in another's folder, all or one."""
    folders = sorted(f for f in (run / "conditions").glob("*") if f.is_dir() and not f.name.startswith("."))
    if len(folders) < 2:
        return "nothing to swap", False
    one, other = rng.sample(folders, 2)
    for name in rng.choice(
        (
            ("record.nc",),
            ("params.safetensors",),
            ("record.nc", "params.safetensors", "condition.json", "sums.json"),
        )
    ):
        if (other / name).is_file() and not (one / name).is_dir():
            (one / name).unlink(missing_ok=True)
            shutil.copy(other / name, one / name)
    return "swapped conditions", False


def _forge_condition(rng: random.Random, run: Path) -> tuple[str, bool]:
    """A file of a condition is changed, and its sum with it."""
    file = rng.choice(
        _files(run, "conditions/*/record.nc") + _files(run, "conditions/*/params.safetensors")
        or [run / "study.yaml"]
    )
    sums = file.with_name("sums.json")
    if not sums.is_file():
        return "nothing to forge", False
    content = bytearray(file.read_bytes())
    for _ in range(rng.choice((1, 20))):
        content[rng.randrange(len(content) or 1)] ^= 1 << rng.randrange(8)
    file.write_bytes(content)
    names = ("condition.json", "record.nc", "params.safetensors")
    sums.write_bytes(
        sums_of(
            file.parent.name,
            {n: (file.parent / n).read_bytes() for n in names if (file.parent / n).is_file()},
        )
    )
    return f"forged {file.name}", True


def _forge_table(rng: random.Random, run: Path) -> tuple[str, bool]:
    """A table with another column, text for numbers, or without rows, and no sums in the manifest."""
    file = run / "tables" / f"{rng.choice(TABLES)}.csv"
    if not file.is_file() or not (run / "manifest.json").is_file():
        return "nothing to forge", False
    lines = file.read_text(errors="replace").splitlines()
    cells = lines[-1].split(",") if lines else [""]
    cells[rng.randrange(len(cells))] = rng.choice(("text", "", "nan", "-1", "1e999", '"', "[]"))
    head = lines[:1]
    changed = rng.choice(
        (
            [*lines[:-1], ",".join(cells)],
            head,
            [*head, *lines[1:2]],
            [line.partition(",")[2] for line in lines],
            [],
        )
    )
    file.write_text("\n".join(changed) + "\n")
    manifest = (
        json.loads((run / "manifest.json").read_bytes() or b"{}") if _is_json(run / "manifest.json") else {}
    )
    (run / "manifest.json").write_text(json.dumps({**manifest, "sha256": {}}))
    return f"forged {file.name}", True


def _is_json(file: Path) -> bool:
    try:
        return isinstance(json.loads(file.read_bytes()), dict)
    except (ValueError, RecursionError):
        return False


def _forge_manifest(rng: random.Random, run: Path) -> tuple[str, bool]:
    wrong = rng.choice(
        (
            {"sessions": "x"},
            {"sessions": [1]},
            {"sessions": [{"seconds": None}]},
            {"sha256": 3},
            {"packages": []},
            {"device": None},
            {},
        )
    )
    if (run / "manifest.json").is_file():
        (run / "manifest.json").write_text(json.dumps(wrong))
    return f"forged manifest {wrong}", True


def _forge_checkpoint(rng: random.Random, run: Path) -> tuple[str, bool]:
    """A checkpoint with a right hash whose contents no training left."""
    files = _files(run, "checkpoints/*/*.safetensors")
    if not files or (run / "checkpoints").is_symlink():  # through a link nothing is written
        return "nothing to forge", False
    try:
        stand, arrays = read_checkpoint(rng.choice(files))
    except Exception:  # it is damaged already
        return "nothing to forge", False
    name = rng.choice(sorted(arrays))
    how = rng.choice(("nan", "float64", "shape", "name", "doubled", "group", "step"))
    if how == "nan":
        arrays = {
            key: np.full_like(array, np.nan) if key.startswith("state.model") else array
            for key, array in arrays.items()
        }
    elif how == "float64":
        arrays = {key: array.astype(np.float64) for key, array in arrays.items()}
    elif how == "shape":
        arrays[name] = arrays[name][..., None]
    elif how == "name":
        arrays[f"{name}.more"] = arrays.pop(name)
    changes = {
        "doubled": {"conditions": (stand.conditions[0],) * len(stand.conditions)},
        "group": {"group": "x"},
        "step": {"step": 99999},
    }
    write_checkpoint(run / "checkpoints", stand._replace(**changes.get(how, {})), arrays, None)
    return f"forged checkpoint, {how}", False


_Way = Callable[[random.Random, Path], tuple[str, bool]]
_PLACES: tuple[_Way, ...] = (_lead_out, _leave_partial, _leave_lock, _remove_folder)
_FORGERIES: tuple[_Way, ...] = (
    _swap_conditions,
    _forge_condition,
    _forge_table,
    _forge_manifest,
    _forge_checkpoint,
)
