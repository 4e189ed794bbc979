"""A condition: one model to train, fully described."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal, Union

import numpy as np
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from ratewarp._checks import RequestError, shorten
from ratewarp.likelihoods import LIKELIHOODS, AnyLikelihood, BernoulliMean
from ratewarp.networks import NETWORKS, Convolutional, GivenNetwork
from ratewarp.sources import (
    SOURCES,
    Corridors,
    GivenSource,
    Source,
    Task,
    factor_numbers,
    frequency,
    image_counts,
    names_in,
    task,
    task_names,
)
from ratewarp.studies.identity import digest
from ratewarp.studies.kept import fixed, once
from ratewarp.training.recipes import RECIPES, AnyRecipe, Principled

FREQUENCY_SCHEME = "frequency"  # labels stimuli by whether they are more frequent than the average
_MEASURED = 102  # stream drawn from the data seed for the sample of stimuli
_TIMES_STORED = 100  # that a stored image is taken on average: frequencies are as exact as that
_EVEN = 1e-9  # frequencies that differ by less than this share are the same


def _tagged(tag: str, default: str, variants: tuple[type[BaseModel], ...]) -> BeforeValidator:
    """Lets a variant be written as its name alone, or without its name for the default variant."""
    names = Literal[tuple(variant.model_fields[tag].default for variant in variants)]  # type: ignore[valid-type]

    def expand(value: Any) -> Any:
        if isinstance(value, str):
            return {tag: value}
        return {tag: default, **value} if isinstance(value, Mapping) and tag not in value else value

    return BeforeValidator(expand, json_schema_input_type=Union[(*variants, names)])


def _or_given(variants: tuple[type[BaseModel], ...], given: type) -> Any:
    """One of the variants, by its key `kind`, or anything else that a user gives from Python."""

    def kind(value: Any) -> Any:
        return (
            value.get("kind")
            if isinstance(value, Mapping)
            else getattr(value, "kind", None)
            if type(value) in variants
            else "given"
        )

    tagged = tuple(Annotated[variant, Tag(variant.model_fields["kind"].default)] for variant in variants)
    return Annotated[Union[(*tagged, Annotated[given, Tag("given")])], Discriminator(kind)]


_GIVEN = {"source": (SOURCES, GivenSource), "network": (NETWORKS, GivenNetwork)}


def taken(difference: Mapping[str, Any]) -> dict[str, Any]:
    """What a model or an axis says, with objects that stand as source or network, alone or in a list, checked
    and described.
    """

    def one(key: str, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [one(key, entry) for entry in value]
        known, given = _GIVEN[key]
        plain = value is None or isinstance(value, str | Mapping | given) or type(value) in known
        return value if plain else given(value)

    return {key: one(key, value) if key in _GIVEN else value for key, value in difference.items()}


class TaskRule(BaseModel):
    """A user's own task: a name, and a rule over the factors that gives the class of every stimulus."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")]
    label: str


def _flat(value: Any) -> Any:
    """A table of rows is read row by row."""
    if isinstance(value, list | tuple) and value and all(isinstance(row, list | tuple) for row in value):
        return [number for row in value for number in row]
    return value


def _pairs(value: Any) -> Any:
    """A table from name to number, as pairs in order of the names."""
    pairs = list(value.items()) if isinstance(value, Mapping) else value
    if not isinstance(pairs, list | tuple) or not all(
        isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs
    ):
        raise ValueError(f"must be a table from name to number, such as {{ratio: 8}}; got {shorten(value)}")
    if len({str(name) for name, _ in pairs}) < len(pairs):
        raise ValueError(f"must be a table in which every name stands once; got {shorten(value)}")
    return tuple(sorted(((str(name), number) for name, number in pairs), key=lambda pair: pair[0]))


def _whole_characters(text: str) -> str:
    """Text that can be written to a file: no half of a character, which Python allows and UTF-8 does not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"must be text of whole characters; got {shorten(text)}") from None
    return text


Text = Annotated[str, AfterValidator(_whole_characters)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Capacity = Annotated[float, Field(ge=0.001, le=100, allow_inf_nan=False)]
ParameterName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,39}$")]
Parameters = Annotated[
    tuple[tuple[ParameterName, Annotated[float, Field(allow_inf_nan=False)]], ...],
    BeforeValidator(_pairs, json_schema_input_type=dict[str, float]),
]
_Written = str | list[float] | list[list[float]] | dict[Literal["file"], str]
FrequencyRule = Annotated[str | tuple[float, ...], BeforeValidator(_flat, json_schema_input_type=_Written)]
TaskChoice = str | TaskRule
TaggedSource = Annotated[_or_given(SOURCES, GivenSource), _tagged("kind", "corridors", SOURCES)]
TaggedNetwork = Annotated[_or_given(NETWORKS, GivenNetwork), _tagged("kind", "convolutional", NETWORKS)]
TaggedLikelihood = Annotated[AnyLikelihood, _tagged("kind", "bernoulli-mean", LIKELIHOODS)]
TaggedRecipe = Annotated[AnyRecipe, _tagged("name", "principled", RECIPES)]


class SettingKeys(BaseModel):
    """Keys shared by `Setting` and `Study`: what models are trained on and how.

    Attributes:
        source: where images come from.
        frequency: a named frequency, an expression over the factors, or one number per stimulus.
        tasks: named tasks, task sets, or rules.
        network: shape of encoder and decoder.
        likelihood: what the decoder's output means, and what distortion is.
        recipe: how it is trained.
        training_images: size of the training set.
        measured_stimuli: on how many stimuli models are measured where a source has more: a random sample of
            them, the same for all. Of stored images they are among those that are held out.
        validation_each: held-out images of every measured stimulus, on which rate, distortion and F1 are
            found; of stored images each has one.
        codes_each: how many of those have their codes stored, for the geometry.
        data_seed: seed of the images, shared by all conditions of a study.
        parameters: name → number, of what expressions of the frequency and of tasks may name besides factors.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: TaggedSource = Corridors()
    frequency: FrequencyRule = "uniform"
    tasks: tuple[TaskChoice, ...] = ()
    network: TaggedNetwork = Convolutional()
    likelihood: TaggedLikelihood = BernoulliMean()
    recipe: TaggedRecipe = Principled()
    training_images: Annotated[int, Field(ge=1, le=10_000_000)] = 200_000
    measured_stimuli: Annotated[int, Field(ge=2, le=20_000)] = 2000
    validation_each: Annotated[int, Field(ge=1, le=10_000)] = 64
    codes_each: Annotated[int, Field(ge=1, le=1000)] = 9
    data_seed: Seed = 0
    parameters: Parameters = ()


class Setting(SettingKeys):
    """Everything about a condition but its name, capacity and seed; the keys are those of `SettingKeys`.

    Keys named in `ARRAYS` may differ between members of one compiled batch, as those of a recipe's `ARRAYS`
    may.
    """

    ARRAYS: ClassVar[tuple[str, ...]] = ("frequency", "tasks", "parameters", "training_images", "codes_each")

    def shared(self) -> Setting:
        """The setting with all that may differ between members at its default: with the classes of its tasks,
        the compile key.
        """
        return once(
            self,
            "shared",
            tuple(Setting.model_fields),
            lambda: _at_defaults(self, {"recipe": _at_defaults(self.recipe)}),
        )

    def classes(self) -> tuple[int, ...]:
        """Number of classes of every task."""
        return tuple(task.classes for task in self.labellings())

    def measured(self) -> np.ndarray:
        """Stimuli that models are measured on, in rising order."""
        needed = ("source", "measured_stimuli", "data_seed")
        return once(
            self,
            "measured",
            needed,
            lambda: _measured(self.source, self.measured_stimuli, self.data_seed),
        )

    def samples_stimuli(self) -> bool:
        """Whether the measured stimuli are a sample of all: held-out images, or some of very many."""
        return len(self.measured()) < len(self.source.stimuli)

    def images_each(self) -> int:
        """Held-out images of every measured stimulus."""
        return self.validation_each if self.source.stored is None else 1

    def probabilities(self) -> np.ndarray:
        """Frequency of every measured stimulus among those, summing to 1."""
        needed = ("frequency", "source", "parameters", "measured_stimuli", "data_seed")
        return once(self, "probabilities", needed, self._make_probabilities)

    def _make_probabilities(self) -> np.ndarray:
        everywhere, measured = self._everywhere(), self.measured()
        if len(measured) == len(everywhere):
            return everywhere
        total = everywhere[measured].sum()
        return fixed(everywhere[measured] / total if total > 0 else np.zeros(len(measured)))

    def _everywhere(self) -> np.ndarray:
        """Frequency of every stimulus."""
        return _probabilities(self.frequency, self.source, self.parameters)

    def occurring(self) -> np.ndarray:
        """Whether every measured stimulus occurs: one of frequency 0 is not trained on, and no measure is of
        it.
        """
        return self.probabilities() > 0

    def image_counts(self) -> np.ndarray:
        """Training images of every stimulus; how often it is taken, where it is a stored image."""
        needed = ("frequency", "source", "parameters", "training_images")
        return once(self, "counts", needed, self._make_counts)

    def _make_counts(self) -> np.ndarray:
        probabilities, stored = self._everywhere(), self.source.stored
        if stored is None:
            return fixed(image_counts(probabilities, self.training_images))
        trained = np.where(stored.trained(len(probabilities)), probabilities, 0)
        if not trained.any():
            raise RequestError(
                "frequency: positive for held-out images alone, so that there is none to train on"
            )
        images = max(self.training_images, _TIMES_STORED * int(np.count_nonzero(trained)))
        return fixed(image_counts(trained / trained.sum(), images))

    def mean_images(self) -> np.ndarray | None:
        """Noise-free mean image of every measured stimulus; None where there is none."""
        return self.source.mean_images(self.measured())

    def factor_numbers(self) -> np.ndarray:
        """Factor values of every measured stimulus, as numbers."""
        return factor_numbers(self.source, self.measured())

    def labellings(self) -> tuple[Task, ...]:
        """The tasks, task sets taken apart: the labels of all stimuli."""
        needed = ("tasks", "source", "parameters")
        return once(self, "labellings", needed, lambda: _labellings(self.tasks, self.source, self.parameters))

    def named(self) -> set[str]:
        """Names that the expressions of its frequency and tasks use."""
        rules = [rule.label for rule in self.tasks if isinstance(rule, TaskRule)]
        return set().union(
            *map(names_in, [*rules, *([self.frequency] if isinstance(self.frequency, str) else [])])
        )

    def class_schemes(self) -> dict[str, np.ndarray]:
        """Labellings of the measured stimuli by which the model is described: its tasks, and rare (0) against
        frequent (1) stimuli.

        More frequent than the mean of those that occur; stimuli that do not are in no measure, whatever their
        class.
        """
        schemes = {one.name: one.labels[self.measured()] for one in self.labellings()}
        probabilities = self.probabilities()
        occurring = probabilities[self.occurring()]
        frequent = probabilities > occurring.mean() * (1 + _EVEN)
        if frequent.any():
            schemes[FREQUENCY_SCHEME] = frequent.astype(int)
        return schemes


def _at_defaults(model: Any, changes: Mapping[str, Any] | None = None) -> Any:
    """A frozen model with all that may differ between members at its default, and with other changes."""
    defaults = {name: type(model).model_fields[name].get_default() for name in model.ARRAYS}
    return model.model_copy(update={**defaults, **(changes or {})})


# All models of a study are measured on the same stimuli.
@lru_cache(maxsize=16)
def _measured(source: Source, most: int, seed: int) -> np.ndarray:
    known = np.arange(len(source.stimuli)) if source.stored is None else source.stored.held_out
    if len(known) <= most:
        return fixed(known.copy())
    chosen = np.random.default_rng([seed, _MEASURED]).choice(len(known), most, replace=False)
    return fixed(known[np.sort(chosen)])


# Models of a study mostly share their tasks or their frequency.
@lru_cache(maxsize=256)
def _probabilities(rule: str | tuple[float, ...], source: Source, parameters: Parameters) -> np.ndarray:
    return fixed(frequency(rule, source, parameters=dict(parameters)))


@lru_cache(maxsize=256)
def _labellings(tasks: tuple[TaskChoice, ...], source: Source, parameters: Parameters) -> tuple[Task, ...]:
    own = [choice for choice in tasks if isinstance(choice, TaskRule)]
    rules = {choice.name: choice.label for choice in own}
    taken = {*source.tasks, *source.task_sets, FREQUENCY_SCHEME}.intersection(rules)
    if taken or len(rules) < len(own):
        name = next(iter(taken), own[0].name)
        raise RequestError(f"tasks: '{name}' is taken; give every task of your own another name")
    names = task_names(tuple(choice if isinstance(choice, str) else choice.name for choice in tasks), source)
    found = tuple(
        task(name, source, expression=rules.get(name), parameters=dict(parameters)) for name in names
    )
    for one in found:
        fixed(one.labels)
    return found


class Condition(BaseModel):
    """One cell of a study.

    Examples:
        >>> Condition(model="baseline", capacity_nats=0.3, seed=0).id
        'baseline_C0.3_s0_...'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    capacity_nats: Capacity | None = None
    seed: Seed
    setting: Setting = Setting()

    @property
    def id(self) -> str:
        """Readable, and unique to the content: equal conditions have equal ids."""
        return once(self, "id", tuple(Condition.model_fields), self._id)

    def _id(self) -> str:
        aim = "" if self.capacity_nats is None else f"_C{self.capacity_nats:g}"
        return f"{self.model}{aim}_s{self.seed}_{digest(self, 8)}"
