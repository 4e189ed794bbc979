"""Images of one's own as a source: columns, scaling, held-out images, and what is refused."""

from __future__ import annotations

import pickle
from contextlib import suppress

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ratewarp.runs.jobs as jobs
from ratewarp import Study, run
from ratewarp._checks import RequestError
from ratewarp.sources import Factor, GivenSource, ImageFiles, kept_files
from ratewarp.sources.images import Stream
from ratewarp.studies import load_study, resolved, stored_study

RNG = np.random.default_rng(0)
KINDS = np.array(["cat", "dog", "owl"])[np.arange(60) % 3]
ANGLE = np.arange(60) % 4 * 90
IMAGES = RNG.integers(0, 256, (60, 8, 8, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def pets(tmp_path_factory):
    path = tmp_path_factory.mktemp("own") / "pets.npz"
    np.savez(path, images=IMAGES, kind=KINDS, angle=ANGLE, weight=RNG.uniform(1, 2, 60))
    return path


def source_of(tmp_path, **arrays: np.ndarray) -> dict[str, object]:
    path = tmp_path / "some.npz"
    np.savez(path, **arrays)
    return {"images": path}


def test_columns_are_factors_of_the_kinds_they_are_said_to_be(pets):
    source = ImageFiles(pets, labels=["kind"], circular={"angle": 360}, covariates=["weight"])
    kind, angle, weight = source.factors
    assert kind == Factor("kind", ("cat", "dog", "owl"), "categorical")
    assert angle == Factor("angle", (0, 90, 180, 270), "circular", 360)
    assert weight.kind == "covariate"
    assert [kind.values[place] for place in source.stimuli[:, 0]] == KINDS.tolist()
    assert [angle.values[place] for place in source.stimuli[:, 1]] == ANGLE.tolist()
    assert source.tasks == {"kind": "kind"}


def test_a_covariate_weighs_images_and_is_no_coordinate(pets):
    source = ImageFiles(pets, labels=["kind"], covariates=["weight"])
    setting = Study(
        source=source, frequency="weight", network="mlp", likelihood="gaussian", capacities_nats=[1]
    ).settings["model"]
    weights = np.load(pets)["weight"][setting.measured()]
    np.testing.assert_allclose(setting.probabilities(), weights / weights.sum())
    assert setting.factor_numbers().shape == (len(weights), 1)


def test_without_a_word_texts_are_labels_and_numbers_factors(pets):
    assert [f.kind for f in ImageFiles(pets).factors] == ["categorical", "ordered", "ordered"]


def test_training_counts_follow_the_frequency_over_training_images_alone(pets):
    study = Study(
        source=ImageFiles(pets, labels=["kind"]),
        models={"even": {}, "cats": {"frequency": "5 if kind == 'cat' else 1"}},
        network="mlp",
        likelihood="gaussian",
        capacities_nats=[1],
        training_images=1000,
    )
    held = study.settings["even"].measured()
    assert np.array_equal(held, study.source.stored.held_out)
    for name, ratio in (("even", 1), ("cats", 5)):
        counts = study.settings[name].image_counts()
        assert counts[held].sum() == 0
        trained = np.delete(np.arange(60), held)
        assert counts[trained].min() > 0
        of = {kind: counts[trained][KINDS[trained] == kind].mean() for kind in ("cat", "dog")}
        assert of["cat"] / of["dog"] == pytest.approx(ratio, rel=0.03)


SCALED = {
    "8-bit": (np.uint8, 255, {}),
    "16-bit": (np.uint16, 65535, {}),
    "binary": (bool, 1, {}),
    "real": (np.float32, 1, {}),
}


@pytest.mark.parametrize("kind", SCALED)
def test_numbers_are_scaled_by_the_rule_of_their_type(tmp_path, kind):
    dtype, largest, options = SCALED[kind]
    stored = RNG.uniform(0, 1, (20, 8, 8, 1)) * largest
    stored = stored.astype(dtype) if kind != "binary" else stored > 0.5
    source = GivenSource(ImageFiles(source_of(tmp_path, images=stored)["images"], **options))
    assert source.pixels == kind
    np.testing.assert_allclose(source.mean_images(), stored.astype(float) / largest, rtol=1e-6)


def test_a_range_says_what_becomes_0_and_1(tmp_path):
    stored = RNG.uniform(-3, 5, (20, 8, 8, 1))
    path = source_of(tmp_path, images=stored)["images"]
    with pytest.raises(RequestError, match=r"source.range must be \[low, high\].* got .*without it"):
        ImageFiles(path)
    source = GivenSource(ImageFiles(path, range=[-3, 5]))
    np.testing.assert_allclose(source.mean_images(), (stored + 3) / 8, rtol=1e-5, atol=1e-6)


def test_responses_that_are_whole_are_counts(tmp_path):
    counts = RNG.poisson(4, (40, 12))
    source = GivenSource(ImageFiles(source_of(tmp_path, images=counts)["images"]))
    assert (source.pixels, source.image_shape) == ("count", (12, 1, 1))
    np.testing.assert_array_equal(source.mean_images()[..., 0, 0], counts)
    rates = RNG.uniform(0, 1, (40, 12))
    assert ImageFiles(source_of(tmp_path, images=rates)["images"]).pixels == "real"


REFUSED = [
    ({"labels": ["knd"]}, "has no column 'knd'. Did you mean 'kind'?"),
    ({"factors": ["kind"]}, "source.factors must be columns of numbers"),
    ({"labels": ["kind"], "factors": ["kind"]}, "columns must each have one use; got 'kind' twice"),
    ({"circular": {"angle": 0}}, "source.circular.angle must be"),
    ({"held_out": 1}, "source.held_out must be"),
    ({"held_outs": 0.2}, "unknown key 'source.held_outs'. Did you mean 'held_out'?"),
    ({"range": [0, 1]}, "source.range must be left out: whole numbers"),
    ({"range": [1, 0]}, "range must be two numbers, the first smaller"),
    ({"array": "pictures"}, "pictures"),
]


@pytest.mark.parametrize(("options", "said"), REFUSED, ids=lambda one: str(one)[:40])
def test_what_does_not_fit_is_refused_in_words(pets, options, said):
    with pytest.raises(RequestError) as refused:
        ImageFiles(pets, **options)
    assert said in str(refused.value)


def test_missing_values_name_an_image_and_the_cure(tmp_path):
    known = np.where(np.arange(60) < 3, np.nan, np.arange(60) % 5)
    path = source_of(tmp_path, images=IMAGES, x=known)["images"]
    with pytest.raises(RequestError, match=r"'x' is missing for 3 of 60 images, such as row 0; .*skip_bad"):
        ImageFiles(path, factors=["x"])
    assert len(ImageFiles(path, factors=["x"], skip_bad=True).stimuli) == 57


def study_of(path, **changes: object) -> Study:
    known = {
        "source": ImageFiles(path, labels=["kind"], circular={"angle": 360}),
        "network": {"kind": "mlp", "latents": 2, "widths": [8]},
        "likelihood": "gaussian",
        "capacities_nats": [1],
        "recipe": {"steps": 40},
        "bound_points": 4,
    }
    return Study(**{**known, **changes})


def test_a_run_directory_keeps_what_tables_and_figures_need(tmp_path, pets):
    study = study_of(pets)
    for name, content in kept_files(study.source).items():
        (tmp_path / name).write_bytes(content)
    again = stored_study(resolved(study), tmp_path)
    assert again.source == study.source
    ours, theirs = study.settings["model"], again.settings["model"]
    for one in ("measured", "probabilities", "image_counts", "mean_images", "factor_numbers"):
        np.testing.assert_array_equal(getattr(ours, one)(), getattr(theirs, one)())
    with pytest.raises(RequestError, match=r"the source 'pets' is a Python object, or files"):
        again.source.stored.read(np.array([0, 1, 2, 3]))


def test_it_opens_again_in_another_process(pets):
    source = ImageFiles(pets, labels=["kind"], held_out=0.3)
    again = pickle.loads(pickle.dumps(source))  # noqa: S301
    assert again.digest == source.digest
    np.testing.assert_array_equal(again.stored.read(np.arange(5)), source.stored.read(np.arange(5)))


def test_other_images_columns_or_splits_have_other_digests(tmp_path, pets):
    changed = IMAGES.copy()
    changed[11, 0, 0, 0] ^= 1
    np.savez(tmp_path / "changed.npz", images=changed, kind=KINDS, angle=ANGLE, weight=np.ones(60))
    options = [
        {},
        {"labels": ["kind"]},
        {"factors": ["angle"]},
        {"circular": {"angle": 360}},
        {"held_out": 0.3},
    ]
    digests = [ImageFiles(pets, **one).digest for one in options]
    digests.append(ImageFiles(tmp_path / "changed.npz", labels=["kind"]).digest)
    assert len(set(digests)) == len(digests)


def test_streamed_images_train_the_same_parameters(tmp_path, pets, monkeypatch):
    """Held on the device, and read for each piece of training: the same bytes."""
    streams = []

    class Watched(Stream):
        def __init__(self, *arguments, **keywords):
            streams.append(self)
            super().__init__(*arguments, **keywords)

    monkeypatch.setattr("ratewarp.sources.images.Stream", Watched)
    heads = {"readouts": {"model": ["kind"]}}
    held = run(study_of(pets, **heads), tmp_path / "held", report=False)
    assert not streams
    jobs.forget_images()
    monkeypatch.setattr(jobs, "MAX_HELD_BYTES", 1)
    streamed = run(study_of(pets, **heads), tmp_path / "streamed", report=False)
    assert len(streams) == 1  # for the model and for its heads
    for name in ("params.safetensors", "record.nc"):
        for folder in ("conditions", "readouts"):
            (one,), (other,) = (list(r.path.glob(f"{folder}/*/{name}")) for r in (held, streamed))
            assert one.read_bytes() == other.read_bytes()
    for table in ("models", "tasks", "geometry", "bound"):
        assert (held.path / f"tables/{table}.csv").read_bytes() == (
            streamed.path / f"tables/{table}.csv"
        ).read_bytes()


def test_paths_in_a_study_file_are_relative_to_it(tmp_path, pets):
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies/own.npz").write_bytes(pets.read_bytes())
    text = "{source: {images: own.npz, labels: [kind]}, network: mlp, likelihood: gaussian, capacities_nats: [1]}"
    (tmp_path / "studies/mine.yaml").write_text(text)
    study = load_study(tmp_path / "studies/mine.yaml")
    assert study.source == GivenSource(ImageFiles(pets, labels=["kind"])) or study.source.name == "own"
    (tmp_path / "studies/mine.yaml").write_text(text.replace("own.npz", "none.npz"))
    with pytest.raises(RequestError, match=r"none\.npz"):
        load_study(tmp_path / "studies/mine.yaml")


NAMES = st.sampled_from(["kind", "angle", "weight", "knd", "", "images", "a b", "\x1b[31m", "x" * 300])
VALUES = st.none() | st.booleans() | st.integers(-3, 10**9) | st.floats() | NAMES
LISTS = st.lists(VALUES, max_size=3) | VALUES
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        **{key: st.lists(NAMES, max_size=3) | LISTS for key in ("labels", "factors", "covariates", "range")},
        **dict.fromkeys(("held_out", "most_held_out", "skip_bad", "array", "table", "other"), VALUES),
        "circular": st.dictionaries(NAMES, VALUES, max_size=2) | VALUES,
    },
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(OPTIONS)
def test_any_options_give_a_source_or_one_message(pets, options):
    said, source = "", None
    try:
        source = GivenSource(ImageFiles(pets, **options))
    except RequestError as refused:
        said = str(refused)
    assert "\x1b" not in said
    assert len(said) < 1500
    assert source is None or 2 <= len(source.stored.held_out) < 60


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(OPTIONS)
def test_any_source_of_a_study_file_gives_a_study_or_one_message(tmp_path, pets, options):
    """The same as YAML; loading it may only refuse in words."""
    study = {"source": {"images": str(pets), **options}, "network": "mlp", "likelihood": "gaussian"}
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump({**study, "capacities_nats": [1], "bound_points": 0}))
    with suppress(RequestError):
        load_study(file)
