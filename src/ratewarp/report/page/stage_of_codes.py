"""What the stage of a page shows of codes that a user brought: the same data as of a run, with one model (and
the reference, where there is one) and no axes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ratewarp._checks import RequestError
from ratewarp.codes.measurement import Measurement
from ratewarp.geometry import embed
from ratewarp.report.measured_panels import index_rows
from ratewarp.report.page.packed_arrays import packed
from ratewarp.report.page.sentences_of_codes import sentences_of_codes
from ratewarp.report.style import MODEL_COLOURS, MODEL_MARKERS, category_colours, class_colours

REFERENCE = "reference"
_MOST_ITEMS, _MOST_NUMBERS = 2_000, 400_000  # on a page: codes, and numbers of all of them together
_FEW_ITEMS = 200  # that are shown of the widest codes, too
_MOST_LATENTS = 256  # beyond which codes are given along their principal components
_MOST_VALUES = 60  # of a factor that is shown value by value
_SEED = 0


def stage_of_codes(found: Measurement, name: str) -> dict[str, Any]:
    """All of the stage of measured codes.

    Arguments:
        found: what was measured.
        name: of the codes.

    Returns:
        Data for JSON, as `stage_data` makes it, with `indices`: every number that has no axis to stand along.
    """
    shown = _Shown(found)
    reference = found.given.reference
    name = f"{name} (codes)" if name == REFERENCE else name
    other = None if reference is None else _detail(shown, reference, None)
    own = _detail(shown, found.codes, other)
    models = [(name, own), *([(REFERENCE, other)] if other is not None else [])]
    return {
        "title": name,
        "study": name,
        "unit": "",
        "of": "codes",
        "reference": REFERENCE if other is not None else name,
        "models": [
            {"name": one, "colour": MODEL_COLOURS[1 - place], "marker": MODEL_MARKERS[place]}
            for place, (one, _) in enumerate(models)
        ],
        "axes": [],
        "seeds": [_SEED],
        "world": _world(shown),
        "schemes": _schemes(shown, [one for one, _ in models]),
        "conditions": [_condition(one, detail) for one, detail in models],
        "measures": [],
        "normative": [],
        "bound": [],
        "floor": None,
        "indices": _indices(found),
        "level": found.level,
        "units": f"{found.number:,} {found.units}",
        "sentences": {name: sentences_of_codes(found)},
        "alerts": _notes(shown),
        "left_out": 0,
    }


class _Shown:
    """What is on the page: all items, or of very many some drawn at random, with their stimuli numbered anew.

    Attributes:
        found: what was measured.
        items: which of the items.
        kept: their stimuli, as they are numbered in `found`.
        stimulus: of every item on the page, as places in `kept`.
    """

    def __init__(self, found: Measurement) -> None:
        number, latents = found.codes.shape
        room = min(_MOST_ITEMS, max(_FEW_ITEMS, _MOST_NUMBERS // latents))
        drawn = np.random.default_rng(_SEED).choice(number, min(number, room), replace=False)
        self.found, self.items = found, np.sort(drawn)
        self.kept, self.stimulus = np.unique(found.given.stimulus[self.items], return_inverse=True)


def _detail(shown: _Shown, every: np.ndarray, other: dict[str, Any] | None) -> dict[str, Any]:
    """Codes and their map, turned towards that of the reference."""
    codes, frequency = every[shown.items], shown.found.given.frequency
    plane = embed(codes, align_to=None if other is None else other["plane"])
    wide = codes.shape[1] > _MOST_LATENTS
    values = _principal(codes) if wide else codes
    return {
        "plane": plane.points,
        "decoder": None,
        "points": packed(plane.points),
        "stress": plane.stress,
        "codes": packed(values),
        "spread": [float(one) for one in values.std(axis=0)],
        "latent_rates": None,
        "latents_are": "component" if wide else "latent",
        "frequency": packed(np.ones(len(shown.kept)) if frequency is None else frequency[shown.kept]),
        "reconstructions": None,
    }


def _principal(codes: np.ndarray) -> np.ndarray:
    """Codes along their principal components, which keep all distances as far as there are that many."""
    centred = codes - codes.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    return (left * sizes)[:, :_MOST_LATENTS]


def _condition(name: str, detail: dict[str, Any]) -> dict[str, Any]:
    numbers = dict.fromkeys(("rate_nats", "rate_bits", "distortion", "semantic_distortion"))
    shown = {key: value for key, value in detail.items() if key != "plane"}
    return {
        "id": name,
        "model": name,
        "place": [],
        "seed": _SEED,
        "target": None,
        "status": "ok",
        **numbers,
        "detail": shown,
    }


def _world(shown: _Shown) -> dict[str, Any]:
    given, kept = shown.found.given, shown.kept
    factors = [_factor(name, values[kept]) for name, values in given.factors.items()]
    pictured = given.images
    images = None if pictured is None else pictured.of(kept)
    nothing = np.zeros(0)
    return {
        "source": "",
        "shape": [1, 1, 1] if pictured is None else list(pictured.shape),
        "paint": "colour" if pictured is not None and pictured.shape[2] == 3 else "bright",
        "factors": [one for one in factors if one is not None],
        "pictured": packed(nothing if images is None else images.places),
        "images": packed(nothing if images is None else images.values, "u1"),
        "stimulus": packed(shown.stimulus),
        "stimuli": len(kept),
        "names": [given.names[one] for one in kept] if given.names else [],
    }


def _factor(name: str, values: np.ndarray) -> dict[str, Any] | None:
    """A factor with its values in order; one of very many values by rounded steps of its range."""
    found, ranks = np.unique(values, return_inverse=True)
    if len(found) > _MOST_VALUES:
        edges = np.quantile(values.astype(float), np.linspace(0, 1, _MOST_VALUES // 2 + 1)[1:-1])
        ranks = np.searchsorted(edges, values)
        found = np.array([values[ranks == one].mean() for one in np.unique(ranks)])
        ranks = np.unique(ranks, return_inverse=True)[1]
    if len(found) < 2:
        return None
    return {
        "name": name,
        "kind": "ordered",
        "values": [float(one) for one in found],
        "ranks": packed(ranks.reshape(-1)),
    }


def _schemes(shown: _Shown, models: list[str]) -> list[dict[str, Any]]:
    """Labellings, one class for every stimulus, with distances of the classes as they were measured."""
    schemes, found = [], shown.found
    for task, names in found.classes.items():
        of = _of_stimuli(found.labels[task], found.given.stimulus, found.number)
        if of is None:
            continue
        two = len(names) == 2
        schemes.append(
            {
                "name": task,
                "title": task,
                "classes": list(names),
                "colours": (class_colours if two else category_colours)(len(names)),
                "of": packed(of[shown.kept]),
                "models": models,
                "distances": _distances(found, task),
            }
        )
    return schemes


def _of_stimuli(labels: np.ndarray, stimulus: np.ndarray, number: int) -> np.ndarray | None:
    """Class of every stimulus; None where items of one stimulus have several, such as an animal's choices."""
    of = np.zeros(number, np.int64)
    of[stimulus] = labels
    return of if (of[stimulus] == labels).all() else None


def _distances(found: Measurement, task: str) -> list[dict[str, Any]]:
    """Log distances of the classes, and their change from the reference, each with its interval."""
    matrices = []
    for change in (False, True):
        try:
            matrix = found.class_distance(task, change=change)
        except RequestError:
            continue
        parts = {"values": matrix.values, "low": matrix["low"].values, "high": matrix["high"].values}
        name = "change from the reference" if change else "distances"
        matrices.append({"name": name, **{key: one.tolist() for key, one in parts.items()}})
    return matrices


def _indices(found: Measurement) -> list[dict[str, Any]]:
    """Indices in the order of the figure, each with the forms that it has."""
    return [
        {
            "name": row.name,
            "measure": row.forms[0]["measure"],
            "task": row.forms[0]["task"],
            "change": row.change,
            "forms": [
                {key: form[key] for key in ("trial_noise", "value", "low", "high", "p", "p_adjusted")}
                for form in row.forms
            ],
        }
        for row in index_rows(found)
    ]


def _notes(shown: _Shown) -> list[str]:
    """What a reader must know of what is on the page."""
    notes, found, items = [], shown.found, shown.items
    if len(items) < len(found.codes):
        notes.append(
            f"The maps show {len(items):,} of {len(found.codes):,} items, drawn at random; all of them were"
            " measured."
        )
    if found.codes.shape[1] > _MOST_LATENTS:
        notes.append(
            f"The stage has codes of {found.codes.shape[1]:,} latents along their first principal components;"
            " all latents were measured."
        )
    for argument, share in found.kept.items():
        notes.append(
            f"{argument} were made of dissimilarities by classical scaling, which kept {share:.1%} of them."
        )
    return notes
