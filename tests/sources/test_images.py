"""Images by stimulus and place: a pool and a stream hold the same, and a model learns the same from both."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratewarp import Study
from ratewarp.sources import Corridors, GivenSource, Pool, Stream, draw_images, draw_pool, make_images
from ratewarp.sources import images as images_module
from stored import run_study
from worlds import Bars, bars

KEY = jax.random.key(3)
CORRIDORS = Corridors(size=3)
COUNTS = np.array([3, 0, 1, 7, 0, 2, 4, 1, 0])
SOURCES = {"corridors": CORRIDORS, "bars": GivenSource(Bars())}


def one_by_one(source, stimulus: int, place: int) -> np.ndarray:
    """The image at a place of a stimulus, drawn alone."""
    key = jax.random.fold_in(jax.random.fold_in(KEY, stimulus), place)
    return np.asarray(source.sample(np.array([stimulus]), keys=key[None]))[0]


@pytest.mark.parametrize("name", SOURCES)
def test_a_pool_is_a_slow_loop_over_stimuli_and_places(name):
    source = SOURCES[name]
    counts = COUNTS[: len(source.stimuli)]
    pool = draw_pool(source, counts, key=KEY)
    places = [(stimulus, place) for stimulus, count in enumerate(counts) for place in range(count)]
    expected = [one_by_one(source, stimulus, place) for stimulus, place in places]
    compare = np.testing.assert_array_equal if name == "corridors" else np.testing.assert_allclose
    compare(pool.images, np.stack(expected))
    assert pool.offsets.tolist() == [sum(counts[:stimulus]) for stimulus in range(len(counts))]
    assert pool.images.dtype == expected[0].dtype


NINE = st.lists(st.integers(0, 4), min_size=9, max_size=9)


@settings(max_examples=15, deadline=None)
@given(NINE, NINE)
def test_a_larger_pool_begins_with_the_smaller_of_every_stimulus(counts, more):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(images_module, "_BLOCK", 4)  # few programs, whatever the counts
        small, large = (draw_pool(CORRIDORS, np.array(c), key=KEY) for c in (counts, np.add(counts, more)))
    for stimulus, count in enumerate(counts):
        ours, theirs = (np.asarray(pool.images)[pool.offsets[stimulus] :][:count] for pool in (small, large))
        np.testing.assert_array_equal(ours, theirs)


def test_more_images_than_are_drawn_at_once_are_the_same(monkeypatch):
    stimuli, places = np.arange(50) % 9, np.arange(50) // 9
    whole = draw_images(CORRIDORS, stimuli, places, key=KEY)
    monkeypatch.setattr(images_module, "_BLOCK", 16)
    np.testing.assert_array_equal(draw_images(CORRIDORS, stimuli, places, key=KEY), whole)
    assert len(np.unique(whole, axis=0)) > 9


def test_another_key_stimulus_or_place_gives_another_image():
    source = GivenSource(bars(noise=1.0))
    noise = []
    for stimulus, place, seed in [(0, 0, 1), (0, 1, 1), (1, 0, 1), (0, 0, 2)]:
        image = draw_images(source, np.array([stimulus]), np.array([place]), key=jax.random.key(seed))
        noise.append(image - source.mean_images()[stimulus])
    for i in range(len(noise)):
        for j in range(i):
            assert np.abs(noise[i] - noise[j]).max() > 0.1


def test_no_images_are_an_empty_array():
    none = np.zeros(0, int)
    assert draw_images(CORRIDORS, none, none, key=KEY).shape == (0, 3, 3, 1)


BYTES = {"corridors": 9 * COUNTS.sum(), "bars": 6 * 4 * COUNTS[:6].sum()}


@pytest.mark.parametrize("name", SOURCES)
def test_a_pool_is_made_where_there_is_room_for_its_bytes(name):
    source = SOURCES[name]
    counts = COUNTS[: len(source.stimuli)]
    assert isinstance(make_images(source, counts, key=KEY, most_bytes=int(BYTES[name])), Pool)
    assert isinstance(make_images(source, counts, key=KEY, most_bytes=int(BYTES[name]) - 1), Stream)


@pytest.mark.parametrize("lengths", [[5], [4, 4, 2], [1, 1, 3], [6, 1]])
def test_a_stream_has_the_images_of_a_pool_ahead_of_every_piece(lengths):
    rng = np.random.default_rng(0)
    counts = np.full(9, 8)
    pool, stream = draw_pool(CORRIDORS, counts, key=KEY), Stream(CORRIDORS, key=KEY)
    starts = [sum(lengths[:piece]) for piece in range(len(lengths))]
    shape = {start: (2, length, 3) for start, length in zip(starts, lengths, strict=True)}
    chosen = {start: (rng.integers(0, 9, shape[start]), rng.integers(0, 8, shape[start])) for start in starts}
    asked: list[int] = []

    def choose(start: int):
        asked.append(start)
        return tuple(map(jax.numpy.asarray, chosen[start]))

    pieces = list(zip(starts, stream.ahead(starts, choose), pool.ahead(starts, choose), strict=True))
    assert asked == starts
    assert len(pieces) == len(lengths)
    for start, ahead, nothing in pieces:
        for member in range(2):
            for step in range(shape[start][1]):
                stimuli, places = (every[member, step] for every in chosen[start])
                streamed = stream.reader.batch(ahead[member], step, stimuli, places)
                np.testing.assert_array_equal(streamed, pool.reader.batch(nothing, step, stimuli, places))


def test_what_goes_wrong_while_images_are_drawn_ahead_is_not_lost():
    def choose(start: int):
        if start:
            raise RuntimeError("out of images")
        return (np.zeros((1, 1, 1), int),) * 2

    pieces = Stream(CORRIDORS, key=KEY).ahead([0, 1], choose)
    next(pieces)
    with pytest.raises(RuntimeError, match="out of images"):
        next(pieces)


def test_the_first_images_of_a_stimulus():
    counts = np.array([2, 4, 3, 1, 1, 1, 1, 1, 5])
    pool, stream = draw_pool(CORRIDORS, counts, key=KEY), Stream(CORRIDORS, key=KEY)
    for stimulus, count in [(0, 2), (1, 3), (8, 5)]:
        expected = [one_by_one(CORRIDORS, stimulus, place) for place in range(count)]
        for images in (pool, stream):
            found = images.first_of(np.array([stimulus, 7]), count)
            np.testing.assert_array_equal(found[0], expected)
            np.testing.assert_array_equal(found[1, 0], one_by_one(CORRIDORS, 7, 0))
    assert pool.first_of(np.array([8]), 9).shape == (1, 9, 3, 3, 1)


def test_a_stream_draws_fewer_steps_ahead_where_images_are_large():
    corridors, large = Stream(CORRIDORS, key=KEY), Stream(Corridors(size=64), key=KEY)
    assert corridors.steps(100, 64) == 100
    assert large.steps(100, 640) == 64_000_000 // (64 * 64 * 640)
    assert large.steps(100, 10**6) == 1
    assert draw_pool(CORRIDORS, COUNTS, key=KEY).steps(100, 10**9) == 100


def files_of(run) -> dict[str, bytes]:
    """Parameters of every condition, and all tables."""
    kept = [*run.path.glob("conditions/*/params.safetensors"), *run.path.glob("tables/*.csv")]
    return {str(file.relative_to(run.path)): file.read_bytes() for file in kept}


def test_a_model_trained_on_a_stream_is_the_one_trained_on_a_pool(tmp_path, monkeypatch):
    study = Study(
        source={"kind": "corridors", "size": 5},
        network={"kind": "mlp", "latents": 2, "widths": [8]},
        recipe={"steps": 25},
        training_images=500,
        validation_each=3,
        codes_each=2,
        models={"baseline": {}, "skewed": {"frequency": "0 if x_UC == 2 else x_LC + 1"}},
        capacities_nats=[0.3, 2],
        readouts={"baseline": ["E2M1"]},
        bound_points=0,
    )
    pooled = files_of(run_study(study, tmp_path / "pool"))
    streams: list[Stream] = []

    def counted(*arguments, **keywords):
        streams.append(Stream(*arguments, **keywords))
        return streams[-1]

    monkeypatch.setattr("ratewarp.runs.jobs.MAX_POOL_BYTES", 0)
    monkeypatch.setattr(images_module, "Stream", counted)
    monkeypatch.setattr(images_module, "_AHEAD_BYTES", 25 * 64 * 2 * 10)
    streamed = files_of(run_study(study, tmp_path / "stream"))
    assert len(streams) == 1
    assert streams[0].steps(100, 128) == 10
    assert len([name for name in pooled if name.startswith("conditions")]) == 4
    assert pooled == streamed
