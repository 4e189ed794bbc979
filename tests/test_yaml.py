from __future__ import annotations

from datetime import date

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ratewarp import _yaml
from ratewarp._checks import RequestError
from ratewarp._yaml import MAX_DEPTH, MAX_REPEATED, read_yaml, write_yaml

WHOLE_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers() | st.floats(allow_nan=False)
PLAIN = st.recursive(
    st.none() | st.booleans() | NUMBERS | WHOLE_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WHOLE_TEXT, inner, max_size=4),
    max_leaves=8,
)


def bomb(levels: int, width: int = 9) -> str:
    """Every line a list of the one above, again and again."""
    lines = [f"a0: &a0 [{', '.join(['lol'] * width)}]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines)


def merging(levels: int, width: int = 9) -> str:
    lines = [f"a0: &a0 {{{', '.join(f'k{n}: x' for n in range(width))}}}"]
    for n in range(1, levels):
        inner = ", ".join(f"b{m}: {{<<: *a{n - 1}}}" for m in range(width))
        lines.append(f"a{n}: &a{n} {{{inner}}}")
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text", [bomb(9), bomb(30), merging(8), "a: &a '" + "x" * 9000 + "'\nb: [" + "*a, " * 9000 + "1]"]
)
def test_short_texts_cannot_stand_for_large_ones(text, monkeypatch):
    monkeypatch.setattr(_yaml, "MAX_REPEATED", 20_000)  # as the limit, but quicker to reach for merges
    with pytest.raises(RequestError, match=r"not valid YAML \(line \d+\): its aliases stand for more than"):
        read_yaml(text, "file")


def test_many_levels_of_aliases_are_refused_before_anything_is_built():
    with pytest.raises(RequestError, match=f"more than {MAX_REPEATED:,}"):
        read_yaml(bomb(30), "file")


def test_nesting_is_limited_also_through_aliases():
    assert read_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH, "file")
    chain = "\n".join(["- &a0 [x]", *(f"- &a{n} [*a{n - 1}]" for n in range(1, MAX_DEPTH + 1))])
    # newer versions of the parser have a limit of their own
    for text in ["[" * 5000, "- " * 5000, "{a: " * 5000, "? " * 5000, chain]:
        with pytest.raises(
            RequestError, match=f"nested more than {MAX_DEPTH} deep|key must be|maximum nesting depth"
        ):
            read_yaml(text, "file")


def test_anchors_used_sensibly_work():
    text = "base: &base {steps: 5, more: &more [1, 2]}\na: *more\nb: {<<: *base, steps: 7}\nc: {steps: 1, <<: [*base, {extra: 1}]}"
    assert read_yaml(text, "file") == yaml.safe_load(text)
    assert read_yaml(text, "file")["c"] == {"steps": 1, "more": [1, 2], "extra": 1}
    assert read_yaml("[&a 1, *a, &a 2, *a]", "file") == [1, 1, 2, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", r"line 3\): the key 'a' is given twice, first in line 1"),
        ("{a: {b: 1,\n b: 2}}", r"line 2\): the key 'b' is given twice, first in line 1"),
        ("{1: x, '1': y}", "the key '1' is given twice"),
        ("{'1': x, 1: y}", "the key 1 is given twice"),
        ("{1: x, 1.0: y}", "the key 1.0 is given twice"),
        ("{1: x, true: y}", "the key True is given twice"),
        ("{<<: {a: 1}, <<: {b: 1}}", "the key '<<' is given twice"),
        ("{[1]: 2}", "a key must be text or a number"),
        ("[&a [1], {*a : 2}]", "a key must be text or a number"),
        ("a: &x {b: *x}", "the alias \\*x stands for a value that holds itself"),
        ("a: *x", "alias"),
        ("<<: 3", "'<<' takes a mapping or a list of mappings; got 3"),
        ("--- 1\n--- 2\n", "a second document"),
        ("a: !!bool maybe", "'maybe' cannot be read as bool"),
        ("a: !!int x", "'x' cannot be read as int"),
        ("a: !!float ''", "'' cannot be read as float"),
        ("a: !!timestamp x", "'x' cannot be read as timestamp"),
        ("a: 2020-13-45", "'2020-13-45' cannot be read as timestamp"),
        ("a: !!binary aGk=", "values of the kind 'binary' are not read"),
        ("a: !!set {x}", "values of the kind 'set' are not read"),
        (
            "a: !!python/object/apply:os.system ['true']",
            "values of the kind 'python/object/apply:os.system' are not read",
        ),
        ("a: !mine 3", "values of the kind '!mine' are not read"),
        ("a: " + "9" * 5000, "cannot be read as int"),
        ('a: "\\UFFFFFFFF"', "not valid YAML"),
        ('a: "\\ud83d"', "not valid YAML"),
        ('a: "\\ude00\\ud83d"', "not valid YAML"),
        ("a: \ud83d", "not valid YAML"),
        ("a: \x00", "not valid YAML"),
        ("a: [", r"not valid YAML \(line \d\)"),
    ],
)
def test_what_is_refused_and_where(text, message):
    with pytest.raises(RequestError, match=message) as caught:
        read_yaml(text, "file")
    assert "\n" not in str(caught.value)
    str(caught.value).encode()  # can be printed


def test_halves_of_a_character_are_joined():
    assert read_yaml('a: "\\ud83d\\ude00 and \\\\ud83d"', "file") == {"a": "😀 and \\ud83d"}
    assert read_yaml("a: '\\ud83d'", "file") == {"a": "\\ud83d"}


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "0x1F",
        "017",
        "1_000",
        "1:30",
        "-.5",
        ".inf",
        "1e3",
        "1.5e3",
        "~",
        "",
        "yes",
        "No",
        "on",
        "2020-01-02",
        "2020-01-02 03:04:05",
        "x",
        "'x'",
        "!!str 5",
        "! 5",
        "'<<'",
        "[a, {b: c}]",
    ],
)
def test_values_are_those_of_pyyaml(text):
    assert read_yaml(f"- {text}", "file") == yaml.safe_load(f"- {text}")


@pytest.mark.parametrize("text", ['"x\\n"', "|\n  a\n  b\n", ">\n  a\n  b\n", "{a: , b: }", "{? a : b}"])
def test_collections_and_long_text_are_those_of_pyyaml(text):
    assert read_yaml(f"key: {text}", "file") == yaml.safe_load(f"key: {text}")


def test_dates_and_no_document():
    assert read_yaml("[=, <<]", "file") == ["=", "<<"]
    assert read_yaml("2020-01-02", "file") == date(2020, 1, 2)
    assert read_yaml("", "file") is None
    assert read_yaml("# a comment", "file") is None


@given(PLAIN)
def test_what_is_written_reads_back_equal(data):
    assert read_yaml(write_yaml({"key": data}), "file") == {"key": data}
    assert yaml.safe_load(write_yaml({"key": data})) == {"key": data}


@pytest.mark.parametrize(
    "text",
    [
        "a\x85b",
        "\u2028",
        "\u2029 ",
        "\ufeff",
        "a\r\nb",
        "😀",
        "\x00\x1b[31m",
        "a: b # c",
        " \n ",
        "\x7f\x9f",
        "- ",
        "~",
    ],
)
def test_hostile_text_reads_back_equal(text):
    assert read_yaml(write_yaml({text: text, "again": [text]}), "file") == {text: text, "again": [text]}


def test_equal_lists_are_written_out():
    shared = [1, 2]
    assert "*" not in write_yaml({"a": shared, "b": shared})
