"""Study files that are broken, hostile or merely odd: mutated studies, YAML at its worst, expressions from a
grammar.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import yaml

FACTORS = ("x_UC", "x_LC")
ODD_TEXT = (
    "", " ", "a b", "é", "日本", "\x85", "\u2028x", "😀", "\ufeff", "\x1b[31mred", "a\nb", "a\rb", "\u202eabc", "x" * 3000, "self",
    "swift", "principled", "corridors", "str", "__class__", "E2M5", "frequency", "uniform", "{0.__class__}", "%s%n", "../../x", "<b>", "~",
)  # fmt: skip
ODD_NUMBERS = (
    0, -0.0, 1, -1, 2, 0.5, 1e-320, 1e308, -1e308, float("inf"), float("nan"), 2**31, 2**53, 2**63, 2**64, 10**30, -(2**63), True,
)  # fmt: skip
ODD_YAML = (
    '"\\ud83d\\ude00"', '"\\ud83d"', '"\\UFFFFFFFF"', '"\\x85"', "!!bool maybe", "!!int x", "!!float ''", "!!timestamp x", "!!binary a",
    "!!set {a}", "!!omap [a: 1]", "!!python/name:os.system", "!mine {}", "2020-13-45", "2020-01-01", "0x", "1_0", "1:99", ".inf",
    "=", "<<", "*nothing", "&a [*a]", "&a {a: *a}", "{<<: 3}", "{<<: [{a: 1}, 2]}", "{a: 1, a: 2}", "{1: a, '1': b}", "{? [a] : b}", "'",
    "[", "{", "}", "- - -", "? ?", "|", ">", "@", "`", "%", "\t", "9" * 5000, "1e" + "9" * 400, "-" * 400, "[" * 3000, "{a: " * 3000,
)  # fmt: skip

ODD_PIECES = (
    "",
    "\t",
    "\n",
    "  ",
    ":",
    "-",
    "[",
    "}",
    "&a ",
    "*a",
    "!!",
    "'",
    '"',
    "\x00",
    "\ud800",
    "é",
    "#",
    "0",
)
WRONG_EXPRESSIONS = (
    "x_UC ** 9", "__import__('os')", "x.y", "(lambda: 1)()", "[1]", "1 if 1if", "y", "1j", "'a'", "x_UC <", "9" * 60, "-" * 50 + "1", "#",
)  # fmt: skip
LEAVES = (
    *FACTORS, *FACTORS, *FACTORS, "1", "0", "2", "0.5", "1e9", "9007199254740991", "4503599627370496", "1e-300", "1_0", "0x1F", "True",
)  # fmt: skip
SET_KEYS = (
    "recipe.steps", "title", "models.a.frequency", "capacities_nats", "seeds", "network.convolutions", "tasks", "name", "recipe", "x",
    "description", "reference", "training_images", "validation_each", "source", "readouts.baseline", "models.baseline.recipe.task_weight",
)  # fmt: skip

RICH = {
    "name": "rich",
    "title": "Every key",
    "source": {"kind": "corridors"},
    "frequency": "2 if x_UC == x_LC else 1",
    "tasks": ["E2M1", {"name": "right", "label": "x_UC > 9"}],
    "network": {"latents": 3, "convolutions": [{"filters": 4, "kernel": 4, "stride": 2}, {"filters": 4}]},
    "recipe": {"name": "swift", "steps": 7},
    "training_images": 500,
    "models": {
        "a": {},
        "b": {
            "recipe": {"name": "published", "pressure": {1: 200, 3: 100}},
            "at": {3: {"recipe": {"task_weight": 2}}},
        },
        "c": {"tasks": ["E2M5"], "recipe": "principled"},
    },
    "reference": "a",
    "capacities_nats": [1, 3],
    "seeds": [0, 1],
    "readouts": {"a": ["E2M3"], "b": [{"name": "left", "label": "x_LC < 4"}]},
    "bound_points": 2,
}


def hostile_study(rng: random.Random) -> tuple[bytes, str]:
    """The contents of a study file, and what kind it is."""
    make = rng.choice(
        (
            mutated,
            mutated,
            mutated,
            of_expressions,
            odd_values,
            odd_axes,
            odd_axes,
            aliased,
            garbled,
            repeated,
        )
    )
    return make(rng).encode("utf-8", "surrogatepass"), make.__name__


def mutated(rng: random.Random) -> str:
    """A sound study with a few values replaced, renamed, moved or left out."""
    data = _sound(rng)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        _change(rng, data)
    if rng.random() < 0.3:
        return json.dumps(data, default=str)
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=rng.random() < 0.5)


def of_expressions(rng: random.Random) -> str:
    """Rules from the grammar of expressions, some of them with a mistake."""
    frequencies = [
        rng.choice((f"abs({expression(rng)}) + 1", f"{expression(rng)} > 0", expression(rng)))
        for _ in range(2)
    ]
    label = rng.choice(
        (f"max({expression(rng)}, x_UC) > 3", f"x_UC > 3 or {expression(rng)} > 9", expression(rng))
    )
    study = {"capacities_nats": [1], "frequency": frequencies[0], "tasks": [{"name": "t", "label": label}]}
    if rng.random() < 0.5:
        study["models"] = {
            "a": {},
            "b": {"frequency": rng.choice(FACTORS)},
            "c": {"frequency": frequencies[1]},
        }
    return yaml.safe_dump(study)


def odd_axes(rng: random.Random) -> str:
    """A study crossed over keys and values of any kind."""
    data = {**_sound(rng), "axes": {}}
    for _ in range(rng.choice((1, 1, 2, 3))):
        keys = rng.choices(
            (*SET_KEYS, "capacity_nats", "seed", "ratio", "parameters.ratio", *ODD_TEXT),
            k=rng.choice((1, 1, 1, 2, 3)),
        )
        data["axes"][", ".join(keys)] = _odd_axis(rng, len(keys))
    if rng.random() < 0.5:
        data["frequency"] = "ratio if x_LC <= 6 else 1"
    if rng.random() < 0.3:
        data.pop("capacities_nats", None)
    if rng.random() < 0.3:
        data["parameters"] = odd_value(rng)
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


def _odd_axis(rng: random.Random, keys: int) -> Any:
    number = lambda: rng.choice((*ODD_NUMBERS, 1, 2, 3, 0.5))  # noqa: E731
    forms = {
        "range": lambda: [number() for _ in range(rng.choice((3, 3, 3, 2)))],
        "log": lambda: [number(), number(), rng.choice((2, 3, 7, 10**6))],
        "random": lambda: {
            "between": [number(), number()],
            "count": rng.choice((2, 5, number())),
            "log": rng.choice((True, False, 1)),
        },
    }
    if rng.random() < 0.4:
        name = rng.choice(list(forms))
        return {name: forms[name]()} if rng.random() < 0.9 else {name: odd_value(rng), "x": 1}
    if keys > 1 and rng.random() < 0.8:
        return [
            [odd_value(rng) if rng.random() < 0.2 else number() for _ in range(keys)]
            for _ in range(rng.choice((1, 2, 3)))
        ]
    return rng.choice(([number(), 1, 2], [odd_value(rng)], odd_value(rng)))


def odd_values(rng: random.Random) -> str:
    """A study one of whose values, or keys, is YAML that few have met."""
    text = yaml.safe_dump(_sound(rng), sort_keys=False)
    lines = text.splitlines()
    for _ in range(rng.choice((1, 1, 2))):
        place = rng.randrange(len(lines))
        key, colon, _ = lines[place].partition(":")
        odd = rng.choice(ODD_YAML)
        lines[place] = f"{key}{colon} {odd}" if rng.random() < 0.8 else f"{odd}: 1"
    return "\n".join(lines)


def aliased(rng: random.Random) -> str:
    """Aliases of aliases, merges of merges, chains: some sensible, some that stand for more than any memory."""
    width, levels = rng.choice((1, 2, 9, 30)), rng.choice((2, 5, 9, 30, 200))
    inner: Callable[[str], str] = rng.choice((
        lambda name: f"[{', '.join([f'*{name}'] * width)}]",
        lambda name: f"{{<<: [{', '.join([f'*{name}'] * width)}], data_seed: 1}}",
        lambda name: "{" + ", ".join(f"k{n}: {{<<: *{name}}}" for n in range(width)) + "}",
        lambda name: f"{{<<: *{name}, training_images: {rng.randrange(1, 9999)}}}",
    ))  # fmt: skip
    start = rng.choice(("{frequency: E1M1}", "[1, 2]", "x" * 2000, "{recipe: {steps: 5}}"))
    lines = [f"a0: &a0 {start}", *(f"a{n}: &a{n} {inner(f'a{n - 1}')}" for n in range(1, levels))]
    text = "\n".join(lines)
    if rng.random() < 0.5:
        return f"capacities_nats: [1]\n{text}\nmodels: *a{levels - 1}\n"
    inside = text.replace("\n", "\n  ").replace("a0: ", "m0: ", 1)
    return f"capacities_nats: [1]\nmodels:\n  {inside}\n"


def garbled(rng: random.Random) -> str:
    """A study with characters lost, doubled, changed or put in."""
    text = list(yaml.safe_dump(_sound(rng), sort_keys=False))
    for _ in range(rng.choice((1, 2, 5, 20))):
        place = rng.randrange(len(text))
        odd = rng.choice((*ODD_PIECES, chr(rng.randrange(0x3000))))
        text[place] = odd if rng.random() < 0.7 else odd + text[place]
    return "".join(text)


def repeated(rng: random.Random) -> str:
    """A study with lines or whole parts given twice."""
    lines = yaml.safe_dump(_sound(rng), sort_keys=False).splitlines()
    for _ in range(rng.choice((1, 1, 3))):
        start = rng.randrange(len(lines))
        part = lines[start : start + rng.choice((1, 1, 2, 6))]
        place = rng.randrange(len(lines))
        lines[place:place] = part
    return "\n".join(lines)


def expression(rng: random.Random, depth: int = 0) -> str:
    """A rule over the factors; one in some has something that no rule may have."""
    if rng.random() < 0.003:
        return rng.choice(WRONG_EXPRESSIONS)
    if depth > rng.choice((1, 2, 3, 4)):
        return rng.choice(LEAVES)
    inner = [expression(rng, depth + 1) for _ in range(3)]
    forms = (
        "({0} + {1})", "({0} - {1})", "({0} * {1})", "({0} / {1})", "({0} // {1})", "({0} % {1})", "-{0}", "not {0}", "({0} and {1})",
        "({0} or {1})", "({0} < {1})", "({0} <= {1} < {2})", "({0} == {1})", "({0} if {1} else {2})", "min({0}, {1})", "max({0}, {1}, {2})",
        "abs({0})", "{0} == {1}", "{0} > {1}",
    )  # fmt: skip
    return rng.choice(forms).format(*inner)


def odd_value(rng: random.Random) -> Any:
    """A value of any kind and size."""
    kind = rng.randrange(9)
    if kind == 0:
        return rng.choice(ODD_TEXT)
    if kind == 1:
        return rng.choice(ODD_NUMBERS)
    if kind == 2:
        return rng.choice((None, [], {}, [[]], [{}], {"": {}}, [None], False))
    if kind == 3:
        return [odd_value(rng) for _ in range(rng.choice((1, 2, 5)))]
    if kind == 4:
        return {rng.choice((*ODD_TEXT, *ODD_NUMBERS)): odd_value(rng) for _ in range(rng.choice((1, 2, 5)))}
    if kind == 5:
        return [rng.choice((0, 1, 0.5, rng.random()))] * rng.choice((168, 169, 13, 20_000))
    if kind == 6:
        return {
            "file": rng.choice(
                ("table.csv", "none.csv", ".", "/dev/zero", "study.yaml", "a\x00b", "x" * 300, 5, None)
            )
        }
    if kind == 7:
        return expression(rng)
    return list(range(rng.choice((1, 3, 2000, 30_000))))


def hostile_change(rng: random.Random) -> str:
    """A text for `--set`."""
    odd_keys = (".".join("a" * 900), "self", "a..b", "", "models.x\x1b[1m", "é" * 200, "models")
    key = rng.choice(SET_KEYS if rng.random() < 0.7 else odd_keys)
    plain = json.dumps(odd_value(rng), default=str)[:5000]
    value = rng.choice((rng.choice(ODD_YAML), rng.choice(ODD_TEXT), plain, expression(rng)))
    return f"{key}{rng.choice(('=', '=', '=', '=', '', '=='))}{value}"


def hostile_table(rng: random.Random) -> bytes:
    """A table of frequencies."""
    rows = [f"{u},{l},{rng.choice((1, 2, 0, 0.5))}" for u in range(13) for l in range(13)]
    lines = ["x_UC,x_LC,frequency", *rows]
    for _ in range(rng.choice((0, 1, 2))):
        odd = rng.choice(
            (
                "",
                "1,2",
                "a,b,c",
                "nan,nan,nan",
                "0,0,inf",
                "0,0,-1",
                "\x00",
                '"',
                "1,2,3,4",
                "é,1,1",
                "0,0,1",
                "0,0," + "9" * 500,
            )
        )
        lines[rng.randrange(len(lines))] = odd
    return "\n".join(lines).encode()


def _sound(rng: random.Random) -> dict[str, Any]:
    name = rng.choice(("demo", "paper", ""))
    if not name:
        return copy.deepcopy(RICH)
    return copy.deepcopy(
        yaml.safe_load(
            files("ratewarp.studies").joinpath("builtin", f"{name}.yaml").read_text(encoding="utf-8")
        )
    )


def _change(rng: random.Random, data: Any) -> None:
    """Changes one value somewhere in `data`, which is a mapping or list that is not empty."""
    here = data
    while True:
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        key = rng.choice(keys)
        below = here[key]
        if not (isinstance(below, dict | list) and below) or rng.random() < 0.3:
            break
        here = below
    what = rng.randrange(6)
    if what == 0:
        del here[key]
    elif what == 1 and isinstance(here, dict):
        here[rng.choice((f"{key}s", str(key)[:-1], key, *ODD_TEXT))] = here.pop(key)
    elif what == 2:
        here[key] = rng.choice(([below], {"a": below}, str(below), [below, below], {str(key): below}))
    elif rng.random() < 0.5:
        here[key] = _like(rng, below)
    else:
        here[key] = odd_value(rng)
    if not here and here is data:
        data["capacities_nats"] = [1]


def _like(rng: random.Random, value: Any) -> Any:
    """Something of the same kind, which may be as good."""
    if isinstance(value, str):
        return rng.choice(
            (value + rng.choice(ODD_TEXT), rng.choice(ODD_TEXT), expression(rng), rng.choice(FACTORS))
        )
    if isinstance(value, int | float):
        return rng.choice((value + 1, value * 2, value * 1000, value // 2, str(value), float(value), 0, 1))
    return copy.deepcopy(value)
