"""How large pages are, what writing one costs, and how fast it is in a browser.

    python benchmarks/page.py OUT.json NAME=DIR … [--openings 7] [--each 20] [--as-it-is]

Of every run directory DIR: the page is written anew, with all figures, by `ratewarp report` in a process of
its own, of a copy of the run (`--as-it-is`: the page of DIR is taken), then opened from disk in headless
Chromium, 1360 × 900 pixels, every time in a new browser. Linux only.

- bytes: of the page; of its figures, the stage's data and the largest parts of it, scripts and styles;
- seconds until it is there, and until the files of its figures are; when it is written once more, the highest
  memory of the process and its helpers together (proportional set size, each 0.1 s);
- milliseconds from the start of the navigation: the first paint of content, and the stage ready;
- milliseconds from an event to the end of the first frame in which all that it changes is drawn: a step of
  every slider, another model, another stimulus, the pointer above the map, all with the maps in view; a step
  of the first slider with the stimulus, walk and tuning in view; maps rest before each; and for how much of
  it the main thread had a processor, which depends less on what else the machine does;
- milliseconds between frames while maps move to another capacity;
- with `--decoders`: the largest difference between what the page's decoders make of any code on it and what
  Python makes of it, in steps of 8-bit grey, over all conditions that have a decoder there.

Medians and the worst are printed, and what misses its goal is marked; all timings are in OUT.json.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np
from playwright.sync_api import CDPSession, Page, sync_playwright

import ratewarp

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE = 120_000  # milliseconds
SIZE: Any = {"width": 1360, "height": 900}
MOST_BYTES = {"demo": 4_000_000, "paper": 8_000_000, "": 8_000_000}  # "": of other names
MOST_SECONDS = {"demo": 8, "paper": 30}
MOST_GIGABYTES, FIRST_PAINT, READY, EVENT, FRAME = 1.5, 500, 1500, 50, 1000 / 60
REST = 1200  # milliseconds before an event, in which maps come to rest
_MOVES = 6  # of maps whose frames are counted
_WARM_UP = 3  # events before those that count: code of a browser becomes faster
_BELOW = "slider 0, panels below"
_JITTER = 1.1  # times as long a frame may be: clocks of browsers are coarse

_FIGURE = re.compile(r"data:image/webp;base64,[A-Za-z0-9+/=]+")
_DATA = re.compile(r'<script type="application/json" id="stage-data">(.*?)</script>', re.DOTALL)
_CODE = re.compile(r"<(style|script)\b(?![^>]*application/json)[^>]*>.*?</\1>", re.DOTALL)
_CODES = 200  # that go to the browser at once
_TOOLS = Path(__file__).with_name("page_tools.js").read_text(encoding="utf-8")


def written(run: Path, folder: Path) -> tuple[Path, dict[str, float]]:
    """The page of a copy of a run, and what writing it costs: its memory is that of a second copy, since to
    look at it takes a tenth of the time.
    """
    page, seconds = _written(run, folder / "run", lambda process: 0)
    peak = 0

    def look(process: int) -> None:
        nonlocal peak
        peak = max(peak, _memory_of(process))

    _written(run, folder / "again", look)
    return page, {**seconds, "peak_gigabytes": round(peak / 1e9, 3)}


def _written(run: Path, copy: Path, look: Callable[[int], object]) -> tuple[Path, dict[str, float]]:
    """The page, and seconds until it and all files were there; meanwhile looks at the process, ten times a
    second.
    """
    shutil.copytree(run, copy, ignore=shutil.ignore_patterns("report.html", "figures", ".*"))
    start = time.perf_counter()
    command = [sys.executable, "-m", "ratewarp", "report", str(copy)]
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
    page, until_page = copy / "report.html", math.nan
    while process.poll() is None:
        if math.isnan(until_page) and page.exists():
            until_page = time.perf_counter() - start
        look(process.pid)
        time.sleep(0.1)
    if process.returncode:
        sys.exit(f"ratewarp report of {run}: exit code {process.returncode}")
    whole = time.perf_counter() - start
    return page, {"seconds": round(until_page, 2), "seconds_with_files": round(whole, 2)}


def _memory_of(session: int) -> int:
    """Bytes of all processes of a session, those that they share counted once."""
    total = 0
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and os.getsid(int(process.name)) == session:
                rows = (process / "smaps_rollup").read_text().splitlines()
                total += next(int(row.split()[1]) for row in rows if row.startswith("Pss:")) * 1024
        except (OSError, StopIteration):  # it has ended
            continue
    return total


def sizes(page: Path) -> dict[str, Any]:
    """Bytes of a page and its parts."""
    text = page.read_text(encoding="utf-8")
    data = _DATA.search(text)
    parts = {} if data is None else json.loads(data[1])
    lengths = {name: len(json.dumps(one, ensure_ascii=False).encode()) for name, one in parts.items()}
    largest = sorted(lengths.items(), key=lambda one: -one[1])[:6]
    found = {
        "page": len(text.encode()),
        "figures": sum(map(len, _FIGURE.findall(text))),
        "stage": 0 if data is None else len(data[1].encode()),
        "code": sum(len(one[0].encode()) for one in _CODE.finditer(text)),
    }
    details = sum(one["detail"] is not None for one in parts.get("conditions", []))
    return {
        **found,
        "of_stage": dict(largest),
        "conditions": len(parts.get("conditions", [])),
        "with_codes": details,
    }


def opened(path: Path, openings: int, each: int) -> dict[str, Any]:
    """Times of a page in a browser."""
    found: dict[str, Any] = {"first_paint": [], "ready": []}
    with sync_playwright() as playwright:
        for last in [False] * (openings - 1) + [True]:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, timeout=PATIENCE)
            page = browser.new_context(offline=True, viewport=SIZE).new_page()
            page.set_default_timeout(PATIENCE)
            page.goto(path.resolve().as_uri())
            page.wait_for_function("performance.getEntriesByName('stage-ready').length > 0")
            for name, entry in (("first_paint", "first-contentful-paint"), ("ready", "stage-ready")):
                start = page.evaluate("name => performance.getEntriesByName(name)[0].startTime", entry)
                found[name].append(round(start, 1))
            if last:
                found |= _events(page, each)
            browser.close()
    return found


def _events(page: Page, each: int) -> dict[str, Any]:
    """Times of what a reader does, and of frames while maps move."""
    page.evaluate(_TOOLS)
    clock = page.context.new_cdp_session(page)
    clock.send("Performance.enable", {"timeDomain": "threadTicks"})
    sliders = page.locator("#controls input[type=range]").evaluate_all("all => all.map((one) => +one.max)")
    models = page.locator("#controls input[name=model]").count()
    acts = {f"slider {axis}": f"bench.slider(round, {axis})" for axis, most in enumerate(sliders) if most > 0}
    acts |= {"model": "bench.model(round)"} if models > 1 else {}
    acts |= {"stimulus": "bench.stimulus(round)", "hover": "bench.hover(round)"}
    acts |= {_BELOW: "bench.slider(round)"} if sliders and sliders[0] > 0 else {}
    found: dict[str, Any] = {}
    for name, act in acts.items():
        _scroll_to(page, "tuning" if name == _BELOW else "controls")  # maps stand below the controls
        for number in range(-_WARM_UP, 2 * each):
            page.wait_for_timeout(REST)
            start = _processor(clock)
            took = page.evaluate(f"round => {act}", number + _WARM_UP)
            if took is not None and number >= 0 and len(found.setdefault(name, [])) < each:
                found[name].append(round(took, 1))
                found.setdefault(f"{name}, processor", []).append(round(_processor(clock) - start, 1))
    if sliders and sliders[0] > 0:
        _scroll_to(page, "controls")
        found["frames"] = []
        for number in range(_MOVES):
            page.wait_for_timeout(REST)
            found["frames"] += [round(one, 1) for one in page.evaluate("bench.frames", number)]
    return found


def _scroll_to(page: Page, name: str) -> None:
    block = "start" if name == "controls" else "center"
    page.evaluate("([name, block]) => document.getElementById(name).scrollIntoView({ block })", [name, block])


def decoded(path: Path, run: ratewarp.RunDirectory) -> dict[str, Any]:
    """How far the decoders of a page are from Python's, over all codes of every condition."""
    conditions, stimuli, worst = 0, 0, 0.0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, timeout=PATIENCE)
        page = browser.new_context(offline=True, viewport=SIZE).new_page()
        page.goto(path.resolve().as_uri())
        page.wait_for_function("performance.getEntriesByName('stage-ready').length > 0", timeout=PATIENCE)
        page.evaluate(_TOOLS)
        for condition in page.evaluate("bench.decoders()"):
            record, decode = run.record(condition), ratewarp.trained_networks(run, condition).decode
            codes = record["code"].values
            for first in range(0, len(codes), _CODES):
                some = codes[first : first + _CODES]
                theirs = page.evaluate("args => bench.decode(...args)", [condition, some.tolist()])
                ours = np.asarray(decode(some)).reshape(len(some), -1)
                worst = max(worst, 255 * float(np.abs(np.array(theirs) - ours).max()))
            conditions, stimuli = conditions + 1, len(set(record["stimulus"].values.tolist()))
        browser.close()
    return {"conditions": conditions, "stimuli": stimuli, "worst": round(worst, 3)}


def _processor(clock: CDPSession) -> float:
    """Milliseconds that the page's main thread has had a processor."""
    metrics = {one["name"]: one["value"] for one in clock.send("Performance.getMetrics")["metrics"]}
    return 1000 * metrics["TaskDuration"]


def lines(name: str, found: dict[str, Any]) -> list[str]:
    """What was found of a page, in words, with what misses its goal marked."""
    rows: list[tuple[str, float | None, float | None, float | None]]
    rows = [("bytes", found["bytes"]["page"], None, MOST_BYTES.get(name, MOST_BYTES[""]))]
    most_seconds = MOST_SECONDS.get(name)
    costs = (("seconds", most_seconds), ("seconds_with_files", None), ("peak_gigabytes", MOST_GIGABYTES))
    for key, most in costs:
        if key in found:
            rows.append((key, found[key], None, most))
    if found.get("decoders"):
        of = "{conditions} decoders, all codes of {stimuli} stimuli: greys off".format(**found["decoders"])
        rows.append((of, found["decoders"]["worst"], None, 1))
    for key, times in found["browser"].items():
        if not times:
            rows.append((key, None, None, None))
            continue
        goals = {"first_paint": FIRST_PAINT, "ready": READY, "frames": _JITTER * FRAME}
        most = None if key.endswith("processor") else goals.get(key, EVENT)
        middle = mean(times) if key == "frames" else median(times)
        rows.append((f"{key}, ms", round(middle, 1), max(times), most))
    return [_line(name, *row) for row in rows]


def _line(name: str, what: str, value: float | None, worst: float | None, most: float | None) -> str:
    if value is None:
        return f"{name:>10} {what}: nothing to measure"
    shown = f"{name:>10} {what}: {value:,}" + ("" if worst is None else f" (worst {worst:,})")
    return shown if most is None else f"{shown}, goal {most:,.4g}{' — MISSED' if value > most else ''}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("runs", nargs="+", metavar="NAME=DIR")
    parser.add_argument("--openings", type=int, default=7)
    parser.add_argument("--each", type=int, default=20, help="of every event")
    parser.add_argument("--as-it-is", action="store_true", help="do not write pages anew")
    parser.add_argument("--decoders", action="store_true", help="compare them with Python's")
    given = parser.parse_args()
    machine = {"system": platform.platform(), "cores": os.cpu_count(), "pages": {}}
    for name, _, folder in (one.partition("=") for one in given.runs):
        with tempfile.TemporaryDirectory() as place:
            page, cost = (
                (Path(folder) / "report.html", {}) if given.as_it_is else written(Path(folder), Path(place))
            )
            found = {"bytes": sizes(page), **cost, "browser": opened(page, given.openings, given.each)}
            if given.decoders:
                found["decoders"] = decoded(page, ratewarp.open_run(folder))
            found["load"] = round(
                os.getloadavg()[0], 1
            )  # of one minute: 1 here, 2 and more beside other work
        machine["pages"][name] = found
        print(*lines(name, found), sep="\n", flush=True)
        given.out.write_text(json.dumps(machine, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
