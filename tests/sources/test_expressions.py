from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratewarp import _checks
from ratewarp.sources.expressions import evaluate

X, Y = np.indices((13, 13)).reshape(2, -1)
FACTORS = {"x": X, "y": Y}

NUMBERS = st.one_of(st.sampled_from(["x", "y"]), st.integers(0, 20).map(str))
ARITHMETIC = st.recursive(
    NUMBERS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda t: f"(-{t})"),
        st.tuples(inner, inner).map(lambda t: f"max({t[0]}, {t[1]})"),
    ),
    max_leaves=6,
)
CONDITIONS = st.recursive(
    st.tuples(ARITHMETIC, st.sampled_from(["<", "<=", "==", "!=", ">", ">="]), ARITHMETIC).map(lambda t: f"{t[0]} {t[1]} {t[2]}"),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
        inner.map(lambda t: f"not ({t})"),
    ),
    max_leaves=4,
)


@given(st.one_of(ARITHMETIC, CONDITIONS, st.tuples(CONDITIONS, ARITHMETIC).map(lambda t: f"{t[1]} if {t[0]} else x % 3")))
def test_equals_python_at_every_stimulus(text):
    if len(text) > 500:
        return
    expected = [eval(text, {"max": max}, {"x": int(x), "y": int(y)}) for x, y in zip(X, Y, strict=True)]  # noqa: S307
    np.testing.assert_array_equal(evaluate(text, FACTORS), expected)


def test_chained_comparison():
    np.testing.assert_array_equal(evaluate("2 <= x < 5", FACTORS), (X >= 2) & (X < 5))


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')", "x.real", "x[0]", "(lambda: 1)()", "[x for x in y]", "x ** 99", "x << 3", "'a'", "f'{x}'",
        "open('f')", "x := 3", "x = 3", "", "x <", "1; 2", "max()", "max(x)", "abs(x, y)", "max(x, key=y)", "min(*x)", "1j", "x is y",
        "9" * 400, "9" * 40, "abs(" * 60 + "x" + ")" * 60, "-" * 60 + "x", "x" * 600, "x // 0", "1 / x", "x & y", "None", "x # y",
        "\x00", "x\ny",
    ],
)  # fmt: skip
def test_everything_else_is_refused(text):
    with pytest.raises(_checks.RequestError, match="expression"):
        evaluate(text, FACTORS)


@pytest.mark.parametrize(
    "text",
    [
        "(x > 3) * 4503599627370496 * 4096 + (y > 3)", "x * 9007199254740991", "9007199254740991 + x", "-9007199254740991 - x",
        "x + (y > 3) * 94906266 * 94906266 > 5", "max(x, 9007199254740991) + 2", "1 if x * 9007199254740991 > 5 else 0",
    ],
)  # fmt: skip
def test_whole_numbers_that_are_not_exact_are_refused(text):
    with pytest.raises(_checks.RequestError, match=r"whole numbers below 2\^53"):
        evaluate(text, FACTORS)


def test_the_largest_whole_numbers_are_exact():
    np.testing.assert_array_equal(evaluate("9007199254740990 + (x > 3)", FACTORS), [9007199254740990 + (x > 3) for x in X])
    np.testing.assert_array_equal(evaluate("(x > 3) * 94906265 * 94906265 // 94906265", FACTORS), (X > 3) * 94906265)


@pytest.mark.parametrize("text", ["1 if 1if x else y else 0", "x if x else 0or y", "1in x"])
def test_what_python_warns_of_is_refused_without_a_warning(text):  # warnings are errors in tests
    with pytest.raises(_checks.RequestError, match="must be an expression"):
        evaluate(text, FACTORS)


def test_unknown_factor_names_the_nearest():
    with pytest.raises(_checks.RequestError, match="Did you mean 'x_UC'"):
        evaluate("x_Uc < 3", {"x_UC": X, "x_LC": Y})
