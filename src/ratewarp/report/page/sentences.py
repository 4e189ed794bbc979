"""What the stage says of a chosen condition: its warps, each beside the reference's, its rate, and how far
that is from the bound.
"""

from __future__ import annotations

from math import isfinite, log

from ratewarp.report.bound_words import TOLD
from ratewarp.report.page.alerts import why_not
from ratewarp.report.page.figures_in_words import ALIGNMENT, SHARE, TIMES, Found, Scale, amount, short
from ratewarp.report.page.told_tables import AXES, DIMENSIONS, PROTOTYPES, RATIO, SLOPE, ToldTables
from ratewarp.report.views import RunView
from ratewarp.studies import CAPACITY, Cell, Condition
from ratewarp.studies.condition import FREQUENCY_SCHEME

MOST_TASKS = 3
_WITHIN_ERROR = 2.0  # standard errors
_SAME_RATE = 0.1  # share of the rate, or of 1 nat where that is more, by which two rates may differ
_BELOW = -0.005  # share of variance that is shown below 0
_LOST = "too little differs"  # note of an alignment that is not to be told
_ENOUGH = 0.5  # share of seeds, above which what one shows is said of all
_ONE_NETWORK = "Intervals are over the stimuli of this one network: another seed may differ by more."
_CLEAR = "Up and down: the 95 % interval over stimuli of the change is off 0."
_ALIGNED = "Alignment is 1 where one latent alone tells the classes apart."


def sentences(view: RunView) -> dict[str, list[str]]:
    """Sentences of every condition, by its id: plain text, in which names are those that the user gave."""
    tables = ToldTables(view)
    return {
        condition.id: _Told(tables, cell, condition).all() for cell, condition in view.study.cells.items()
    }


Pair = tuple[Found, Found | None]  # a number, and its change from the reference


class _Told:
    """The sentences of one condition, in their order."""

    def __init__(self, tables: ToldTables, cell: Cell, condition: Condition) -> None:
        self._tables, self._cell, self._condition = tables, cell, condition
        self._found, self._row = tables.found[condition.id], tables.rows.get(condition.id, {})
        self._said: list[str] = []
        self._judged = False  # whether an interval was told
        study = tables.view.study
        self._is_reference, self._seeds = cell.model == study.reference, len(study.seeds)
        name = short(study.reference)
        self._their = "the baseline" if name == "baseline" else f"the reference {name}"

    def all(self) -> list[str]:
        status = self._row.get("status", "missing")
        if status == "missing":
            return ["There are no numbers of it: it is not in the tables."]
        if status == "diverged":
            return [f"It {why_not(self._row, self._tables.view.study.reference)}"]
        if not self._is_reference:
            self._tell_tasks()
            self._tell_frequency()
        warped = bool(self._said)
        self._tell_rate()
        if not warped:
            self._tell_dimensions()
        if self._judged and self._seeds == 1:
            self._said.append(_ONE_NETWORK)
        off = [f"It is {why_not(self._row, '')}"] if status == "off target" else []
        return [*off, *self._said]

    # how sentences begin

    def _say(self, text: str, *, named: bool = False) -> None:
        """A sentence; a user's name at its beginning stays as it is."""
        self._said.append(text if named else text[0].upper() + text[1:])

    @property
    def _codes(self) -> str:
        return "its codes" if self._said else f"the codes of {self._whole_name()}"

    def _whole_name(self) -> str:
        """The model, and where it stands."""
        values = self._tables.view.study.values_at(self._cell.place)
        aim, name = self._condition.capacity_nats, short(self._cell.model)
        nats = [] if aim is None else [f"{aim:g} {'nat' if aim == 1 else 'nats'}"]
        further = [f"{key.rpartition('.')[2]} {short(one)}" for key, one in values.items() if key != CAPACITY]
        if further:
            return f"{name} ({', '.join(nats + further)})"
        return f"{name} at {nats[0]}" if nats else name

    # warps

    def _tell_tasks(self) -> None:
        tasks = list(
            dict.fromkeys(
                task
                for measure, task in self._found
                if measure in (PROTOTYPES, AXES) and task not in ("", FREQUENCY_SCHEME)
            )
        )
        if len(tasks) == 1:
            self._tell_prototypes(tasks[0])
            self._tell_alignment(tasks[0])
            return
        for task in tasks[:MOST_TASKS]:
            self._tell_task(task)
        more = len(tasks) - MOST_TASKS
        if more > 0:
            self._say(f"and {more} more {'task' if more == 1 else 'tasks'}: see the tables.")
        if tasks:
            self._say(f"{_ALIGNED} {_CLEAR}")

    def _tell_prototypes(self, task: str) -> None:
        found = self._pair(PROTOTYPES, task)
        if found is None:
            return
        own, change = found
        below = min(own.value, own.value - (change.value if change is not None else 0)) < _BELOW
        adjusted = "adjusted for chance" + (" (which may take it below 0)" if below else "")
        said = {"up": "Codes gather by class: prototypization", "down": "Codes gather less by class"}
        beside = self._against(own, change, SHARE, "against {} in", (PROTOTYPES, task), said)
        self._say(
            f"{_shown(own, change, SHARE)} of the variance of {self._codes} lies between the classes of the"
            f" task {short(task)}{self._untrained()}, {adjusted},{beside}.{self._optimum(task)}"
        )

    def _optimum(self, task: str) -> str:
        most = self._tables.optimal.at(self._cell, task, self._row["rate_nats"])
        if most is None:
            return ""
        share = "over 99 %" if most > 0.99 else f"about {SHARE.told(most, 0)}"
        return f" In a code that is optimal for the same objective at this rate it would be {share}."

    def _tell_alignment(self, task: str) -> None:
        found = self._pair(AXES, task)
        if found is None:
            return
        own, change = found
        if own.note.startswith(_LOST):
            self._say(f"in {self._codes} the classes of {short(task)} differ too little to have a direction.")
            return
        two = self._tables.two_classes(self._condition.id, task)
        own_axes = "a latent" if two else "latents"
        said = {
            "up": f"The task comes nearer to {own_axes} of its own: orthogonalization",
            "down": "The task moves away from single latents",
        }
        if own.value == 1:  # exactly: nothing but one latent is left
            self._tell_only_latent(task)
            return
        beside = self._against(own, change, ALIGNMENT, "against {} in", (AXES, task), said)
        shown = _shown(own, change, ALIGNMENT)
        aligned = (
            f"the direction that tells these classes apart in {self._codes} has an alignment of {shown} with"
            " the nearest latent (1: that latent alone tells them apart)"
            if two
            else f"the directions that tell these classes apart in {self._codes} have an alignment of {shown}"
            " with single latents (1: each lies along a latent)"
        )
        self._say(f"{aligned},{beside}.")

    def _tell_only_latent(self, task: str) -> None:
        self._say(
            f"a single latent is in use in {self._codes}, so that it alone tells the classes of {short(task)}"
            " apart: alignment is then 1 whatever the code does, and says nothing of a warp."
        )

    def _tell_task(self, task: str) -> None:
        """Both warps of one of several tasks, shorter."""
        parts = []
        for measure, scale, words in (
            (PROTOTYPES, SHARE, "{} of the variance of {} lies between its classes"),
            (AXES, ALIGNMENT, "alignment with single latents {}"),
        ):
            found = self._pair(measure, task)
            if found is None or found[0].note.startswith(_LOST):
                continue
            own, change = found
            own_part = words.format(_shown(own, change, scale), self._codes)
            parts.append(own_part + self._in_short(own, change, scale, (measure, task)))
        if parts:
            self._say(f"task {short(task)}{self._untrained()}: {', '.join(parts)}.")

    def _tell_frequency(self) -> None:
        found, slope = self._pair(RATIO, FREQUENCY_SCHEME), self._pair(SLOPE, FREQUENCY_SCHEME)
        if found is None:
            self._tell_slope(slope)
            return
        own, change = found
        said = {
            "up": "Relative to rare stimuli, frequent ones are told apart better: specialization",
            "down": "Relative to rare stimuli, frequent ones are told apart less well",
        }
        beside = self._against(own, change, TIMES, "against {} times in", (RATIO, FREQUENCY_SCHEME), said)
        self._say(
            f"neighbouring frequent stimuli lie {_shown(own, change, TIMES)} times as far apart in"
            f" {self._codes} as neighbouring rare ones, on average,{beside}{_slope_besides(change, slope)}."
        )

    def _tell_slope(self, found: Pair | None) -> None:
        """Specialization where no neighbours are both frequent, or both rare."""
        if found is None:
            return
        own, change = found
        said = {
            "up": "Frequent stimuli are told apart better: specialization",
            "down": "Frequent stimuli are told apart less well",
        }
        beside = self._against(own, change, TIMES, "against {} in", (SLOPE, FREQUENCY_SCHEME), said)
        self._say(
            f"the slope of log distance between neighbours in {self._codes} on log frequency is"
            f" {_shown(own, change, TIMES)} (0: frequent stimuli are told apart as well as rare ones),"
            f"{beside}."
        )

    def _pair(self, measure: str, task: str) -> Pair | None:
        """A number and its change from the reference; None where it is not defined."""
        own = self._found.get((measure, task))
        if own is None or not isfinite(own.value):
            return None
        change = self._found.get((f"{measure}_change", task))
        return own, change if change is not None and isfinite(change.value) else None

    def _against(
        self,
        own: Found,
        change: Found | None,
        scale: Scale,
        words: str,
        of: tuple[str, str],
        said: dict[str, str],
    ) -> str:
        """What the reference has, and what follows from the interval of the change."""
        if change is None:
            return f" with nothing to compare it with in {self._their}"
        if change.value == change.low == change.high == 0:
            return f" as in {self._their}"
        decimals = scale.decimals_for(change)
        theirs = f" {words.format(scale.told(own.value - change.value, decimals))} {self._their}"
        if change.note.startswith(_LOST):
            return f"{theirs}, where the classes differ too little to tell whether that is a change"
        if not change.direction:
            return theirs
        self._judged = True
        interval, (agreement, enough) = scale.interval(change, decimals), self._agreement(change, *of)
        if change.direction == "none":
            return f"{theirs}: no clear change ({interval}, 95 % interval over stimuli{agreement})"
        follows = said.get(change.direction, "")
        but = "" if enough else ", but not clearly in most seeds"
        ending = f". {follows}{but}" if follows else ""
        return f"{theirs}: {interval} (95 % interval over stimuli{agreement}){ending}"

    def _in_short(self, own: Found, change: Found | None, scale: Scale, of: tuple[str, str]) -> str:
        if change is None:
            return ""
        self._judged = self._judged or bool(change.direction)
        theirs = scale.told(own.value - change.value, scale.decimals_for(change))
        clear = {"up": ", up", "down": ", down", "none": ", no clear change"}.get(change.direction, "")
        return f" ({self._their}: {theirs}{clear}{self._agreement(change, *of)[0]})"

    def _agreement(self, change: Found, measure: str, task: str) -> tuple[str, bool]:
        """In how many seeds it is so, and whether these are most; of a single seed nothing is said."""
        if self._seeds == 1 or not change.direction:
            return "", True
        same, known = self._tables.agreeing(self._cell, f"{measure}_change", task, change.direction)
        clearly = {"up": "clearly up", "down": "clearly down", "none": "likewise"}[change.direction]
        return f"; {clearly} in {same} of {known} seeds", same > _ENOUGH * known

    def _untrained(self) -> str:
        """Said of tasks that the model is not trained for."""
        weights = self._condition.setting.recipe.task_weights((2, 3))
        return "" if any(weights) else ", for which it is not trained here (weight 0)"

    # rate and dimensions

    def _tell_rate(self) -> None:
        row = self._row
        if not isfinite(row["rate_nats"]):
            return
        who = "it" if self._said else self._whole_name()
        uses = f"{who} uses {amount(row['rate_nats'])} nats ({amount(row['rate_bits'])} bits)"
        text = f"{uses}{self._other_rate()}{self._above_bound()}."
        self._say(text, named=who != "it")

    def _other_rate(self) -> str:
        """What the reference uses, where that is another rate: codes then differ for that reason, too."""
        other, rate = None if self._is_reference else self._tables.beside(self._cell), self._row["rate_nats"]
        if other is None or abs(other["rate_nats"] - rate) <= _SAME_RATE * max(rate, 1):
            return ""
        return f" and {self._their} {amount(other['rate_nats'])}, which may be part of any difference"

    def _above_bound(self) -> str:
        """How far the rate is above the least that any code needs for the same distortion."""
        row = self._row
        least, excess, error = (row.get(one) for one in ("bound_rate_nats", "excess_nats", "excess_nats_se"))
        if least is None or excess is None or not (isfinite(least) and isfinite(excess)):
            return ""
        noisy = abs(row["distortion"] - row["semantic_distortion"]) > 1e-3 * row["distortion"]
        trained = self._condition.setting.tasks and not self._untrained()
        aside = [*(["the noise of images"] if noisy else []), *(["the task"] if trained else [])]
        which, beyond = self._of_which()
        details = f"{amount(least)} nats{which}" + (f"; {' and '.join(aside)} left aside" if aside else "")
        needed = f"the least that any code needs for an equal distortion ({details}){beyond}"
        if error is not None and abs(excess) <= _WITHIN_ERROR * error:
            return f", within measurement error of {needed}"
        return f", {amount(abs(excess))} nats {'more' if excess > 0 else 'less'} than {needed}"

    def _of_which(self) -> tuple[str, str]:
        """Of what stimuli the bound is, where these are not all, and what it does not say; as `bound_of`."""
        setting = self._tables.view.settings[self._cell.model]
        number, total = len(setting.measured()), len(setting.source.stimuli)
        if setting.source.stored is None:
            return (f" for the {number:,} measured stimuli" if number < total else ""), ""
        far = self._row["rate_nats"] > TOLD * log(number)
        beyond = ". At such rates that says little of other images of their kind"
        return f" for these {number:,} held-out images", beyond if far else ""

    def _tell_dimensions(self) -> None:
        found, used = self._pair(DIMENSIONS, ""), self._row.get("active_units")
        if found is None or used is None or not isfinite(used):
            return
        own, change = found
        latents = self._condition.setting.network.latents
        text = (
            f"{used:.0f} of {latents} latents are in use, and the codes spread over about {own.value:.1f}"
            f" {'dimension' if f'{own.value:.1f}' == '1.0' else 'dimensions'} (participation ratio)"
        )
        if change is not None:
            text += f", against {own.value - change.value:.1f} in {self._their}"
        self._say(f"{text}.")


def _shown(own: Found, change: Found | None, scale: Scale) -> str:
    return scale.told(own.value, scale.decimals_for(change))


def _slope_besides(change: Found | None, slope: Pair | None) -> str:
    """Said where the slope over all frequencies, which figures show, goes another way than the ratio."""
    other = None if slope is None else slope[1]
    if change is None or other is None or other.direction in ("", change.direction):
        return ""
    ways = {"up": "goes up", "down": "goes down", "none": "shows no clear change"}
    return f". But the slope of log distance on log frequency, over all stimuli, {ways[other.direction]}"
