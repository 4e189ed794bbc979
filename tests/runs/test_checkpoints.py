from __future__ import annotations

import json
import os
import random
import shutil

import numpy as np
import pytest
from safetensors.numpy import load, save

from ratewarp._checks import RatewarpError
from ratewarp.runs.checkpoints import (
    Stand,
    UnusableError,
    choose,
    find_checkpoints,
    read_checkpoint,
    remove_all_checkpoints,
    write_checkpoint,
)

ARRAYS = {
    "state.weight": np.arange(12, dtype=np.float32).reshape(2, 3, 2),
    "state.count": np.array([7, 9], np.int32),
    "none": np.zeros((2, 4, 0)),
}


def _stand(step=100, wave="aa11", conditions=("one", "two"), group="g"):
    return Stand(wave, group, conditions, step)


def _write(folder, *steps, **changes):
    file = None
    for step in steps:
        file = write_checkpoint(folder, _stand(step, **changes), ARRAYS, file)
    return file


def test_a_checkpoint_is_read_back_as_written(tmp_path):
    file = _write(tmp_path, 1200)
    assert file == tmp_path / "aa11" / "1200.safetensors"
    stand, arrays = read_checkpoint(file)
    assert stand == _stand(1200)
    assert arrays.keys() == ARRAYS.keys()
    assert all(
        np.array_equal(arrays[name], array) and arrays[name].dtype == array.dtype
        for name, array in ARRAYS.items()
    )


def test_the_newest_two_are_kept(tmp_path):
    _write(tmp_path, 900, 1000, 1100)
    assert {f.name for f in (tmp_path / "aa11").iterdir()} == {"1000.safetensors", "1100.safetensors"}
    (tmp_path / "aa11" / "notes.txt").write_text("mine")
    remove_all_checkpoints(tmp_path)
    assert [f.name for f in tmp_path.rglob("*.*")] == ["notes.txt"]


def test_any_changed_byte_is_noticed(tmp_path):
    file = _write(tmp_path, 100)
    good, rng = file.read_bytes(), random.Random(0)
    for place in range(len(good)):
        changed = bytearray(good)
        changed[place] ^= rng.choice([1 << bit for bit in range(8)] + [rng.randrange(1, 256)])
        file.write_bytes(changed)
        with pytest.raises(UnusableError):
            read_checkpoint(file)
    file.write_bytes(good)
    read_checkpoint(file)


def test_any_missing_or_further_end_is_noticed(tmp_path):
    file = _write(tmp_path, 100)
    good = file.read_bytes()
    for content in (*(good[:length] for length in range(len(good))), good + b"\0", good + good):
        file.write_bytes(content)
        with pytest.raises(UnusableError):
            read_checkpoint(file)


def _foreign(**changes):
    metadata = {"format": "ratewarp-checkpoint", "version": "1", "sha256": "0" * 64, **changes}
    return save({"a": np.zeros(2)}, metadata)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "ends within its header"),
        (b"hello", "ends within its header"),
        (b"\x40" + b"\0" * 7 + b"[" * 64, "header cannot be read"),
        (b"\x02" + b"\0" * 7 + b"{}", "header cannot be read"),
        ((1 << 17).to_bytes(8, "little") + b"[" * (1 << 17), "header cannot be read"),
        (_foreign(format="other"), "not a checkpoint of ratewarp"),
        (_foreign(version="2"), "format version 2; this ratewarp reads version 1"),
        (_foreign(sha256="x"), "do not match its hash"),
        (_foreign(), "do not match its hash"),
        (save({"a": np.zeros(2)}), "header cannot be read"),
    ],
)
def test_other_files_are_told_from_checkpoints(tmp_path, content, reason):
    file = _write(tmp_path, 100)
    file.write_bytes(content)
    with pytest.raises(UnusableError, match=reason) as caught:
        read_checkpoint(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "make", [lambda file: file.mkdir(), os.mkfifo, lambda file: file.symlink_to("/dev/zero")]
)
def test_what_is_no_file_is_named_and_not_read(tmp_path, make):
    file = tmp_path / "aa11" / "100.safetensors"
    file.parent.mkdir()
    make(file)
    assert find_checkpoints(tmp_path).unusable == {file: "is damaged: it is not a regular file"}


def test_a_missing_file_is_named(tmp_path):
    file = tmp_path / "aa11" / "100.safetensors"
    file.parent.mkdir()
    file.symlink_to(tmp_path / "nowhere")
    assert "No such file" in find_checkpoints(tmp_path).unusable[file]


def test_a_sound_file_of_something_else_is_not_used(tmp_path):
    other = _write(tmp_path / "other", 100, wave="bb22")
    own = _write(tmp_path, 100)
    shutil.copy(other, own)
    with pytest.raises(UnusableError, match="is of another wave or study: bb22, step 100"):
        read_checkpoint(own)
    renamed = _write(tmp_path, 200).rename(tmp_path / "aa11" / "300.safetensors")
    with pytest.raises(UnusableError, match="aa11, step 200"):
        read_checkpoint(renamed)


@pytest.mark.parametrize(
    ("stand", "reason"),
    [
        (_stand(-1), "no training has -1 steps"),
        (_stand(conditions=("one", "one")), "a condition must stand in it once"),
        (_stand(conditions=()), "a condition must stand in it once"),
    ],
)
def test_what_no_training_writes_is_not_used(tmp_path, stand, reason):
    arrays = {name: array[: len(stand.conditions)] for name, array in ARRAYS.items()}
    with pytest.raises(UnusableError, match=reason):
        read_checkpoint(write_checkpoint(tmp_path, stand, arrays, None))


@pytest.mark.parametrize("link", ["checkpoints", "checkpoints/aa11"])
def test_nothing_is_written_or_removed_through_a_link(tmp_path, link):
    outside = tmp_path / "outside"
    _write(outside, 100) if link == "checkpoints" else _write(tmp_path, 100).parent.rename(outside)
    before = {f: f.read_bytes() for f in outside.rglob("*.*")}
    (tmp_path / link).parent.mkdir(exist_ok=True)
    (tmp_path / link).symlink_to(outside)
    for act in (
        lambda: _write(tmp_path / "checkpoints", 200),
        lambda: remove_all_checkpoints(tmp_path / "checkpoints"),
    ):
        with pytest.raises(RatewarpError, match=rf"{link} is a symbolic link"):
            act()
    assert {f: f.read_bytes() for f in outside.rglob("*.*")} == before
    assert len(before) == 1


def test_choice_of_a_checkpoint(tmp_path):
    assert choose(find_checkpoints(tmp_path), "aa11", "g", ["one"]) is None
    _write(tmp_path, 100, 200)
    _write(tmp_path, 900, wave="bb22", conditions=("two", "three"))
    _write(tmp_path, 900, wave="cc33", group="other")
    found = find_checkpoints(tmp_path)
    assert choose(found, "aa11", "g", ["one", "two"]) == tmp_path / "aa11" / "200.safetensors"
    # of another wave, holds all that is needed
    assert choose(found, "dd44", "g", ["one"]) == tmp_path / "aa11" / "200.safetensors"
    assert choose(found, "dd44", "g", ["three"]) == tmp_path / "bb22" / "900.safetensors"
    assert choose(found, "dd44", "g", ["one", "three"]) is None  # not at the same step


def test_the_one_before_is_used_when_the_newest_is_damaged(tmp_path):
    newest = _write(tmp_path, 100, 200)
    newest.write_bytes(newest.read_bytes()[:-1])
    found = find_checkpoints(tmp_path)
    assert list(found.unusable) == [newest]
    assert choose(found, "aa11", "g", ["one"]) == tmp_path / "aa11" / "100.safetensors"
    # two sound ones again
    write_checkpoint(tmp_path, _stand(150), ARRAYS, tmp_path / "aa11" / "100.safetensors")
    assert {f.name for f in (tmp_path / "aa11").iterdir()} == {"100.safetensors", "150.safetensors"}


def test_without_any_sound_one_the_user_is_told_what_to_do(tmp_path):
    _write(tmp_path, 100, 200)
    for file in (tmp_path / "aa11").iterdir():
        file.write_bytes(b"")
    with pytest.raises(RatewarpError) as caught:
        choose(find_checkpoints(tmp_path), "aa11", "g", ["one", "two"])
    for part in (
        "100.safetensors is truncated",
        "200.safetensors is truncated",
        "finished conditions are intact",
        f"remove {tmp_path / 'aa11'}",
    ):
        assert part in str(caught.value)


@pytest.mark.parametrize("call", ["fsync", "replace", "mkdir", "open"])
@pytest.mark.parametrize(
    ("number", "text"),
    [(28, "No space left on device"), (30, "Read-only file system"), (13, "Permission denied")],
)
def test_a_failed_write_leaves_the_one_before(tmp_path, monkeypatch, call, number, text):
    wave = "new" if call == "mkdir" else "aa11"
    before = _write(tmp_path, 100, 200)

    def refuse(*_, **__):
        raise OSError(number, text)

    with monkeypatch.context() as patch:
        patch.setattr(f"os.{call}" if call in ("fsync", "replace") else f"pathlib.Path.{call}", refuse)
        with pytest.raises(
            RatewarpError,
            match=rf"cannot write .*300\.safetensors: {text}; the finished conditions and .* are intact",
        ):
            write_checkpoint(tmp_path, _stand(300, wave=wave), ARRAYS, before)
    assert {f.name for f in (tmp_path / "aa11").iterdir()} == {"100.safetensors", "200.safetensors"}
    assert find_checkpoints(tmp_path).unusable == {}


def test_metadata_are_plain(tmp_path):
    content = _write(tmp_path, 100).read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
    assert header.keys() == {
        "format",
        "version",
        "wave",
        "group",
        "conditions",
        "step",
        "processors",
        "sha256",
    }
    assert load(content).keys() == ARRAYS.keys()  # any reader of safetensors can open it
