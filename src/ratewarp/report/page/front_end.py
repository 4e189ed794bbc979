"""The scripts of the page: modules of our own, one library, and styles, put into one file."""

from __future__ import annotations

import json
from base64 import b64encode
from importlib.resources import files

_LIBRARY = "d3.min.js"
_SHEETS = ("page", "furniture", "print")
_STARTS = ("furniture", "stage")


def script_of_library() -> str:
    """D3 as it is distributed, with its licence; MIT-like (ISC)."""
    folder = files("ratewarp.report.page").joinpath("front", "vendored")
    licence = folder.joinpath("d3.LICENSE").read_text(encoding="utf-8")
    return f"/*\n{licence}*/\n{folder.joinpath(_LIBRARY).read_text(encoding='utf-8')}"


def import_map() -> str:
    """Names of the modules, `ratewarp/NAME`, with their text: a file that was opened from disk may not load
    others beside it.
    """
    folder = files("ratewarp.report.page").joinpath("front")
    modules = {
        f"ratewarp/{one.name.removesuffix('.js')}": _as_address(one.read_text(encoding="utf-8"))
        for one in sorted(folder.iterdir(), key=lambda one: one.name)
        if one.name.endswith(".js")
    }
    return json.dumps({"imports": modules})


def start() -> str:
    """The modules that begin: what goes around the stage does not wait for it."""
    return "".join(f'import "ratewarp/{one}";' for one in _STARTS)


def first_words() -> str:
    """What is done before anything is shown, so that a page never turns from light to dark before its
    reader's eyes: the colours that were chosen are kept under `ratewarp-theme`.
    """
    return (
        'try{const kept=localStorage.getItem("ratewarp-theme");'
        'if(["light","dark"].includes(kept))document.documentElement.dataset.theme=kept}catch{}'
    )


def styles() -> str:
    """Style sheets of the page, what holds on paper last."""
    folder = files("ratewarp.report.page").joinpath("front")
    return "".join(folder.joinpath(f"{one}.css").read_text(encoding="utf-8") for one in _SHEETS)


def _as_address(text: str) -> str:
    return f"data:text/javascript;base64,{b64encode(text.encode()).decode('ascii')}"
