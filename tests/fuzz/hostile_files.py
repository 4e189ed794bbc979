"""Files of arrays, good and bad: every format that can be read, odd arrays, damaged bytes, bombs, links and
devices.
"""

from __future__ import annotations

import io
import os
import random
import shutil
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import xarray as xr
from scipy.io import savemat

Arrays = Mapping[str, np.ndarray]

NAMES = (
    "a,b",
    "a:b",
    "\x1b[31mred",
    "\u202eolleh",
    "é",
    "x" * 300,
    "",
    " ",
    "codes ",
    "*",
    "../up",
    "a/b",
    "#",
    "$x^",
    "0",
    "nan",
    "\x07",
)
DTYPES = (
    "f2",
    "f4",
    "f8",
    "i1",
    "i8",
    "u8",
    "?",
    "c16",
    "U3",
    "S4",
    "M8[D]",
    "m8[s]",
    "O",
    "V3",
    ">f8",
    ">i4",
    "g",
)


def odd_array(rng: random.Random, like: np.ndarray) -> np.ndarray:
    """An array that does not fit where `like` did."""
    draw = np.random.default_rng(rng.getrandbits(32))
    choices: list[Callable[[], np.ndarray]] = [
        lambda: np.array(1.5),
        lambda: np.zeros((0,)),
        lambda: np.zeros((0, 0)),
        lambda: np.zeros((len(like), 0)),
        lambda: np.zeros((0, 3)),
        lambda: np.asarray(like)[..., None],
        lambda: np.asarray(like)[: len(like) // 2],
        lambda: np.asarray(like)[:1],
        lambda: np.stack([np.asarray(like)] * 2, axis=-1),
        lambda: np.asarray(like).T,
        lambda: np.full(like.shape, np.nan),
        lambda: np.full(like.shape, np.inf),
        lambda: np.zeros(like.shape),
        lambda: np.full(like.shape, 1e308),
        lambda: np.full(like.shape, 1e-320),
        lambda: np.full(like.shape, 2**63, "u8"),
        lambda: draw.integers(-(2**62), 2**62, like.shape),
        lambda: np.full(like.shape, ""),
        lambda: np.full(like.shape, "\x1b[2J\u202e"),
        lambda: np.full(like.shape, "y" * 500),
        lambda: np.full(like.shape, b"\xff\xfe"),
        lambda: np.full(like.shape, 3 + 4j),
        lambda: np.where(np.arange(like.size).reshape(like.shape) % 5 == 0, np.nan, 1.0),
        lambda: draw.standard_normal((2, 3, 4)),
        lambda: _cast(draw.integers(0, 3, like.shape), rng.choice(DTYPES)),
        lambda: np.zeros(like.shape, [("a", "f8"), ("b", "i4")]),
        lambda: np.array([[1, "a"], None, {"b": 1}], dtype=object),
    ]
    return rng.choice(choices)()


def _cast(array: np.ndarray, dtype: str) -> np.ndarray:
    return np.zeros(array.shape, dtype) if dtype.startswith("V") else array.astype(dtype)


def odd_world(rng: random.Random, arrays: Arrays) -> dict[str, np.ndarray]:
    """`arrays` with some of them replaced, left out, renamed or added."""
    found = dict(arrays)
    for _ in range(rng.choice((0, 0, 1, 1, 2, 3))):
        name = rng.choice(sorted(found) or ["codes"])
        what = rng.randrange(4)
        if what == 0:
            found[rng.choice(NAMES)] = found.pop(name, np.ones(3))
        elif what == 1:
            found.pop(name, None)
        else:
            found[name] = odd_array(rng, found.get(name, np.ones((6, 2))))
    return found


def _write_npz(rng: random.Random, path: Path, arrays: Arrays) -> None:
    save = rng.choice((np.savez, np.savez_compressed))
    with path.open("wb") as stream:
        save(stream, **{name or "_": value for name, value in arrays.items() if name != "file"})


def _write_npy(rng: random.Random, path: Path, arrays: Arrays) -> None:
    np.save(path, rng.choice(list(arrays.values()) or [np.ones(2)]))


def _write_csv(rng: random.Random, path: Path, arrays: Arrays) -> None:
    columns: dict[str, Any] = {}
    for name, array in arrays.items():
        flat = np.atleast_1d(array).reshape(len(np.atleast_1d(array)), -1)
        columns |= {
            f"{name}{number}" if flat.shape[1] > 1 else name: list(flat[:, number])
            for number in range(flat.shape[1])
        }
    table = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})
    table.to_csv(
        path,
        index=rng.random() < 0.2,
        sep="\t" if path.suffix == ".tsv" else ",",
        encoding=rng.choice(("utf-8", "utf-16")[:1] * 9 + ("utf-16",)),
    )


def _write_h5(rng: random.Random, path: Path, arrays: Arrays) -> None:
    with h5py.File(path, "w", userblock_size=512 if path.suffix == ".mat" else 0) as file:
        for name, array in arrays.items():
            values = array.astype(object) if array.dtype.kind == "U" else array
            if array.dtype.kind == "O":
                values = np.array([str(one) for one in array.ravel()], dtype=object)
            dataset = file.create_dataset(
                name.replace("/", "_").replace(".", "_") or "_",
                data=values.T if path.suffix == ".mat" else values,
            )
            if rng.random() < 0.3:
                dataset.attrs["MATLAB_class"] = np.bytes_(
                    rng.choice(("char", "cell", "struct", "double", "\x1b[1m"))
                )
        if rng.random() < 0.2:
            file["loop"] = file["/"]
        if rng.random() < 0.2:
            file["soft"] = h5py.SoftLink("/nowhere")
        if path.suffix == ".mat" and rng.random() < 0.4:
            _write_structs(rng, file)
    if path.suffix == ".mat":
        with path.open("r+b") as stream:
            stream.write(b"MATLAB 7.3 MAT-file".ljust(124) + struct.pack("<H", 0x0200) + b"IM")


def _write_structs(rng: random.Random, file: Any) -> None:
    """An array of structs as MATLAB 7.3 has it, sound or with references to what is no field."""
    elements = rng.choice((1, 3, 3, 20))
    for place in range(elements):
        matrix = np.random.default_rng(place).random((6, 6))
        file[f"#refs#/{place}"] = (matrix + matrix.T) * (1 - np.eye(6))
        kind = rng.choice(("double",) * 30 + ("char", "cell", "struct", ""))
        file[f"#refs#/{place}"].attrs["MATLAB_class"] = np.bytes_(kind)
    group = file.create_group("RDMs")
    group.attrs["MATLAB_class"] = np.bytes_("struct")
    wrong = rng.choice((None,) * 5 + (file["RDMs"].ref, file["#refs#"].ref, h5py.Reference()))
    references = [[file[f"#refs#/{place}"].ref] for place in range(elements)]
    if wrong is not None:
        references[-1] = [wrong]
    times = rng.choice((1, 1, 1, 2000))  # the same matrix many times over
    group["RDM"] = np.array(references * times, h5py.ref_dtype)
    group["size"] = np.ones((6, 6))
    if rng.random() < 0.5:
        group["size"].attrs["MATLAB_class"] = np.bytes_(rng.choice(("double", "char", "cell")))


def _write_mat(rng: random.Random, path: Path, arrays: Arrays) -> None:
    kind = rng.choice(("4", "5", "5", "7.3"))
    if kind == "7.3":
        _write_h5(rng, path, arrays)
        return
    values: dict[str, Any] = {
        f"v{place}" if not name.isidentifier() else name[:31]: array
        for place, (name, array) in enumerate(arrays.items())
    }
    if kind == "5" and rng.random() < 0.3:
        name = rng.choice(sorted(values) or ["codes"])
        values[name] = rng.choice(
            (
                {"a": 1.0, "b": "text"},
                _structs(rng),
                {"deep": {"deeper": {"deepest": {"RDM": np.eye(3)}}}, "RDM": 1 - np.eye(3)},
                np.array([{"a": 1}], dtype=object),
                np.array(["x", 1.0, None], dtype=object),
                ["p", "q"],
            )
        )
    if kind == "4":
        values = {
            name: np.atleast_2d(value.real if value.dtype.kind == "c" else value)
            for name, value in values.items()
            if value.ndim <= 2
        }
    savemat(path, values, format=kind, do_compression=kind == "5" and rng.random() < 0.5)


def _structs(rng: random.Random) -> np.ndarray:
    """An array of structs, in which one may be unlike the others."""
    shape = rng.choice(((1, 1), (1, 3), (2, 2), (0, 1), (1, 12_000)))
    structs = np.zeros(shape, dtype=[("RDM", object), ("name", object), ("note", object)])
    for place, one in enumerate(structs.ravel()):
        one["RDM"], one["name"] = 1 - np.eye(4), f"s{place}"
        one["note"] = rng.choice((1.0, "x", np.zeros((0, 0)), np.array([1, "a"], dtype=object)))
    if structs.size and rng.random() < 0.5:
        structs.ravel()[-1]["RDM"] = rng.choice(
            (np.zeros((0, 0)), np.eye(3), "none", np.full((4, 4), np.nan))
        )
    return structs


def _write_nc(rng: random.Random, path: Path, arrays: Arrays) -> None:
    data = {}
    for place, (name, array) in enumerate(arrays.items()):
        values = array.astype(str) if array.dtype.kind in "OS" else array
        data[name or "_"] = (tuple(f"d{place}_{axis}" for axis in range(values.ndim)), values)
    dataset = xr.Dataset(data)
    if rng.random() < 0.3:
        for variable in dataset.variables.values():
            variable.attrs["units"] = rng.choice(
                ("days since 2000-01-01", "days since \x1b[31m", "seconds", "bananas since 9999999")
            )
    dataset.to_netcdf(path, engine="h5netcdf")


WRITERS: dict[str, Callable[[random.Random, Path, Arrays], None]] = {
    ".npz": _write_npz,
    ".npy": _write_npy,
    ".csv": _write_csv,
    ".tsv": _write_csv,
    ".h5": _write_h5,
    ".mat": _write_mat,
    ".nc": _write_nc,
}


def write_file(rng: random.Random, folder: Path, stem: str, arrays: Arrays) -> tuple[Path, str]:
    """A file of some format; arrays that a format cannot hold are left out. What was done, in words."""
    suffix = rng.choice((*WRITERS, ".npz", ".mat", ".h5"))
    path = folder / f"{stem}{suffix}"
    kept = dict(arrays)
    while True:
        try:
            WRITERS[suffix](rng, path, kept)
            return path, suffix
        except Exception:
            path.unlink(missing_ok=True)
            if not kept:
                path.write_bytes(b"")
                return path, f"{suffix} empty"
            kept.pop(rng.choice(sorted(kept)))


def damage(rng: random.Random, path: Path) -> str:
    """Changes bytes of a file; what was done, in words."""
    data = bytearray(path.read_bytes())
    if not data:
        return "empty"
    what = rng.choice(("flip", "flip", "flip", "truncate", "huge", "swap", "repeat", "noise"))
    early = rng.random() < 0.6
    reach = min(len(data), 600) if early else len(data)
    if what == "flip":
        for _ in range(rng.choice((1, 1, 2, 4, 16))):
            data[rng.randrange(reach)] ^= 1 << rng.randrange(8)
    elif what == "truncate":
        del data[rng.randrange(len(data)) :]
    elif what == "huge":
        place = rng.randrange(reach)
        number = rng.choice((2**31 - 1, 2**32 - 1, 2**63 - 1, 2**40, 0x7FFFFFF0, 10**9))
        data[place : place + 8] = struct.pack("<Q", number)
    elif what == "swap":
        a, b = rng.randrange(reach), rng.randrange(reach)
        size = rng.choice((1, 4, 8))
        data[a : a + size], data[b : b + size] = data[b : b + size], data[a : a + size]
    elif what == "repeat":
        place = rng.randrange(len(data))
        data[place:place] = data[place : place + rng.choice((1, 16, 400))]
    else:
        place = rng.randrange(reach)
        size = rng.choice((1, 8, 64))
        data[place : place + size] = rng.randbytes(size)
    path.write_bytes(bytes(data))
    return what


def _npz_bomb(rng: random.Random, path: Path) -> None:
    """Zeros by the gigabyte in a megabyte; the header may tell the truth or not."""
    size = rng.choice((3 * 10**8, 10**9, 3 * 10**9))
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": "<f8", "fortran_order": False, "shape": (size // 24, 3)}
    )
    block = bytes(2**24)
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("codes.npy", "w", force_zip64=True) as stream,
    ):
        stream.write(head.getvalue())
        for _ in range(min(size, 4 * 10**7) // len(block)):  # the rest is only declared: unpacking ends early
            stream.write(block)
    if rng.random() < 0.5:  # the directory says it is small
        data = bytearray(path.read_bytes())
        place = data.rfind(b"PK\x01\x02")
        data[place + 24 : place + 28] = struct.pack("<I", 200)
        path.write_bytes(bytes(data))


def _npy_lie(rng: random.Random, path: Path) -> None:
    shape = rng.choice(
        ("(10**9, 8)", "(-1, 8)", "(2**70,)", "(1000000000000, 3)", "()", "(3,) * 3", "(" * 100, "(0, 2**62)")
    )
    descr = rng.choice(
        (
            "'<f8'",
            "'|O'",
            "'<U1000000000'",
            "[('a', '<f8')]",
            "'\x1b[31m'",
            "'<V9999999999'",
            "__import__('os')",
        )
    )
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    path.write_bytes(
        b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) + 1) + text + b"\n" + rng.randbytes(64)
    )


def _h5_bomb(rng: random.Random, path: Path) -> None:
    """Chunks that were never written, or compressed zeros, or more dimensions than names."""
    with h5py.File(path, "w") as file:
        rows = rng.choice((10**7, 10**8, 10**9, 2**40))
        file.create_dataset("codes", (rows, 16), "f8", chunks=(1024, 16), fillvalue=rng.choice((0.0, 1.0)))
        file["labels"] = np.arange(10)


def _h5_elsewhere(rng: random.Random, path: Path) -> None:
    with h5py.File(path, "w") as file:
        if rng.random() < 0.5:
            file.create_dataset(
                "codes", (20, 4), "u1", external=[(rng.choice(("/etc/passwd", "../canary", "fifo")), 0, 80)]
            )
        else:
            file["codes"] = h5py.ExternalLink(rng.choice(("/etc/passwd", "other.h5", "../canary")), "/codes")
    with h5py.File(path.with_name("other.h5"), "w") as file:
        file["codes"] = np.random.default_rng(0).standard_normal((20, 4))
    if not path.with_name("fifo").exists():  # of another file of the same kind
        os.mkfifo(path.with_name("fifo"))


def _h5_deep(rng: random.Random, path: Path) -> None:
    with h5py.File(path, "w") as file:
        group = file
        for level in range(rng.choice((10, 300, 2000))):
            group = group.create_group(rng.choice(("g", "\x1b[31m", str(level))))
        group["codes"] = np.random.default_rng(0).standard_normal((20, 4))


def _wide_csv(rng: random.Random, path: Path) -> None:
    columns = rng.choice((2_000, 20_000))
    names = rng.choice((lambda n: f"c{n}", lambda n: f"{n}", lambda n: "same", lambda n: f"{n}.5"))
    lines = [",".join(names(n) for n in range(columns))] + [
        ",".join(f"{rng.random():.3f}" for _ in range(columns)) for _ in range(3)
    ]
    path.write_text("\n".join(lines))


def _zip_names(rng: random.Random, path: Path) -> None:
    stream = io.BytesIO()
    np.save(stream, np.random.default_rng(0).standard_normal((12, 3)))
    with zipfile.ZipFile(path, "w") as archive:
        for _ in range(rng.choice((1, 3))):
            name = rng.choice(
                (
                    "codes.npy",
                    "../../up.npy",
                    "/etc/x.npy",
                    "\x1b]0;title\x07.npy",
                    "codes",
                    "folder/",
                    "\u202e.npy",
                    "a" * 60000,
                )
            )
            archive.writestr(name, stream.getvalue() if rng.random() < 0.7 else b"text")


def _fifo(rng: random.Random, path: Path) -> None:
    real = path if rng.random() < 0.5 else path.with_name("pipe")
    os.mkfifo(real)
    if real != path:
        path.symlink_to(real.name)


def _device(rng: random.Random, path: Path) -> None:
    path.symlink_to(
        rng.choice(("/dev/zero", "/dev/tty", "/dev/null", "/dev/random", "/dev/stdin", "/proc/self/mem", "/"))
    )


def _loop(rng: random.Random, path: Path) -> None:
    path.symlink_to(rng.choice((path.name, "nowhere", "../canary", ".")))


def _folder(rng: random.Random, path: Path) -> None:
    path.mkdir()
    (path / rng.choice((".zgroup", "zarr.json", "x"))).write_text(
        rng.choice(("{}", "", '{"zarr_format": 2}', "[" * 5000))
    )


def _sparse(rng: random.Random, path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(rng.choice((10**6, 3 * 10**9, 10**11)))


SPECIALS: dict[str, tuple[Callable[[random.Random, Path], None], tuple[str, ...]]] = {
    "npz bomb": (_npz_bomb, (".npz",)),
    "npy header": (_npy_lie, (".npy",)),
    "h5 bomb": (_h5_bomb, (".h5", ".nc")),
    "h5 elsewhere": (_h5_elsewhere, (".h5", ".nc")),
    "h5 deep": (_h5_deep, (".h5", ".nc")),
    "wide csv": (_wide_csv, (".csv",)),
    "zip names": (_zip_names, (".npz",)),
    "fifo": (_fifo, tuple(WRITERS)),
    "device": (_device, tuple(WRITERS)),
    "loop": (_loop, tuple(WRITERS)),
    "folder": (_folder, (*WRITERS, ".zarr")),
    "sparse": (_sparse, tuple(WRITERS)),
}


def special_file(rng: random.Random, folder: Path, stem: str) -> tuple[Path, str]:
    """A file that is more than damaged; what it is, in words."""
    kind = rng.choice(sorted(SPECIALS))
    make, suffixes = SPECIALS[kind]
    path = folder / f"{stem}{rng.choice(suffixes)}"
    make(rng, path)
    return path, f"{kind} {path.suffix}"


def hostile_file(rng: random.Random, folder: Path, stem: str, arrays: Arrays) -> tuple[Path, str]:
    """A file of arrays, or one that claims to be; what was done, in words."""
    if rng.random() < 0.25:  # as good as a file can be: what is asked of it may still be wrong
        path, label = write_file(rng, folder, stem, arrays)
        return path, f"whole {label}"
    if rng.random() < 0.15:
        return special_file(rng, folder, stem)
    path, label = write_file(rng, folder, stem, odd_world(rng, arrays))
    if rng.random() < 0.45:
        label += f" {damage(rng, path)}"
    if rng.random() < 0.05:
        other = folder / f"{stem}{rng.choice((*WRITERS, '.parquet', '.zarr', '.hdf5', '.xyz', ''))}"
        shutil.move(path, other)
        return other, f"{label} as {other.suffix}"
    return path, label
