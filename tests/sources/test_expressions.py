from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratewarp import Study, _checks, load_study
from ratewarp.sources import Factor, GivenSource, frequency, task
from ratewarp.sources.expressions import evaluate
from worlds import bars, images_of

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
    st.tuples(ARITHMETIC, st.sampled_from(["<", "<=", "==", "!=", ">", ">="]), ARITHMETIC).map(
        lambda t: f"{t[0]} {t[1]} {t[2]}"
    ),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
        inner.map(lambda t: f"not ({t})"),
    ),
    max_leaves=4,
)


@given(
    st.one_of(
        ARITHMETIC,
        CONDITIONS,
        st.tuples(CONDITIONS, ARITHMETIC).map(lambda t: f"{t[1]} if {t[0]} else x % 3"),
    )
)
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
    np.testing.assert_array_equal(
        evaluate("9007199254740990 + (x > 3)", FACTORS), [9007199254740990 + (x > 3) for x in X]
    )
    np.testing.assert_array_equal(
        evaluate("(x > 3) * 94906265 * 94906265 // 94906265", FACTORS), (X > 3) * 94906265
    )


@pytest.mark.parametrize("text", ["1 if 1if x else y else 0", "x if x else 0or y", "1in x"])
def test_what_python_warns_of_is_refused_without_a_warning(text):  # warnings are errors in tests
    with pytest.raises(_checks.RequestError, match="must be an expression"):
        evaluate(text, FACTORS)


def test_unknown_factor_names_the_nearest():
    with pytest.raises(_checks.RequestError, match="Did you mean 'x_UC'"):
        evaluate("x_Uc < 3", {"x_UC": X, "x_LC": Y})


SHAPES = np.array(["heart", "square", "oval", "heart", "#1", "oval"])
OTHERS = np.array(["oval", "square", "heart", "heart", "oval", "#1"])
TEXTS = {"shape": SHAPES, "other": OTHERS, "x": np.arange(6)}
QUOTED = st.sampled_from(["'heart'", '"square"', "'oval'", "'#1'"])
NAMED = st.sampled_from(["shape", "other"])
SAME, FURTHER = st.sampled_from(["==", "!="]), st.sampled_from(["", " == 'oval'", " != shape"])
COMPARED = st.tuples(st.one_of(QUOTED, NAMED), SAME, NAMED, FURTHER).map(lambda t: "{} {} {}{}".format(*t))
TOLD = st.recursive(
    COMPARED,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
        inner.map(lambda t: f"not ({t})"),
    ),
    max_leaves=4,
)
COUNTED = st.tuples(TOLD, TOLD).map(lambda t: f"x + 2 * ({t[0]}) if {t[1]} else x % 3")


@given(st.one_of(TOLD, COUNTED))
def test_texts_are_compared_as_python_does(text):
    rows = zip(SHAPES, OTHERS, range(6), strict=True)
    expected = [eval(text, {}, {"shape": str(s), "other": str(o), "x": x}) for s, o, x in rows]  # noqa: S307
    np.testing.assert_array_equal(evaluate(text, TEXTS), expected)


NO_NUMBERS = (
    *("shape", "'heart'", "shape + 'a'", "shape * 2", "-shape", "not shape", "shape and x"),
    *("shape == 'oval' or other", "min(shape, other)", "abs(shape)", "shape if x else other"),
    *("1 if shape else 0", "x if x else 'oval'"),
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("shape < 'heart'", "must be texts compared with texts alone, by == or !="),
        ("'heart' >= shape", "must be texts compared with texts alone, by == or !="),
        ("shape == 3", "must be texts compared with texts alone, by == or !="),
        ("x != 'heart'", "must be texts compared with texts alone, by == or !="),
        ("1 < x == 'heart'", "must be texts compared with texts alone, by == or !="),
        ("shape == 'hart'", "no value of the factor is named 'hart'. Did you mean 'heart'? Known: #1, heart"),
        ("'Square' != shape", "Did you mean 'square'?"),
        ("1 if shape == 'triangle' else 0", "no value of the factor is named 'triangle'"),
        ("shape == b'heart'", "is not allowed in"),
        ("shape in 'heart'", "is not allowed in"),
        ("shape[0] == 'h'", "is not allowed in"),
        *((text, "whose value is a number or a condition") for text in NO_NUMBERS),
    ],
)
def test_texts_are_compared_and_nothing_else(text, said):
    with pytest.raises(_checks.RequestError) as error:
        evaluate(text, TEXTS)
    assert str(error.value).startswith("expression")
    assert said in str(error.value)


@pytest.mark.parametrize("text", ["x # shape == 'oval'", "shape == 'oval' # '", 'x + 1 # "\'"'])
def test_a_remark_is_refused_beside_texts_too(text):
    with pytest.raises(_checks.RequestError, match="expression must be an expression of"):
        evaluate(text, TEXTS)


ROW, INK = np.indices((3, 2)).reshape(2, -1)
FREQUENCIES = {"skewed": "3 if ink == 'dark' else 1", "high": "ink != 'dark' and row > 5"}
SOURCE = GivenSource(bars(frequencies=FREQUENCIES, tasks={"dark": "ink == 'dark'", "ink": "ink"}))


@pytest.mark.parametrize(
    ("rule", "weights"),
    [
        ("skewed", 1 + 2 * INK),
        ("high", (INK == 0) & (ROW > 0)),
        ("row * (ink == 'pale')", ROW * (INK == 0)),
        ("most if 'dark' == ink else row", np.where(INK == 1, 7, 10 * ROW)),
    ],
)
def test_frequencies_ask_for_texts(rule, weights):
    found = frequency(rule, SOURCE, parameters={"most": 7.0} if "most" in rule else {})
    np.testing.assert_allclose(found, weights / weights.sum())


def test_a_frequency_is_no_text():
    with pytest.raises(_checks.RequestError, match="frequency must be an expression whose value is a number"):
        frequency("ink", SOURCE)


@pytest.mark.parametrize(
    ("name", "rule", "labels"),
    [
        ("dark", None, INK),
        ("ink", None, INK),
        ("mine", " ink ", INK),
        ("mine", "ink != 'dark'", 1 - INK),
        ("mine", "2 if ink == 'dark' else row // 10 % 2", np.where(INK == 1, 2, ROW % 2)),
    ],
)
def test_tasks_ask_for_texts(name, rule, labels):
    np.testing.assert_array_equal(task(name, SOURCE, expression=rule).labels, labels)


def given_factors(factor: Factor, places: list[int]) -> GivenSource:
    """A world of six stimuli with these places among the values of a factor, told apart by another."""
    table = np.stack([places, range(6)], axis=1)
    factors = (factor, Factor("place", tuple(range(6))))
    return GivenSource(bars(factors=factors, stimuli=table, mean_images=None, sample=images_of(0)))


@pytest.mark.parametrize(
    ("factor", "stimuli", "labels"),
    [
        (Factor("shape", ("c", "a", "b"), "categorical"), [2, 0, 1, 0, 2, 1], [2, 0, 1, 0, 2, 1]),
        (Factor("shape", ("c", "a", "unseen", "b"), "categorical"), [3, 0, 1, 3, 0, 1], [2, 0, 1, 2, 0, 1]),
        (Factor("shape", (30, 10, 20), "categorical"), [1, 0, 2, 1, 0, 2], [1, 0, 2, 1, 0, 2]),
    ],
)
def test_a_categorical_factor_alone_is_a_task_of_its_values_in_their_order(factor, stimuli, labels):
    source = given_factors(factor, stimuli)
    np.testing.assert_array_equal(task("shape", source, expression="shape").labels, labels)
    if factor.values[0] == "c":
        with pytest.raises(_checks.RequestError, match="no value of the factor is named 'unsen'"):
            task("mine", source, expression="shape == 'unsen'")


def test_a_category_that_is_one_value_is_no_task():
    source = given_factors(Factor("ink", ("pale",), "categorical"), [0] * 6)
    with pytest.raises(_checks.RequestError, match=r"every class occurs \(class 1 never does\)"):
        task("ink", source, expression="ink")


WORLD = """
import numpy as np, jax.numpy as jnp
from ratewarp.sources import Factor

class World:
    name, image_shape, pixels, mean_images = "world", (2, 2, 1), "binary", None
    factors = Factor("shape", ("heart", "square"), "categorical"), Factor("x", (0, 0.5))
    stimuli = np.indices((2, 2)).reshape(2, -1).T
    def sample(self, stimuli, *, keys):
        return jnp.zeros((len(stimuli), 2, 2, 1), jnp.uint8)
"""
ROWS = ["shape,x,frequency", "square,0.5,4", "heart,0,1", "square,0,3", "heart,0.5,2"]


def table_study(folder, rows):
    """A study whose frequency is a table of a world with a text column."""
    (folder / "text_world.py").write_text(WORLD)
    (folder / "often.csv").write_text("\n".join(rows))
    study = folder / "study.yaml"
    lines = ["source: {import: 'text_world:World'}", "network: mlp", "capacities_nats: [1]"]
    study.write_text("\n".join([*lines, "models: {a: {frequency: {file: often.csv}}}"]))
    return load_study(study, allow_code=True)


def test_a_table_of_frequencies_may_have_a_column_of_texts(tmp_path):
    study = table_study(tmp_path, ROWS)
    assert isinstance(study, Study)
    np.testing.assert_allclose(study.conditions[0].setting.probabilities(), [0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (ROWS[:-1], "one row for every stimulus, and no others; got 'none for shape = heart, x = 0.5'"),
        ([*ROWS, "heart,0,1"], "one row for every stimulus, and no others; got 'a stimulus given twice'"),
        ([*ROWS[:-1], "haert,0.5,2"], "none for shape = heart, x = 0.5"),
        ([*ROWS[:-1], "heart,wide,2"], "line 5 must be numbers, or texts of factors whose values are texts"),
        (["x,frequency", "0,1"], "a CSV file with the columns shape, x, frequency; got ['x', 'frequency']"),
        ([*ROWS, "round,0,1"], "for every stimulus, and no others; got 'one for shape = round, x = 0'"),
    ],
)
def test_a_table_that_does_not_fit_the_texts_is_refused(tmp_path, rows, said):
    with pytest.raises(_checks.RequestError) as error:
        table_study(tmp_path, rows)
    assert said in str(error.value)
