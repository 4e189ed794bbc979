"""Codes, maps and images of conditions, for as many as a page has room for."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ratewarp._sums import gaussian_divergence
from ratewarp.report.known_maps import embed
from ratewarp.report.page.decoder_of import decoder_of
from ratewarp.report.page.guide import guide
from ratewarp.report.page.packed_arrays import packed
from ratewarp.report.page.spread_places import spread_places
from ratewarp.report.page.world_of import shown_pictures
from ratewarp.report.views import RunView, on_map
from ratewarp.studies import Axis, Cell, Study


class Details:
    """Details of conditions, in the order in which they are made.

    Maps of one model are turned towards its own at the next higher capacity, so that points move and do not
    jump as capacity shrinks; at the highest one, towards the reference's. The first map of all is turned
    towards one of another run, where there is one.

    Attributes:
        order: cells, the reference first, then what the page's guide leads to, then others; the first seed
            before others, capacities from high to low; of further axes the place that a stage shows first,
            then those farthest from what is there already.
        left_out: for how many there was no room.
        first: the first map that was made, (codes, two); NaN for those that it leaves out.

    Arguments:
        view: the run.
        room: letters that all details may have together.
        towards: the first map of another run of the same stimuli.
    """

    def __init__(self, view: RunView, room: int, towards: np.ndarray | None = None) -> None:
        self._view, self._room, self._towards, self.left_out = view, room, towards, 0
        self._points: dict[tuple[str, tuple[Any, ...], int], np.ndarray] = {}
        self.first: np.ndarray | None = None
        study, ranks, led_to = view.study, _ranks(view.study), _led_to(view)
        models = list(study.models)
        self.order = sorted(
            study.cells,
            key=lambda cell: (
                cell not in led_to and (cell.model != study.reference or cell.seed != study.seeds[0]),
                study.seeds.index(cell.seed),
                cell.model != study.reference,
                ranks[cell.model, cell.place[1:]],
                models.index(cell.model),
                -(cell.place[0] if cell.place and cell.place[0] is not None else 0),
            ),
        )

    def of(self, cell: Cell) -> dict[str, Any] | None:
        """Details of a condition; None where there is no room for them, or the model diverged."""
        if self._room <= 0:
            self.left_out += 1
            return None
        found = self._made(cell)
        self._room -= len(json.dumps(found)) if found is not None else 0
        return found

    def _made(self, cell: Cell) -> dict[str, Any] | None:
        record = self._view.record(self._view.study.cells[cell])
        codes, variances = record["code"].values.astype(float), record["variance"].values.astype(float)
        stimuli, frequency = record["stimulus"].values, record["frequency"].values
        if not np.isfinite(codes).all():
            return None
        occurs = frequency[stimuli] > 0
        rates = gaussian_divergence(codes, variances)[occurs].mean(axis=0)
        kept = occurs & on_map(stimuli)
        towards = self._neighbour(cell)
        near = towards is not None and np.isfinite(towards[kept]).all()
        plane = embed(codes[kept], align_to=towards[kept] if towards is not None and near else None)
        points = np.full((len(codes), 2), np.nan)
        points[kept] = plane.points
        self._points[cell.model, cell.place, cell.seed] = points
        self.first = points if self.first is None else self.first
        condition = self._view.study.cells[cell]
        decoder = self._view.readable(
            lambda: decoder_of(self._view.run, condition, codes, rates, self._room),
            f"the decoder of {condition.id}",
        )
        live = decoder is not None and decoder["kind"] == "layers"  # the page makes its own pictures
        return {
            "decoder": decoder,
            "points": packed(points),
            "stress": plane.stress,
            "codes": packed(codes),
            "spread": [float(one) for one in np.sqrt(variances[occurs].mean(axis=0))],
            "latent_rates": [float(one) for one in rates],
            "frequency": packed(frequency),
            "reconstructions": None
            if live
            else packed(record["reconstruction"].values[shown_pictures(record)], "u1"),
        }

    def _neighbour(self, cell: Cell) -> np.ndarray | None:
        """The map that this one is turned towards."""
        level, further = (cell.place[0], cell.place[1:]) if cell.place else (None, ())
        if level is not None:
            higher = self._points.get((cell.model, (level + 1, *further), cell.seed))
            if higher is not None:
                return higher
        seeds = [cell.seed, self._view.study.seeds[0]]
        places = [cell.place, (level, *(None for _ in further))]
        for seed in seeds:
            for place in places:
                found = self._points.get((self._view.study.reference, place, seed))
                if found is not None:
                    return found
        return self._towards if self.first is None else None


def _ranks(study: Study) -> dict[tuple[str, tuple[int | None, ...]], int]:
    """Rank of every model and place on the further axes: those of low rank have codes where few can."""
    ranks: dict[tuple[str, tuple[int | None, ...]], int] = {}
    first = tuple(_first_shown(axis) for axis in study.crossed[1:])
    for model in study.models:
        places = list(dict.fromkeys(cell.place[1:] for cell in study.cells if cell.model == model))
        ranks |= {(model, place): rank for rank, place in enumerate(spread_places(places, first))}
    return ranks


def _led_to(view: RunView) -> set[Cell]:
    """What the guide of the page shows, and what stands beside it."""
    best = {one["condition"] for one in guide(view)}
    cells = [cell for cell, condition in view.study.cells.items() if condition.id in best]
    beside = [view.study.reference_of(cell) for cell in cells]
    return {cell for cell in (*cells, *beside) if cell is not None}


def _first_shown(axis: Axis) -> int:
    """Where a stage begins on an axis: at the largest number, else at the first value."""
    values = [[*axis.at(place).values()] for place in range(len(axis.values))]
    if not all(len(one) == 1 and isinstance(one[0], int | float) for one in values):
        return 0
    return max(range(len(values)), key=lambda place: values[place][0])
