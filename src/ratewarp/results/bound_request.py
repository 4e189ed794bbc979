"""What `ratewarp bound` is asked about: a built-in source, or a file with probabilities and what a
reproduction costs.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from ratewarp._checks import RequestError, refuse
from ratewarp._files import exists
from ratewarp.codes.code_files import Content, known_suffixes, open_codes, read
from ratewarp.results.bounds import has_pixel_bounds, solvable, task_cost
from ratewarp.sources import SOURCES
from ratewarp.studies import Setting
from ratewarp.theory import Cost, SquaredError

BUILT_IN = tuple(source.model_fields["kind"].default for source in SOURCES)
KEYS = {
    "p": ("p", "probabilities", "frequency"),
    "d": ("d", "distortion", "distortions"),
    "means": ("means",),
}


class Asked(NamedTuple):
    """A source of stimuli, and what its curve is of.

    Attributes:
        name: what it is called in messages.
        p: probability of every stimulus.
        cost: distortions as a matrix, or a cost.
        means: probability of a 1 at every pixel of every stimulus where its images are binary with
            independent pixels; else None.
        distortion: what the distortion is, in words.
    """

    name: str
    p: np.ndarray
    cost: Cost | np.ndarray
    means: np.ndarray | None
    distortion: str


def of_setting(name: str, setting: Setting) -> Asked:
    """A source as a study would train on it: squared error per pixel, and log losses of tasks if there are
    any.
    """
    setting = solvable(setting)
    means = setting.mean_images() if has_pixel_bounds(setting) and not setting.tasks else None
    words = f"{setting.likelihood.UNIT} to {_reproduced(setting)}"
    tasks = [task.name for task in setting.labellings()]
    if tasks:
        words += f", plus {setting.recipe.task_weight:g} × log loss of {', '.join(tasks)} in nats"
    return Asked(name, setting.probabilities(), task_cost(setting), means, words)


def _reproduced(setting: Setting) -> str:
    """What a code is to reproduce, in words."""
    stimuli, measured = len(setting.source.stimuli), len(setting.measured())
    if setting.source.stored is not None:
        return f"the image, of the {measured:,} held-out images alone (each a stimulus)"
    sample = f", of {measured:,} of {stimuli:,} stimuli" if measured < stimuli else ""
    return f"the noise-free mean image{sample}"


def of_file(path: Path) -> Asked:
    """A file that holds `d` (stimuli × points) or `means` (stimuli × pixels), and `p` unless stimuli are
    equally likely.

    Raises:
        RequestError: a file that cannot be read, or holds neither or both.
    """
    if path.suffix.lower() not in known_suffixes() and not exists(path):
        raise RequestError(
            f"{path}: neither a built-in source ({', '.join(BUILT_IN)}), nor a run directory, nor a file of"
            " a known format"
            f" ({', '.join(known_suffixes())})"
        )
    content = open_codes(path)
    if content.tabular:
        refuse(str(path), "a file of arrays, such as npz with p and d", "a table")
    found = {role: _key(path, content, role) for role in KEYS}
    if (found["d"] is None) == (found["means"] is None):
        refuse(
            str(path),
            "a file with either d (stimuli × reproduction points) or means (stimuli × pixels)",
            list(content.shapes),
        )
    arrays = read(path, content, [key for key in found.values() if key is not None])
    values = arrays[found["d"] or found["means"] or ""]
    if values.ndim == 0:
        refuse(str(path), "a file whose d or means has a row for every stimulus", "a single number")
    p = arrays[found["p"]] if found["p"] is not None else np.full(len(values), 1 / max(len(values), 1))
    said = "" if found["p"] is not None else "; no p in the file: stimuli equally likely"
    unused = sorted(set(content.shapes) - set(arrays))
    said += f"; not used: {', '.join(unused)}" if unused else ""
    if found["d"] is not None:
        return Asked(path.name, p, values, None, f"{found['d']} of {path.name}{said}")
    return Asked(
        path.name,
        p,
        SquaredError(values),
        None,
        f"mean squared error to {found['means']} of {path.name}{said}",
    )


def _key(path: Path, content: Content, role: str) -> str | None:
    """Name of the array of a role; one that cannot be read is named too, so that reading it says why."""
    found = [name for name in KEYS[role] if name in content.shapes or name in content.refused]
    if len(found) > 1:
        refuse(str(path), f"a file with one of {', '.join(KEYS[role])}", ", ".join(found))
    return found[0] if found else None
