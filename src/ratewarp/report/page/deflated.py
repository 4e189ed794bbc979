"""Large parts of a page's data as deflated text: words and numbers that repeat take a tenth of the room."""

from __future__ import annotations

import zlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

_LARGE = 20_000  # letters; smaller parts are left to be read
_NAME = "deflated"


def with_deflated(
    data: Mapping[str, Any], to_json: Callable[[Any], str], but: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Data for JSON, each large part of which is deflated; `front/packed_arrays.js` inflates them.

    Arguments:
        data: parts by their names.
        to_json: makes JSON of a part.
        but: names of parts that stay as they are, such as those that hold packed arrays.

    Returns:
        The parts; a large one as `deflated`, its JSON, deflated (zlib), in base64.

    Examples:
        >>> import json
        >>> with_deflated({"few": [1], "many": ["word"] * 10_000}, json.dumps)
        {'few': [1], 'many': {'deflated': 'eNr...'}}
    """
    return {name: part if name in but else _deflated(part, to_json) for name, part in data.items()}


def _deflated(part: Any, to_json: Callable[[Any], str]) -> Any:
    if not isinstance(part, dict | list):
        return part
    text = to_json(part)
    if len(text) <= _LARGE:
        return part
    return {_NAME: b64encode(zlib.compress(text.encode(), 9)).decode("ascii")}
