"""Worlds that are not what they say: refused in words that name the member and what came."""

from __future__ import annotations

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ratewarp import Study
from ratewarp._checks import RequestError
from ratewarp.sources import Factor, GivenSource
from worlds import INKS, MEANS, ROWS, Bars, bars, images_of


def noisy(self, stimuli, *, keys):
    return jnp.asarray(np.random.default_rng().normal(size=(len(stimuli), 3, 2, 1)), jnp.float32)


def of_one_key(self, stimuli, *, keys):
    return jax.random.normal(keys[0], (len(stimuli), 3, 2, 1))


def of_numpy(self, stimuli, *, keys):
    return np.random.default_rng(0).normal(size=np.asarray(stimuli).shape)


def factor(*values, name="row", **kinds):
    return {"factors": (Factor(name, values, **kinds), INKS)}


def raises(self):
    raise ZeroDivisionError("a world that fails")


MUST, CALLED = (
    "mean_images() must be",
    "sample cannot be called with stimuli and keys inside jax.jit, as it must: ",
)
BAD = {
    "image_shape of two numbers": (
        {"image_shape": (3, 2)},
        "image_shape must be (height, width, channels)",
        "got (3, 2)",
    ),
    "image_shape of a fraction": ({"image_shape": (3, 2.5, 1)}, "image_shape must be", "got (3, 2.5, 1)"),
    "empty image_shape": ({"image_shape": (0, 2, 1)}, "image_shape must be", "got (0, 2, 1)"),
    "image_shape too large": (
        {"image_shape": (5000, 2, 1)},
        "image_shape must be",
        "4096",
        "got (5000, 2, 1)",
    ),
    "image_shape of text": ({"image_shape": "3x2"}, "image_shape must be", "got '3x2'"),
    "pixels unknown": (
        {"pixels": "8bit"},
        "pixels: no",
        "'8bit'. Did you mean '8-bit'? Known: binary, 8-bit, 16-bit, real",
    ),
    "pixels a list": ({"pixels": ["real"]}, "pixels: no", "Known: binary, 8-bit, 16-bit, real"),
    "no name": ({"name": ""}, "name must be a text of 1 to 200 characters; got ''"),
    "name no text": ({"name": 3}, "name must be a text", "got 3"),
    "factors a mapping": (
        {"factors": {"row": (1, 2)}},
        "factors must be a tuple of ratewarp.sources.Factor",
        "got {'row'",
    ),
    "factors pairs": ({"factors": (("row", (1, 2)),)}, "factors must be a tuple of ratewarp.sources.Factor"),
    "duplicate names": ({"factors": (ROWS, ROWS)}, "factors must be of different names; got ['row', 'row']"),
    "name of a factor": (factor(0, 1, 2, name="the row"), "factors.0.name must be", "got 'the row'"),
    "name that Python keeps": (factor(0, 1, 2, name="if"), "factors.0.name must be", "got 'if'"),
    "duplicate values": (
        factor(0, 10, 10),
        "factors.0.values must be different from each other; got '10 twice'",
    ),
    "no values": (factor(), "factors.0.values must be a tuple of one value or more; got ()"),
    "values no tuple": (
        {"factors": (Factor("row", "abc"), INKS)},
        "factors.0.values must be a tuple",
        "got 'abc'",
    ),
    "texts without categories": (
        factor("a", "b"),
        "factors.0.values must be numbers, or texts alone for a categorical",
    ),
    "texts and numbers": (
        factor("a", 1, kind="categorical"),
        "factors.0.values must be numbers, or texts alone",
    ),
    "values no numbers": (
        factor(0, (1, 2), None),
        "factors.0.values must be numbers",
        "got (0, (1, 2), None)",
    ),
    "values not finite": (factor(0, 1, float("nan")), "factors.0.values must be finite"),
    "kind unknown": (factor(0, 1, kind="cyclic"), "factors.0.kind: no", "'cyclic'. Known: ordered, circular"),
    "circular without period": (
        factor(0, 1, kind="circular"),
        "factors.0.period must be positive for a circular",
        "got None",
    ),
    "period without circle": (
        factor(0, 1, period=3),
        "factors.0.period must be",
        "not given for another; got 3",
    ),
    "period not positive": (
        factor(0, 1, kind="circular", period=-3.0),
        "factors.0.period must be positive",
        "got -3",
    ),
    "period no number": (
        factor(0, 1, kind="circular", period=float("nan")),
        "factors.0.period must be",
        "got nan",
    ),
    "duplicate stimuli": (
        {"stimuli": [[0, 0], [0, 1], [0, 0]]},
        "stimuli must be rows that differ",
        "got '[0, 0] twice'",
    ),
    "stimuli out of range": (
        {"stimuli": Bars.stimuli + 1},
        "stimuli must be 0 to 2 in the column of row",
        "got '1 to 3'",
    ),
    "stimuli below 0": (
        {"stimuli": Bars.stimuli - 1},
        "stimuli must be 0 to 2 in the column of row",
        "got '-1 to 1'",
    ),
    "stimuli of fractions": (
        {"stimuli": Bars.stimuli / 2},
        "stimuli must be of whole numbers",
        "got 'type float64'",
    ),
    "a column too few": (
        {"stimuli": Bars.stimuli[:, :1]},
        "stimuli must be",
        "each of the 2 factors; got 'shape (6, 1)'",
    ),
    "one stimulus": (
        {"stimuli": Bars.stimuli[:1]},
        "stimuli must be",
        "2 to 5,000,000 stimuli",
        "got 'shape (1, 2)'",
    ),
    "stimuli no table": (
        {"stimuli": [[0, 0], [0]]},
        "stimuli must be an array, with rows of one length; got [[0, 0], [0]]",
    ),
    "frequencies no mapping": (
        {"frequencies": ["row"]},
        "frequencies must be a mapping from name to expression",
        "['row']",
    ),
    "task no text": (
        {"tasks": {"low": 3}},
        "tasks must be a mapping from name to expression; got {'low': 3}",
    ),
    "task sets": (
        {"task_sets": {"all": 3}},
        "task_sets must be a mapping from name to names of tasks; got {'all': 3}",
    ),
    "means of a wrong shape": (
        {"mean_images": MEANS[..., 0]},
        MUST,
        "shape (6, 3, 2, 1)",
        "got 'float64 of shape (6, 3, 2)'",
    ),
    "means no numbers": ({"mean_images": MEANS.astype(str)}, MUST, "an array of numbers"),
    "means ragged": (
        {"mean_images": [[1], [1, 2]]},
        MUST,
        "an array, with rows of one length; got [[1], [1, 2]]",
    ),
    "means not finite": ({"mean_images": MEANS * np.nan}, MUST, "finite", "got 'nan to nan'"),
    "means out of range": (
        {"mean_images": MEANS * 1e7},
        MUST,
        "finite and -1e+06 to 1e+06",
        "got '0 to 2e+07'",
    ),
    "means in levels": (
        {"pixels": "8-bit", "mean_images": MEANS * 99},
        MUST,
        "0 to 1, the numbers of 8-bit pixels",
        "'0 to 198'",
    ),
    "means that fail": ({"mean_images": raises}, "mean_images() cannot be called: 'a world that fails'"),
    "means of other images": (
        {"mean_images": MEANS + 0.5},
        MUST,
        "the means of what source.sample draws",
        "off by 0.5",
    ),
    "means of other stimuli": (
        {"mean_images": MEANS[::-1]},
        MUST,
        "the means of what source.sample draws",
        "stimulus ",
    ),
    "sample no function": ({"sample": 3}, CALLED, "not callable"),
    "sample without keys": ({"sample": lambda self, stimuli: 0}, CALLED, "keyword argument 'keys'"),
    "sample of NumPy": ({"sample": of_numpy}, CALLED, "traced array"),
    "images of a wrong shape": (
        {"sample": images_of(0, (2, 3, 1))},
        "sample must be images of shape",
        ", 2, 3, 1)'",
    ),
    "images of a wrong type": (
        {"sample": images_of(0, dtype=jnp.uint8)},
        "images of type float32, as for real",
        "dtype('uint8')",
    ),
    "NaN": ({"sample": images_of(jnp.nan)}, "sample must be pixels of -1e+06 to 1e+06", "got 'nan to nan'"),
    "out of range": (
        {"sample": images_of(2, dtype=jnp.uint8), "pixels": "binary", "mean_images": None},
        "sample must be pixels of 0 to 1, as for binary pixels; got '2 to 2'",
    ),
    "another draw each time": (
        {"sample": noisy, "mean_images": None},
        "sample must be the same image for the same stimulus",
    ),
    "one key for all": (
        {"sample": of_one_key, "mean_images": None},
        "sample must be the same",
        "whichever others are drawn",
    ),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD)
def test_a_bad_world_is_refused_in_words(case):
    members, *said = case
    with pytest.raises(RequestError, match=r"^source\.[^\n]+$") as error:
        GivenSource(bars(**members))
    for words in said:
        assert words in str(error.value)


NEEDED = ["name", "image_shape", "pixels", "factors", "stimuli", "mean_images", "sample"]


@pytest.mark.parametrize("member", NEEDED)
def test_a_missing_member_is_named_with_the_nearest(member):
    own = {name: value for name, value in vars(Bars).items() if not name.startswith("_")}
    own[f"{member}_"] = own.pop(member)
    with pytest.raises(RequestError, match=rf"source\.{member} is missing in World.*mean '{member}_'"):
        GivenSource(type("World", (), own)())


@pytest.mark.parametrize(
    ("given", "said"),
    [(3, "source.name is missing in int"), (Bars, "source must be an object: Bars(…) instead of its")],
)
def test_what_is_no_world_is_refused_where_it_stands(given, said):
    with pytest.raises(RequestError, match=re.escape(said)):
        Study(source=given)


def test_refused_where_the_study_is_made_and_by_the_key():
    with pytest.raises(RequestError, match=r"^source\.pixels: no kind of pixels is named 'grey'"):
        Study(source=bars(pixels="grey"))
    with pytest.raises(RequestError, match=r"^models\.even: likelihood must be one for real pixels"):
        Study(source=Bars(), network="mlp", models={"even": {}}, capacities_nats=[1])


def test_few_images_are_tried_where_they_are_large():
    drawn = []

    def sample(self, stimuli, *, keys):
        drawn.append(len(stimuli))
        return jnp.zeros((len(stimuli), 256, 256, 1), jnp.uint8)

    GivenSource(bars(image_shape=(256, 256, 1), pixels="binary", mean_images=None, sample=sample))
    assert 0 < max(drawn) * 256**2 <= 2**24
