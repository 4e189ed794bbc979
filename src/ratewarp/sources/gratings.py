"""The Gratings source: sinusoidal gratings of an orientation, a spatial frequency, a phase and a contrast."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key, Num
from pydantic import Field, model_validator

from ratewarp.sources.combinations import Crossing, MostStimuli, StimuliSeed, check_crossing
from ratewarp.sources.eight_bit import mean_with_noise, with_noise
from ratewarp.sources.factor import Factor
from ratewarp.sources.world import World, around, check_lists, chosen_of, in_blocks, numbers_of

_TO_CARDINAL = "min(orientation % 90, 90 - orientation % 90)"  # degrees to the nearest of 0, 90 and 180

Count = Annotated[int, Field(ge=1, le=1024)]
Cycles = Annotated[float, Field(gt=0, le=32, allow_inf_nan=False)]
Contrast = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]


class Gratings(World):
    """Square grey images of a grating, ½ + ½ · c · w(x, y) · cos(2π f u + φ) at the centres of pixels.

    u is the place across the bars, in sides of the image from its middle: bars of the orientation 0 lie, and
    turn counter-clockwise. w is 1, or a Gaussian about the middle. Factors are those of the following that
    have several values, crossed: `orientation` (θ, circular, degrees, period 180), `spatial_frequency` (f,
    cycles per image), `phase` (φ, circular, degrees) and `contrast` (c).

    Half a turn takes a grating of the phase φ to one of the phase −φ. So orientation alone goes round a
    circle where phase is fixed, at 0; orientation and phase together are a Klein bottle, of which the two
    circular factors are the nearest description.

    Pixels of 8 bits are rounded and, once they have noise, rounded again and cut to 0–255; real ones are not.
    Mean images are exact means of what is stored.

    Attributes:
        size: height and width, pixels.
        pixels: how images are stored, `8-bit` or `real`.
        orientations: how many, evenly from 0 to below 180°.
        spatial_frequencies: cycles per image, at most half of `size`.
        phases: how many, evenly from 0 to below 360°.
        contrasts: from above 0 to 1.
        window: standard deviation of w, in sides of the image; no window if not given.
        noise: standard deviation of the noise of pixels, in units of the range from black to white.
        most_stimuli: the most stimuli that there are; of more combinations a random sample is drawn.
        stimuli_seed: of that sample.

    Source: Tanaka, Proc Biol Sci 261: 13–18, 1995, for the Klein bottle; Girshick, Landy, Simoncelli, Nat
        Neurosci 14: 926–932, 2011, for the frequency `cardinal`.

    Examples:
        >>> gratings = Gratings()
        >>> [factor.name for factor in gratings.factors], gratings.stimuli.shape
        (['orientation', 'spatial_frequency', 'phase'], (96, 3))
        >>> float(gratings.mean_images(np.array([1])).mean().round(2))
        0.5
    """

    kind: Literal["gratings"] = "gratings"
    size: Annotated[int, Field(ge=8, le=64)] = 16
    pixels: Literal["8-bit", "real"] = "8-bit"
    orientations: Count = 12
    spatial_frequencies: tuple[Cycles, ...] = (1.5, 3.0)
    phases: Count = 4
    contrasts: tuple[Contrast, ...] = (1.0,)
    window: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] | None = None
    noise: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.1
    most_stimuli: MostStimuli = 100_000
    stimuli_seed: StimuliSeed = 0

    @model_validator(mode="after")
    def _check(self) -> Gratings:
        check_lists(self, "spatial_frequencies", "contrasts")
        if max(self.spatial_frequencies) > self.size / 2:
            raise ValueError(
                f"spatial_frequencies must be at most {self.size / 2:g} cycles, half of size; got"
                f" {max(self.spatial_frequencies):g}"
            )
        check_crossing(self.crossing)
        return self

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.size, self.size, 1

    @property
    def axes(self) -> tuple[Factor, ...]:
        return (
            Factor("orientation", around(180, self.orientations), "circular", 180.0),
            Factor("spatial_frequency", self.spatial_frequencies),
            Factor("phase", around(360, self.phases), "circular", 360.0),
            Factor("contrast", self.contrasts),
        )

    @property
    def crossing(self) -> Crossing:
        sizes = tuple(len(axis.values) for axis in self.axes)
        return Crossing(sizes, self.most_stimuli, self.stimuli_seed)

    @property
    def tasks(self) -> Mapping[str, str]:
        """Which side of the upright it leans to, and whether it is nearer to lying or upright than to a
        diagonal.
        """
        if self.orientations == 1:
            return {}
        return {"tilt": "orientation < 90", "cardinal": f"{_TO_CARDINAL} < 22.5"}

    @property
    def frequencies(self) -> Mapping[str, str]:
        """`cardinal`: 2 − d · (2 − d), with d the distance to the nearest of lying and upright, 1 at the
        diagonals: near 2 − |sin 2θ|, as orientations are in natural images.
        """
        if self.orientations == 1:
            return {}
        distance = f"{_TO_CARDINAL} / 45"
        return {"cardinal": f"2 - {distance} * (2 - {distance})"}

    def mean_images(
        self, stimuli: Int[np.ndarray, " chosen"] | None = None
    ) -> Float[np.ndarray, "chosen height width channels"]:
        """Mean of every pixel of the chosen stimuli, all if not given, 0–1."""
        clean = in_blocks(partial(_clean, self), chosen_of(stimuli, len(self.crossing.numbers)))
        return mean_with_noise(self.noise)[clean] if self.pixels == "8-bit" else clean.astype(float)

    def sample(
        self, stimuli: Int[Array | np.ndarray, " images"], *, keys: Key[Array, " images"]
    ) -> Num[Array, "images height width channels"]:
        """One image of each given stimulus.

        Arguments:
            stimuli: stimulus indices.
            keys: one key per image.

        Returns:
            Images of 0–255, or of real numbers about ½.
        """
        clean = _clean(self, jnp.asarray(stimuli))
        if self.pixels == "8-bit":
            return with_noise(clean, self.noise, keys=keys)
        return clean + self.noise * jax.vmap(lambda key: jax.random.normal(key, self.image_shape))(keys)


@partial(jax.jit, static_argnums=0)
def _clean(source: Gratings, stimuli: Array) -> Num[Array, "images height width channels"]:
    """Images without noise."""
    chosen = source.crossing.places(stimuli).T
    each = [numbers_of(axis)[places] for axis, places in zip(source.axes, chosen, strict=True)]
    angle, cycles, phase, contrast = (values[:, None, None] for values in each)
    place = (np.arange(source.size, dtype=np.float32) + 0.5) / source.size - 0.5
    right, up = jnp.asarray(place)[None, None, :], jnp.asarray(-place)[None, :, None]
    across = up * jnp.cos(jnp.deg2rad(angle)) - right * jnp.sin(jnp.deg2rad(angle))
    wave = jnp.cos(2 * jnp.pi * cycles * across + jnp.deg2rad(phase))
    if source.window is not None:
        wave = wave * jnp.exp(-(right**2 + up**2) / (2 * source.window**2))
    light = (0.5 + 0.5 * contrast * wave)[..., None]
    return jnp.round(255 * light).astype(jnp.uint8) if source.pixels == "8-bit" else light
