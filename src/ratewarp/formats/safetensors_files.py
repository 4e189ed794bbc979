"""Arrays in safetensors files, as PyTorch and JAX save them without pickles."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import numpy as np

from ratewarp._checks import RequestError
from ratewarp.formats.content import Content, UnreadableError
from ratewarp.formats.limits import check_unpacked


def read_safetensors(path: Path) -> Content:
    """The arrays of a safetensors file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            names = list(file.keys())
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in names}
    except SafetensorError as error:
        raise UnreadableError(f"cannot be read: {error}") from None

    def one(name: str) -> np.ndarray:
        check_unpacked(f"{path}: {name}", 8 * int(np.prod(shapes[name])), path.stat().st_size)
        with safe_open(path, framework="numpy") as file:
            return file.get_tensor(name)

    return Content(shapes, one, tabular=False)


def refuse_pickled(path: Path) -> NoReturn:
    """`RequestError`: files of `torch.save` are pickles, which only running code could read."""
    raise RequestError(
        f"{path} is a pickle, which only running code could read; save it with"
        " safetensors.torch.save_file({'codes': codes}, 'codes.safetensors'), or with np.savez"
    )
