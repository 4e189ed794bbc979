"""Worlds that users bring: taken where they are sound, refused in words where not, known again from a run directory."""

from __future__ import annotations

import json
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import yaml

from ratewarp import Study
from ratewarp._checks import RatewarpError, RequestError
from ratewarp.sources import Factor, GivenSource, kept_files
from ratewarp.sources.given import ARRAYS_FILE, _check_against_means
from ratewarp.studies import Condition, Setting, resolved, stored_study
from worlds import Bars, bars, example

ROWS = Factor("row", (0, 10, 20))
INKS = Factor("ink", ("pale", "dark"), "categorical")
MEANS = Bars().mean_images()


def study_of(source: object, **changes: object) -> Study:
    """A small study on a world of one's own."""
    skewed, told = {"frequency": "2 if ink == 'pale' else 1"}, {"tasks": [{"name": "ink", "label": "ink"}]}
    known = {"network": "mlp", "likelihood": "gaussian", "capacities_nats": [1], "bound_points": 0}
    return Study(source=source, **{**known, "models": {"even": {}, "skewed": skewed, "told": told}, **changes})


def keep(study: Study, folder) -> dict:
    """What a run directory keeps of a study, as it is read back."""
    for name, content in kept_files(study.source).items():
        (folder / name).write_bytes(content)
    return yaml.safe_load(yaml.safe_dump(resolved(study), sort_keys=False))


@pytest.mark.parametrize("world", ["colours", "bars", "bars without means"])
def test_a_run_directory_knows_a_world_without_its_object(tmp_path, world):
    if world == "colours":
        models = {"even": {}, "red": {"frequency": "mostly_red"}, "warm": {"tasks": ["warm", "far"]}}
        colours = example("colours").Colours()
        study = Study(source=colours, network="mlp", models=models, capacities_nats=[0.3, 1])
    else:
        study = study_of(bars(mean_images=None) if "without" in world else Bars())
    again = stored_study(keep(study, tmp_path), tmp_path)
    assert again.source.object is None
    assert again.source == study.source
    assert [c.id for c in again.conditions] == [c.id for c in study.conditions]
    for ours, theirs in zip(study.conditions, again.conditions, strict=True):
        np.testing.assert_array_equal(ours.setting.probabilities(), theirs.setting.probabilities())
        our_labels, their_labels = ([t.labels.tolist() for t in c.setting.labellings()] for c in (ours, theirs))
        assert our_labels == their_labels
        json.loads(ours.model_dump_json())
    assert (again.source.mean_images() is None) == (world == "bars without means")
    if again.source.mean_images() is not None:
        np.testing.assert_array_equal(again.source.mean_images(), study.source.mean_images())
    assert resolved(again) == resolved(study)


def test_a_world_without_its_object_draws_no_images(tmp_path):
    again = stored_study(keep(study_of(Bars()), tmp_path), tmp_path).source
    with pytest.raises(RequestError, match=r"^the source 'bars' is a Python object.*call ratewarp\.run with the study"):
        again.sample(np.array([0]), keys=jax.random.split(jax.random.key(0), 1))


def test_a_study_file_cannot_describe_a_world():
    with pytest.raises(RequestError, match="source must be a Python object where it is of kind 'given'"):
        study_of(GivenSource(Bars()).description())


@pytest.mark.parametrize("damage", ["changed", "cut", "gone"])
def test_damaged_means_are_noticed(tmp_path, damage):
    data, file = keep(study_of(Bars()), tmp_path), tmp_path / ARRAYS_FILE
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes({"changed": bytes(content), "cut": content[:-9], "gone": b""}[damage])
    if damage == "gone":
        file.unlink()
    with pytest.raises(RatewarpError, match="cannot read .*source" if damage == "gone" else "damaged or was changed"):
        stored_study(data, tmp_path)


DAMAGED = [
    *({key: None} for key in ("digest", "factors", "stimuli", "means_sha256", "image_shape", "tasks")),
    *({"factors": wrong} for wrong in ([3], 3, [{"name": "row"}], [{"name": "row", "values": [1], "more": 2}])),
    *({"stimuli": wrong} for wrong in ([[0], [1, 2]], 3, [["a", "b"]])),
    {"image_shape": [3]},
    {"pixels": "ternary"},
    {"task_sets": 3},
]


@pytest.mark.parametrize("change", DAMAGED, ids=map(str, DAMAGED))
def test_a_damaged_description_is_refused_in_words(tmp_path, change):
    data = keep(study_of(Bars()), tmp_path)
    changed = {**data["source"], **change}
    data["source"] = {key: value for key, value in changed.items() if value is not None}
    with pytest.raises(RequestError, match="source"):
        stored_study(data, tmp_path)


def condition_id(source: object) -> str:
    return Condition(model="a", capacity_nats=1, seed=0, setting=Setting(source=source)).id


def test_equal_worlds_have_equal_ids():
    first, second = GivenSource(Bars()), GivenSource(bars())
    assert first == second
    assert hash(first) == hash(second)
    assert condition_id(first) == condition_id(second)


SHIFTED = {
    "mean_images": lambda self: MEANS + 0.5,
    "sample": lambda self, stimuli, *, keys: Bars.sample(self, stimuli, keys=keys) + 0.5,
}
OTHERS = {
    "name": {"name": "lines"},
    "noise": {"noise": 0.26},
    "means": SHIFTED,
    "no means": {"mean_images": None},
    "order of stimuli": {"stimuli": Bars.stimuli[::-1]},
    "fewer stimuli": {"stimuli": Bars.stimuli[:5]},
    "name of a factor": {"factors": (Factor("line", (0, 10, 20)), INKS)},
    "values": {"factors": (Factor("row", (0, 10, 30)), INKS)},
    "kind of a factor": {"factors": (Factor("row", (0, 10, 20), "circular", 30), INKS)},
    "frequencies": {"frequencies": {"skewed": "row + 1"}},
    "tasks": {"tasks": {"low": "row > 5"}},
    "independent pixels": {"independent_pixels": True},
    "a digest of its own": {"digest": "v2"},
}


def test_other_worlds_have_other_ids():
    sources = [GivenSource(bars(**members)) for members in [{}, *OTHERS.values()]]
    assert len({condition_id(source) for source in sources}) == len(sources)
    assert len({source.digest for source in sources}) == len(sources)


def test_its_own_digest_counts_instead_of_its_images():
    assert GivenSource(bars(digest="v2")) == GivenSource(bars(digest="v2", noise=0.3))
    with pytest.raises(RequestError, match="images of type float32"):
        GivenSource(bars(digest="v2", sample=images_of(0, dtype=jnp.uint8)))


def images_of(value, shape=(3, 2, 1), dtype=jnp.float32):
    """A `sample` whose images have one value everywhere."""
    return lambda self, stimuli, *, keys: jnp.full((len(stimuli), *shape), value, dtype)


CIRCLE = Factor("row", np.array([0.0, 10.0, 20.0]), "circular", np.float32(30))
SOUND = {
    "numbers of NumPy": {"factors": (Factor("row", tuple(np.array([0, 10, 20]))), INKS)},
    "texts of NumPy": {"factors": (ROWS, Factor("ink", np.array(["pale", "dark"]), "categorical"))},
    "values as an array": {"factors": [CIRCLE, INKS]},
    "lists": {"stimuli": Bars.stimuli.tolist(), "image_shape": [3, 2, 1], "factors": [ROWS, INKS]},
    "means as an array": {"mean_images": MEANS.tolist()},
    "means of JAX": {"mean_images": lambda self: jnp.asarray(MEANS)},
    "whole numbers as means": {"mean_images": lambda self: MEANS.astype(int)},
    "no factors": {
        "factors": (),
        "stimuli": np.zeros((6, 0)),
        "mean_images": MEANS,
        "sample": lambda self, stimuli, *, keys: jnp.asarray(MEANS, jnp.float32)[stimuli],
    },
    "one value": {
        "factors": (ROWS, INKS, Factor("place", (7,))),
        "stimuli": np.insert(Bars.stimuli, 2, 0, axis=1),
    },
}


@pytest.mark.parametrize("members", SOUND.values(), ids=SOUND)
def test_what_is_sound_is_taken_and_can_be_stored(tmp_path, members):
    study = study_of(bars(**members), models={"even": {}})
    json.loads(study.conditions[0].model_dump_json())
    assert stored_study(keep(study, tmp_path), tmp_path).conditions[0].id == study.conditions[0].id


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
        {"image_shape": (2000, 2, 1)},
        "image_shape must be",
        "1024",
        "got (2000, 2, 1)",
    ),
    "image_shape of text": ({"image_shape": "3x2"}, "image_shape must be", "got '3x2'"),
    "pixels unknown": (
        {"pixels": "8bit"},
        "pixels: no",
        "'8bit'. Did you mean '8-bit'? Known: binary, 8-bit, real",
    ),
    "pixels a list": ({"pixels": ["real"]}, "pixels: no", "Known: binary, 8-bit, real"),
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
        "2 to 1,000,000 stimuli",
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
    with pytest.raises(RequestError, match=rf"source\.{member} is missing in World\. Did you mean '{member}_'"):
        GivenSource(type("World", (), own)())


@pytest.mark.parametrize(
    ("given", "said"),
    [(3, "source.name is missing in int"), (Bars, "source must be an object: Bars(…) instead of its class")],
)
def test_what_is_no_world_is_refused_where_it_stands(given, said):
    with pytest.raises(RequestError, match=re.escape(said)):
        study_of(given)


def test_refused_where_the_study_is_made_and_by_the_key():
    with pytest.raises(RequestError, match=r"^source: source\.pixels: no kind of pixels is named 'grey'"):
        study_of(bars(pixels="grey"))
    with pytest.raises(RequestError, match=r"^models\.even: likelihood must be one for real pixels; got 'bernoulli-mean"):
        study_of(Bars(), likelihood="bernoulli-mean")


def test_few_images_are_tried_where_they_are_large():
    drawn = []

    def sample(self, stimuli, *, keys):
        drawn.append(len(stimuli))
        return jnp.zeros((len(stimuli), 256, 256, 1), jnp.uint8)

    GivenSource(bars(image_shape=(256, 256, 1), pixels="binary", mean_images=None, sample=sample))
    assert 0 < max(drawn) * 256**2 <= 2**24


SHAPE = (4, 4, 1)


def _means(rng, stimuli):
    return rng.uniform(0.2, 0.8, (stimuli, 1, *SHAPE))


def _of_whole_images(draw):
    """Noise that is the same at every pixel of an image, up to a pattern."""

    def noise(rng, shape):
        return draw(rng, (*shape[:2], 1, 1, 1)) * rng.uniform(0.5, 1, (1, 1, *SHAPE))

    return noise


def _events(rng, shape):
    """Whole images that are brighter once in a while, from two in a hundred to one in ten thousand; less their mean."""
    share = 10 ** rng.uniform(-4, -1.7)
    return 0.8 * ((rng.random((*shape[:2], 1, 1, 1)) < share) - share) * np.ones(shape)


NOISES = {
    "independent": lambda rng, shape: rng.normal(0, 0.1, shape),
    "heavy tails": lambda rng, shape: 0.1 * rng.standard_t(2.5, shape),
    "skewed": lambda rng, shape: 0.1 * (rng.lognormal(0, 1, shape) - np.exp(0.5)),
    "of whole images": _of_whole_images(lambda rng, shape: rng.normal(0, 0.3, shape)),
    "of whole images, heavy tails": _of_whole_images(lambda rng, shape: 0.1 * rng.standard_t(2.5, shape)),
    "rare events": _events,
    "rare pixels": lambda rng, shape: 1.0 * (rng.random(shape) < 0.001) - 0.001,
    "none": lambda rng, shape: np.zeros(shape),
}


def simulated(kind: str, seed: int):
    """Means of a sound source, images of it as stored, and kind of pixels."""
    rng = np.random.default_rng([seed, *kind.encode()])
    stimuli = int(rng.choice([2, 3, 5, 12, 32]))
    means = _means(rng, stimuli)
    shape = (stimuli, 2048 // stimuli, *SHAPE)
    if kind == "binary":
        return means[:, 0], (rng.random(shape) < means).astype(np.uint8), "binary"
    if kind == "multiplied":
        return means[:, 0], means * rng.lognormal(-0.5, 1, (*shape[:2], 1, 1, 1)), "real"
    if kind == "rounded":
        means *= rng.uniform(0.01, 1)
        return means[:, 0], np.round(255 * np.broadcast_to(means, shape)).astype(np.uint8), "8-bit"
    return means[:, 0], means + NOISES[kind](rng, shape), "real"


def check(means, images, pixels):
    own = object.__new__(GivenSource)
    own.pixels, own._means = pixels, means
    _check_against_means(own, np.arange(len(means)), images)


KINDS = [*NOISES, "binary", "multiplied", "rounded"]


@pytest.mark.parametrize("kind", KINDS)
def test_no_sound_world_is_refused_for_its_means(kind):
    for seed in range(40):
        check(*simulated(kind, seed))


@pytest.mark.parametrize("kind", KINDS)
def test_means_that_are_clearly_off_are_found(kind):
    for seed in range(10):
        means, images, pixels = simulated(kind, seed)
        size = np.std(images / 255 if pixels == "8-bit" else images, axis=1).mean()
        with pytest.raises(RequestError, match=re.escape("mean_images()")):
            check(means + max(0.8 * size, 0.15), images, pixels)
