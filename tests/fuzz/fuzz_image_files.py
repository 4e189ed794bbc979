"""Hostile images, tables and requests for `ratewarp inspect`. How to run it: see `fuzz.harness`."""

from __future__ import annotations

import os
import random
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from fuzz.harness import Case, run_from_command_line
from fuzz.hostile_files import NAMES, damage, odd_world, special_file, write_file

SUFFIXES = (".png", ".png", ".jpg", ".tif", ".tiff", ".jpeg")
MODES = (
    "L",
    "L",
    "RGB",
    "RGB",
    "1",
    "P",
    "RGBA",
    "LA",
    "I;16",
    "I",
    "F",
    "CMYK",
    "YCbCr",
    "PA",
    "LAB",
    "HSV",
)
WORDS = ("file", "label", "x", "\x1b[31m", "", "class")
CELLS = ("", "nan", "inf", "x", "\x1b[2J", "9" * 400, "a.png", "../canary", "1e999", '"', "é", "NA", "True")


def prepare() -> None:
    """Imports what `inspect` needs."""
    import h5py  # noqa: F401
    import xarray  # noqa: F401

    import ratewarp.cli
    import ratewarp.report.contact_sheet
    import ratewarp.sources.image_files.inspection
    import ratewarp.studies.starter  # noqa: F401


def make_case(rng: random.Random, folder: Path) -> Case:
    """A file or folder of images, sometimes a table, and options that may name what is not there."""
    data, count, label = _folder(rng, folder) if rng.random() < 0.5 else _file(rng, folder)
    arguments = ["inspect", data]
    if rng.random() < 0.3:
        arguments += ["--table", _table(rng, folder, data, count)]
        label += ", table"
    if rng.random() < 0.5:
        arguments.append("--skip-bad")
    if rng.random() < 0.15:
        arguments.append(f"--images={rng.choice((*NAMES, 'images', 'images', 'x' * 5000))}")
    if rng.random() < 0.2:
        arguments.append(f"--sample={rng.choice(('1', '3', '3', '3', '0', '-1', '9' * 30))}")
    if rng.random() < 0.3:
        odd = rng.choice(("x" * 300 + ".png", "none/out.png", data))
        arguments += ["--sheet", odd if rng.random() < 0.1 else "out.png"]
    if rng.random() < 0.5:
        odd = rng.choice(("none/out.yaml", "out.\x1b[1m", data))
        arguments += ["--study", odd if rng.random() < 0.1 else "out.yaml"]
    if rng.random() < 0.3:
        arguments.append("--json")
    return Case(label, tuple(arguments))


def _file(rng: random.Random, folder: Path) -> tuple[str, int, str]:
    """One file of arrays; how many images it should have."""
    count = rng.choice((1, 2, 5, 20))
    if rng.random() < 0.1:
        path, label = special_file(rng, folder, "own")
        return path.name, count, label
    arrays = _world(rng, count)
    odd = rng.random() < 0.4
    path, label = write_file(rng, folder, "own", odd_world(rng, arrays) if odd else arrays)
    for _ in range(3):
        if path.suffix == ".mat" and rng.random() < 0.9:  # which is no format of images
            path.unlink()
            path, label = write_file(rng, folder, "own", arrays)
    if rng.random() < 0.4:
        label += f" {damage(rng, path)}"
    return path.name, count, label


def _world(rng: random.Random, count: int) -> dict[str, np.ndarray]:
    """Images, and what describes them."""
    draw = np.random.default_rng(rng.getrandbits(32))
    side = rng.choice((8, 8, 9, 16, 128))
    shape = rng.choice(
        (
            (side, side),
            (side, side),
            (side, side, 1),
            (side, 10, 3),
            (side, side, 4),
            (side,),
            (3, side, side),
        )
    )
    dtype = rng.choice(("u1", "u1", "?", "u2", "f4", "f8", "i8", "f2", ">f4", "i1"))
    images = (draw.random((count, *shape)) * rng.choice((1, 2, 255))).astype(dtype)
    if rng.random() < 0.1 and images.dtype.kind == "f":
        images[0] = rng.choice((np.nan, np.inf, 1e30))
    world = {
        rng.choice(("images", "images", "x", "data")): images,
        "label": np.array(["a", "b"])[np.arange(count) % 2],
        "angle": np.arange(count) // 2 * 0.5,
        "class": np.arange(count) % 3,
    }
    return {name: array for name, array in world.items() if array is images or rng.random() < 0.6}


def _folder(rng: random.Random, folder: Path) -> tuple[str, int, str]:
    """A folder of pictures, most of them alike."""
    place = folder / "own"
    place.mkdir()
    mode, suffix, size = rng.choice(MODES), rng.choice(SUFFIXES), rng.choice(((8, 8), (12, 9), (128, 128)))
    count, done = rng.choice((1, 3, 8, 70)), []
    odd = rng.choice((0, 0, 0.3, 1))
    for number in range(count):
        above = place / rng.choice((".", "a", "b", "a/deep")) if rng.random() < 0.8 else place
        above.mkdir(parents=True, exist_ok=True)
        path = above / f"{number}{suffix}"
        _picture(rng, path, mode, size)
        if rng.random() < odd:
            done.append(rng.choice(ODD)(rng, path))
    return "own", count, f"folder of {count} {mode} {suffix} {' '.join(done[:3])}"


def _picture(rng: random.Random, path: Path, mode: str, size: tuple[int, int]) -> None:
    draw = np.random.default_rng(rng.getrandbits(32))
    colours = draw.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    if mode == "I;16":
        image = Image.fromarray(colours[..., 0].astype(np.uint16) * 200)
    elif mode in ("I", "F"):
        image = Image.fromarray(colours[..., 0].astype(np.int32 if mode == "I" else np.float32))
    else:
        image = Image.fromarray(colours)
        image = image.quantize(16).convert("PA") if mode == "PA" else image
        image = image if mode == "PA" else image.convert("RGB").convert(mode) if mode != "LAB" else image
    options = {}
    if rng.random() < 0.2:
        exif = Image.Exif()
        exif[0x0112] = rng.choice((1, 3, 6, 8, 99))
        options["exif"] = exif
    for kind in (None, "PNG", "TIFF"):  # what holds every mode
        try:
            image.save(path, format=kind, **options)
            return
        except (OSError, ValueError, TypeError, SystemError):
            continue
    Image.fromarray(colours).save(path, format="PNG")


def _damaged(rng: random.Random, path: Path) -> str:
    return damage(rng, path)


def _mended(rng: random.Random, path: Path) -> str:
    """A PNG with changed bytes whose sums are right again, so that what is behind them is reached."""
    data = bytearray(path.read_bytes())
    place = 8
    if not data.startswith(b"\x89PNG"):
        return damage(rng, path)
    while place + 12 <= len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        if place + 12 + size > len(data):
            break
        if size and rng.random() < 0.5:
            data[place + 8 + rng.randrange(size)] = rng.randrange(256)
        total = zlib.crc32(data[place + 4 : place + 8 + size])
        data[place + 8 + size : place + 12 + size] = total.to_bytes(4, "big")
        place += 12 + size
    path.write_bytes(bytes(data))
    return "mended"


def _other_kind(rng: random.Random, path: Path) -> str:
    mode, size = rng.choice(MODES), rng.choice(((8, 8), (9, 9), (4, 4), (300, 8)))
    path.unlink()
    _picture(rng, path, mode, size)
    return f"{mode} {size}"


def _text(rng: random.Random, path: Path) -> str:
    path.write_bytes(
        rng.choice((b"", b"text", b"%!PS-Adobe", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"II*\0" + bytes(9)))
    )
    return "text"


def _link(rng: random.Random, path: Path) -> str:
    path.unlink()
    path.symlink_to(
        rng.choice((path.name, "nowhere", ".", "/", "/dev/zero", "../../canary", "0.png", "/etc/passwd"))
    )
    return "link"


def _pipe(rng: random.Random, path: Path) -> str:
    path.unlink()
    os.mkfifo(path)
    return "pipe"


def _renamed(rng: random.Random, path: Path) -> str:
    name = rng.choice(
        ("\x1b[31m.png", "\u202e.jpg", "é.tif", "a b,c.png", "\udcff.png", ".png", "x" * 200 + ".png")
    )
    path.rename(path.with_name(name))
    return "renamed"


def _bomb(rng: random.Random, path: Path) -> str:
    """A picture that says it is large; or one with much behind a little."""
    side = rng.choice((129, 20_000, 2**31 - 1))
    head = side.to_bytes(4, "big") * 2 + bytes((8, 0, 0, 0, 0))
    packed = zlib.compress(bytes(10**7))
    kind = rng.choice((b"IDAT", b"zTXt", b"iCCP"))
    body = packed if kind == b"IDAT" else b"a\0\0" + packed
    chunks = ((b"IHDR", head), (kind, body), (b"IDAT", packed), (b"IEND", b""))
    data = [b"\x89PNG\r\n\x1a\n"]
    for name, content in chunks:
        data += [
            len(content).to_bytes(4, "big"),
            name,
            content,
            zlib.crc32(name + content).to_bytes(4, "big"),
        ]
    path.write_bytes(b"".join(data))
    return "bomb"


ODD: tuple[Callable[[random.Random, Path], str], ...] = (
    _damaged,
    _damaged,
    _mended,
    _mended,
    _other_kind,
    _text,
    _link,
    _pipe,
    _renamed,
    _bomb,
)


def _table(rng: random.Random, folder: Path, data: str, count: int) -> str:
    """A table beside the images, which may fit."""
    if rng.random() < 0.1:
        return special_file(rng, folder, "table")[0].name
    place = folder / data
    inside = place.rglob("*.*") if place.is_dir() and not place.is_symlink() else []  # a link may lead to /
    files = [path.relative_to(place).as_posix() for path in inside]
    names = files or [f"{number}.png" for number in range(count)]
    rows = [
        [name.encode("utf-8", "replace").decode(), number % 2, number * 0.5]
        for number, name in enumerate(names)
    ]
    head = ["file", "label_2", "x"]
    for _ in range(rng.choice((0, 0, 1, 3))):
        if rng.random() < 0.3:
            head[rng.randrange(3)] = rng.choice(WORDS)
        elif rows:
            rows[rng.randrange(len(rows))][rng.randrange(3)] = rng.choice(CELLS)
    if rng.random() < 0.2 and rows:
        rows.append(rng.choice(rows))
    path = folder / rng.choice(("table.csv", "table.csv", "table.csv", "table.tsv", "table.parquet", "table"))
    mark = "\t" if path.suffix == ".tsv" else ","
    path.write_text("\n".join(mark.join(map(str, row)) for row in [head, *rows]), encoding="utf-8")
    if rng.random() < 0.2:
        damage(rng, path)
    return path.name


if __name__ == "__main__":
    run_from_command_line("fuzz.fuzz_image_files")
