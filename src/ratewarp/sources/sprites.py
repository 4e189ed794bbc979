"""The Sprites source: one shape in an image, in many places, sizes, orientations and colours."""

from __future__ import annotations

from collections.abc import Mapping
from colorsys import hsv_to_rgb
from functools import partial
from typing import Annotated, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key, UInt8
from pydantic import Field, model_validator

from ratewarp.sources.combinations import Crossing, MostStimuli, StimuliSeed, check_crossing
from ratewarp.sources.eight_bit import mean_with_noise, with_noise
from ratewarp.sources.factor import Factor
from ratewarp.sources.polygons import SHAPES, coverage, outline, outlines
from ratewarp.sources.world import World, around, check_lists, chosen_of, evenly, in_blocks, numbers_of

COLOURS: Mapping[str, tuple[float, float, float]] = {
    "white": (1.0, 1.0, 1.0),
    "red": (1.0, 0.0, 0.0),
    "orange": (1.0, 0.5, 0.0),
    "yellow": (1.0, 1.0, 0.0),
    "green": (0.0, 1.0, 0.0),
    "cyan": (0.0, 1.0, 1.0),
    "blue": (0.0, 0.0, 1.0),
    "magenta": (1.0, 0.0, 1.0),
}
_SMALLEST, _LARGEST = 0.2, 0.35  # scales where only their number is given
_MOST_VALUES = 1024

Count = Annotated[int, Field(ge=1, le=_MOST_VALUES)]
Share = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
Place = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Shape = Literal["square", "ellipse", "heart", "triangle", "star", "cross"]
Colour = Literal["white", "red", "orange", "yellow", "green", "cyan", "blue", "magenta"]


class Sprites(World):
    """Square 8-bit images, grey or RGB, of one bright shape on black.

    Factors are those of the following that have several values, crossed: `shape`, `colour` (names), `hue` (a
    number of colours; degrees of HSV colour) or `grey` (levels), `scale` (side of the square of the same
    area, so that all shapes of one scale are equally large), `orientation`, `x` and `y` (of the centre of
    mass, from the left and from the bottom). Scale, x and y are shares of the image's side.

    Orientation counts turns of a shape onto itself, from 0 to below 1, counter-clockwise: a square's are 90°,
    a cross's 90°, a star's 72°, a triangle's 120°, an ellipse's 180°, a heart's 360°. So orientation goes
    round a circle for every shape, its ends are neighbours, and no two stimuli are the same image.

    A pixel is as bright as the share of it that the shape covers, computed exactly for polygons (curves have
    64 corners), and rounded to 8 bits. Noise is added to these pixels, and the sum is rounded again and cut
    to 0–255; mean images are exact means of what is then stored.

    Where the factors have more than `most_stimuli` combinations, so many of them are drawn at random, without
    replacement, and are the stimuli.

    Attributes:
        size: height and width, pixels.
        channels: 1 for grey images, 3 for RGB.
        shapes: that occur.
        colours: of the shape. Grey images: levels, or how many, evenly up to 1. RGB: names, or how many hues
            around the circle. White if not given.
        scales: of the shape, or how many, evenly from 0.2 to 0.35.
        orientations: how many, evenly around the circle.
        positions: of x and of y, or how many, evenly over all places where no shape reaches over the edge.
        noise: standard deviation of the noise of pixels, in units of their range.
        most_stimuli: the most stimuli that there are.
        stimuli_seed: of the sample of them.

    Examples:
        >>> sprites = Sprites(shapes=("heart",), scales=1, orientations=40, positions=32)
        >>> [factor.name for factor in sprites.factors], sprites.stimuli.shape
        (['orientation', 'x', 'y'], (40960, 3))
        >>> sprites.mean_images(np.array([0])).shape
        (1, 32, 32, 1)
    """

    kind: Literal["sprites"] = "sprites"
    size: Annotated[int, Field(ge=16, le=64)] = 32
    channels: Literal[1, 3] = 1
    shapes: Annotated[tuple[Shape, ...], Field(min_length=1)] = ("square", "ellipse", "heart")
    colours: Count | tuple[Colour, ...] | tuple[Share, ...] | None = None
    scales: Count | tuple[Share, ...] = 2
    orientations: Count = 6
    positions: Count | tuple[Place, ...] = 4
    noise: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    most_stimuli: MostStimuli = 100_000
    stimuli_seed: StimuliSeed = 0

    @model_validator(mode="after")
    def _check(self) -> Sprites:
        check_lists(self, "shapes", "colours", "scales", "positions")
        texts = isinstance(self.colours, tuple) and isinstance(self.colours[0], str)
        if isinstance(self.colours, tuple) and texts != (self.channels == 3):
            wanted = "names of colours" if self.channels == 3 else "grey levels above 0, up to 1"
            raise ValueError(
                f"colours must be {wanted} where channels is {self.channels}; got {self.colours}"
            )
        if isinstance(self.positions, int) and self._reach > 0.5:
            raise ValueError(
                f"scales must be at most {0.5 / max(outline(one).reach for one in self.shapes):.3g} for these"
                f" shapes to fit the image, unless positions are listed; got {max(self._scales)}"
            )
        check_crossing(self.crossing)
        return self

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.size, self.size, self.channels

    @property
    def pixels(self) -> str:
        return "8-bit"

    @property
    def axes(self) -> tuple[Factor, ...]:
        places = self._positions
        return (
            Factor("shape", self.shapes, "categorical"),
            self._colour,
            Factor("scale", self._scales),
            Factor("orientation", around(1, self.orientations), "circular", 1.0),
            Factor("x", places),
            Factor("y", places),
        )

    @property
    def crossing(self) -> Crossing:
        sizes = tuple(len(axis.values) for axis in self.axes)
        return Crossing(sizes, self.most_stimuli, self.stimuli_seed)

    @property
    def tasks(self) -> Mapping[str, str]:
        """Which shape it is, and whether it is left of the middle, of those that its factors allow."""
        rules = {"which": ("shape", "shape"), "left": ("x", "x < 0.5")}
        return self._of_own_factors(rules)

    @property
    def frequencies(self) -> Mapping[str, str]:
        """The first shape, or the left half, five times as often as the rest, where its factors allow it."""
        rules = {
            "skewed": ("shape", f"5 if shape == '{self.shapes[0]}' else 1"),
            "mostly_left": ("x", "5 if x < 0.5 else 1"),
        }
        return self._of_own_factors(rules)

    def mean_images(
        self, stimuli: Int[np.ndarray, " chosen"] | None = None
    ) -> Float[np.ndarray, "chosen height width channels"]:
        """Mean of every pixel of the chosen stimuli, all if not given, 0–1."""
        chosen = chosen_of(stimuli, len(self.crossing.numbers))
        return mean_with_noise(self.noise)[in_blocks(partial(_clean, self), chosen)]

    def sample(
        self, stimuli: Int[Array | np.ndarray, " images"], *, keys: Key[Array, " images"]
    ) -> UInt8[Array, "images height width channels"]:
        """One image of each given stimulus.

        Arguments:
            stimuli: stimulus indices.
            keys: one key per image.

        Returns:
            Images of 0–255.
        """
        return with_noise(_clean(self, jnp.asarray(stimuli)), self.noise, keys=keys)

    def _of_own_factors(self, rules: Mapping[str, tuple[str, str]]) -> dict[str, str]:
        own = {factor.name for factor in self.factors}
        return {name: rule for name, (factor, rule) in rules.items() if factor in own}

    @property
    def _colour(self) -> Factor:
        match self.colours:
            case None:
                return Factor("colour", ("white",), "categorical")
            case int() as count if self.channels == 3:
                return Factor("hue", around(360, count), "circular", 360.0)
            case int() as count:
                return Factor("grey", evenly(1 / count, 1, count))
            case _ if self.channels == 3:
                return Factor("colour", self.colours, "categorical")
        return Factor("grey", self.colours)

    @property
    def _paints(self) -> Float[np.ndarray, "colours channels"]:
        """Brightness of every channel, 0–1, for every value of the colour."""
        colour = self._colour
        if self.channels == 1:
            levels = np.ones(1) if colour.name == "colour" else colour.table
            return levels[:, None]
        if colour.name == "hue":
            return np.array([hsv_to_rgb(hue / 360, 1, 1) for hue in colour.table])
        return np.array([COLOURS[str(name)] for name in colour.values])

    @property
    def _scales(self) -> tuple[float, ...]:
        return evenly(_SMALLEST, _LARGEST, self.scales) if isinstance(self.scales, int) else self.scales

    @property
    def _reach(self) -> float:
        """How far the largest shape reaches from its centre, as a share of the image's side."""
        return max(self._scales) * max(outline(shape).reach for shape in self.shapes)

    @property
    def _positions(self) -> tuple[float, ...]:
        if not isinstance(self.positions, int):
            return self.positions
        return evenly(self._reach, 1 - self._reach, self.positions)


@partial(jax.jit, static_argnums=0)
def _clean(source: Sprites, stimuli: Array) -> UInt8[Array, "images height width channels"]:
    """Images without noise."""
    _, _, scales, orientations, positions, _ = source.axes
    shape, colour, scale, orientation, x, y = source.crossing.places(stimuli).T
    turn = 2 * jnp.pi / jnp.asarray([SHAPES[name][1] for name in source.shapes], jnp.float32)
    angle = numbers_of(orientations)[orientation] * turn[shape]
    centre = numbers_of(positions)[jnp.stack([x, y], axis=-1)]
    shapes = jnp.asarray(outlines(source.shapes), jnp.float32)[shape]
    turned = jnp.einsum("ncj,nij->nci", shapes, _rotation(angle), precision="float32")
    corners = source.size * (numbers_of(scales)[scale][:, None, None] * turned + centre[:, None])
    covered = jax.vmap(lambda one: coverage(one, source.size, source.size))(corners)
    paint = jnp.asarray(source._paints, jnp.float32)[colour]
    return jnp.round(255 * covered[..., None] * paint[:, None, None]).astype(jnp.uint8)


def _rotation(angle: Float[Array, " images"]) -> Float[Array, "images 2 2"]:
    """Matrices of rotations, counter-clockwise."""
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    return jnp.stack([jnp.stack([cos, -sin], axis=-1), jnp.stack([sin, cos], axis=-1)], axis=-2)
