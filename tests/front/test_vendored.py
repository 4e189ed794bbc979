"""The library that is kept with the scripts of the page: the file that was distributed, with its licence."""

from __future__ import annotations

import json
from hashlib import sha256
from importlib.resources import files

from ratewarp.report.page.front_end import import_map, script_of_library

FOLDER = files("ratewarp.report.page") / "front" / "vendored"


def test_every_library_has_its_origin_its_sum_and_its_licence():
    names = {one.name.partition(".")[0] for one in FOLDER.iterdir()}
    assert names == {"d3"}
    for name in names:
        origin = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        script = (FOLDER / f"{name}.min.js").read_bytes()
        assert sha256(script).hexdigest() == origin["sha256"]
        assert f"v{origin['version']} " in script[:200].decode()
        assert "Permission to use, copy, modify" in (FOLDER / f"{name}.LICENSE").read_text(encoding="utf-8")


def test_a_page_has_the_library_whole_behind_its_licence():
    text = script_of_library()
    licence = (FOLDER / "d3.LICENSE").read_text(encoding="utf-8")
    assert text.startswith(f"/*\n{licence}*/\n")
    assert text.endswith((FOLDER / "d3.min.js").read_text(encoding="utf-8"))
    assert "vendored" not in import_map()
