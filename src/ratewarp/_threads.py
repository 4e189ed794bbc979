"""How many threads products of matrices take."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import lru_cache

import scipy.linalg  # noqa: F401  so that its library is among those found below
from threadpoolctl import ThreadpoolController


def threads(most: int | None) -> AbstractContextManager[object]:
    """Within a `with` block, products of matrices take at most so many threads; None leaves it as it is.

    Of small matrices several threads wait for each other.
    """
    return _libraries().limit(limits=most)


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    """Found once: to look for them takes a millisecond and more."""
    return ThreadpoolController()
