"""The Population source: responses of tuned neurons to a stimulus of one or two dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from math import isqrt
from types import ModuleType
from typing import Annotated, Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key, Num
from pydantic import Field, model_validator

from ratewarp.sources.combinations import Crossing
from ratewarp.sources.factor import Factor
from ratewarp.sources.pixels import PIXELS
from ratewarp.sources.world import World, around, chosen_of, evenly

_MOST_STIMULI = 100_000
_NAMES = ("x", "y")


class Population(World):
    """Responses of N neurons, as images of N rows and one column.

    A neuron that prefers p responds to the stimulus s with the mean b + g · Π_d h(s_d − p_d), over the
    dimensions d, where h(Δ) is exp(−Δ² / (2 w²)) on a line and exp((cos 2πΔ − 1) / (2π w)²), a von Mises
    curve that is the same near its peak, on a circle. Responses are independent given the stimulus: Poisson
    counts, or the mean plus Gaussian noise.

    The dimensions are the factors `x` and `y`: evenly from 0 to 1 on a line, both among them, and on a
    circle from 0 to below 1, in turns.

    Attributes:
        neurons: N.
        dimensions: of the stimulus.
        circular: whether each of them is a circle.
        values: of every dimension.
        width: w, in units of the line, or in turns.
        gain: g, mean response at the peak above the baseline, spikes.
        baseline: b, spikes.
        preferred: `even` (on the line or circle; in two dimensions on a grid, so that N must be the square
            of a whole number) or `random`.
        preferred_seed: of random ones.
        responses: `poisson` or `gaussian`.
        noise: standard deviation of Gaussian responses, spikes.

    Examples:
        >>> population = Population(neurons=9, values=5)
        >>> population.mean_images()[2, :, 0, 0].round(1).tolist()  # x = ½, which the fifth neuron prefers
        [0.5, 0.5, 0.9, 5.1, 10.5, 5.1, 0.9, 0.5, 0.5]
    """

    kind: Literal["population"] = "population"
    neurons: Annotated[int, Field(ge=1, le=1024)] = 32
    dimensions: Literal[1, 2] = 1
    circular: bool = False
    values: Annotated[int, Field(ge=2, le=_MOST_STIMULI)] = 24
    width: Annotated[float, Field(ge=0.001, le=100, allow_inf_nan=False)] = 0.1
    gain: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] = 10.0
    baseline: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)] = 0.5
    preferred: Literal["even", "random"] = "even"
    preferred_seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    responses: Literal["poisson", "gaussian"] = "poisson"
    noise: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)] = 1.0

    @model_validator(mode="after")
    def _check(self) -> Population:
        if self.values**self.dimensions > _MOST_STIMULI:
            most = int(_MOST_STIMULI ** (1 / self.dimensions))
            raise ValueError(f"values must be at most {most} in two dimensions; got {self.values}")
        grid = self.dimensions == 2 and self.preferred == "even"
        if grid and isqrt(self.neurons) ** 2 != self.neurons:
            near = isqrt(self.neurons) ** 2, (isqrt(self.neurons) + 1) ** 2
            raise ValueError(
                f"neurons must be the square of a whole number, such as {near[0]} or {near[1]}, to stand on a"
                f" grid; got {self.neurons}"
            )
        return self

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.neurons, 1, 1

    @property
    def pixels(self) -> str:
        return "count" if self.responses == "poisson" else "real"

    @property
    def axes(self) -> tuple[Factor, ...]:
        names = _NAMES[: self.dimensions]
        if self.circular:
            return tuple(Factor(name, around(1, self.values), "circular", 1.0) for name in names)
        return tuple(Factor(name, evenly(0, 1, self.values)) for name in names)

    @property
    def crossing(self) -> Crossing:
        return Crossing((self.values,) * self.dimensions, _MOST_STIMULI, 0)

    @property
    def tasks(self) -> Mapping[str, str]:
        """A decision at the middle of the first dimension and, of two, which is the larger."""
        return {"half": "x < 0.5"} | ({"larger": "x > y"} if self.dimensions == 2 else {})

    @property
    def frequencies(self) -> Mapping[str, str]:
        """`skewed`: five times as often at x = 0 as at the far end (on a circle, half a turn away), evenly
        falling between.
        """
        return {"skewed": "1 + 4 * abs(1 - 2 * x)" if self.circular else "5 - 4 * x"}

    @property
    def preferences(self) -> Float[np.ndarray, "neurons dimensions"]:
        """Preferred stimulus of every neuron."""
        if self.preferred == "random":
            # raw bits are the same in every version of NumPy
            bits = np.random.PCG64(self.preferred_seed).random_raw(self.neurons * self.dimensions)
            return (bits >> np.uint64(11)).reshape(self.neurons, -1) * 2.0**-53
        side = self.neurons if self.dimensions == 1 else isqrt(self.neurons)
        line = around(1, side) if self.circular else evenly(0, 1, side)
        return np.stack(np.meshgrid(*[line] * self.dimensions, indexing="ij"), axis=-1).reshape(
            self.neurons, -1
        )

    def mean_images(
        self, stimuli: Int[np.ndarray, " chosen"] | None = None
    ) -> Float[np.ndarray, "chosen height width channels"]:
        """Mean response of every neuron to the chosen stimuli, all if not given, spikes."""
        places = self.stimuli[chosen_of(stimuli, len(self.stimuli))]
        return self._means(places, np)[:, :, None, None]

    def sample(
        self, stimuli: Int[Array | np.ndarray, " images"], *, keys: Key[Array, " images"]
    ) -> Num[Array, "images height width channels"]:
        """Responses to each given stimulus.

        Arguments:
            stimuli: stimulus indices.
            keys: one key per image.

        Returns:
            Counts, or real numbers.
        """
        means = self._means(self.crossing.places(stimuli), jnp)[:, :, None, None]
        if self.responses == "gaussian":
            draws = jax.vmap(lambda key: jax.random.normal(key, self.image_shape))(keys)
            return means + self.noise * draws
        kind = PIXELS["count"]
        counts = jax.vmap(lambda key, mean: jax.random.poisson(key, mean, dtype=jnp.int32))(keys, means)
        return jnp.minimum(counts, int(kind.limits[1])).astype(kind.dtype)

    def _means(self, places: Any, numbers: ModuleType) -> Any:
        """Mean response of every neuron at these places among the values of each dimension, images by
        neurons, computed by NumPy in double precision or by JAX in single.
        """
        kind = np.float64 if numbers is np else np.float32
        values = numbers.asarray(self.axes[0].table, kind)[places]
        apart = values[:, None, :] - numbers.asarray(self.preferences, kind)[None]
        if self.circular:
            exponents = (numbers.cos(2 * np.pi * apart) - 1) / (2 * np.pi * self.width) ** 2
        else:
            exponents = -(apart**2) / (2 * self.width**2)
        return self.baseline + self.gain * numbers.exp(exponents.sum(axis=-1))
