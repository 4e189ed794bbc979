"""A small, safe language for rules over a source's factors: `x_UC <= x_LC`, `3 if shape == 'heart' else 1`.

Python's own parser reads the text; only the node types listed here are then computed, on arrays, by this
module. Nothing is ever evaluated as Python: no calls but `min`, `max` and `abs`, no attributes, no indexing,
no powers.
"""

from __future__ import annotations

import ast
import operator
import re
import warnings
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

from ratewarp._checks import RequestError, did_you_mean, refuse, refuse_name, shorten

MAX_LENGTH = 500
MAX_DEPTH = 40
_TEXTS = re.compile("'[^']*'|\"[^\"]*\"")
LARGEST = 2**53  # whole numbers below this size are exact, also beside numbers with a point

_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda a, b: _divide(np.true_divide, a, b),
    ast.FloorDiv: lambda a, b: _divide(np.floor_divide, a, b),
    ast.Mod: lambda a, b: _divide(np.mod, a, b),
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": lambda *values: reduce(np.minimum, values),
    "max": lambda *values: reduce(np.maximum, values),
    "abs": np.abs,
}
ALLOWED = (
    "numbers, factor names, + - * / // %, comparisons, and/or/not, `a if b else c`, min, max, abs and"
    " parentheses; a factor whose values"
    " are texts is compared by == and != with a text in quotes"
)


def evaluate(
    expression: str,
    factors: Mapping[str, np.ndarray],
    *,
    length: int | None = None,
    argument: str = "expression",
) -> np.ndarray:
    """Value of `expression` for every stimulus.

    Arguments:
        expression: at most 500 characters of the grammar in `ALLOWED`; comparisons may be chained (`2 <= x_UC
            < 5`).
        factors: factor name → its value at each stimulus, arrays of numbers or of texts, of one common
            length.
        length: that length; needed only where there are no factors.
        argument: name used in error messages.

    Returns:
        Array of the factors' length; boolean for conditions, otherwise integers or floats.

    Raises:
        RequestError: syntax outside the grammar, an unknown factor, a text that is no value of the factor it
            is compared with, a value that is not finite, or a whole number beyond 2^53, also on the way.

    Examples:
        >>> evaluate("a < b and not a == 0", {"a": np.array([0, 1, 2]), "b": np.array([1, 2, 2])})
        array([False,  True, False])
    """
    if "#" in _TEXTS.sub("", expression):  # Python would read a remark
        refuse(argument, f"an expression of {ALLOWED}", expression)
    if len(expression) > MAX_LENGTH:
        refuse(argument, f"at most {MAX_LENGTH} characters", f"{len(expression)} characters")
    tree = _parsed(expression, argument)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        value = _Evaluation(factors, argument, expression).of(tree.body, 0)
    count = len(next(iter(factors.values()))) if length is None else length
    result = np.broadcast_to(_numeric(value, argument, expression), (count,)).copy()
    if not np.all(np.isfinite(result)):
        refuse(argument, "finite at every stimulus", expression)
    return result


def names_in(expression: str) -> set[str]:
    """Names that an expression uses, of functions too; none where it cannot be read.

    Examples:
        >>> sorted(names_in("max(a, ratio) if b else 1"))
        ['a', 'b', 'max', 'ratio']
    """
    try:
        return {node.id for node in ast.walk(_parsed(expression, "expression")) if isinstance(node, ast.Name)}
    except RequestError:
        return set()


def _parsed(expression: str, argument: str) -> ast.Expression:
    """The tree of an expression; what Python only warns of, such as `1 if 1else 0`, is refused too."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        refuse(argument, f"an expression of {ALLOWED}", expression)


def _numeric(value: Any, argument: str, text: str) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind == "U":
        refuse(argument, f"an expression whose value is a number or a condition, of {ALLOWED}", text)
    return array


class _Evaluation:
    """One walk over one expression; holds what error messages need."""

    def __init__(self, factors: Mapping[str, np.ndarray], argument: str, text: str):
        self.factors, self.argument, self.text = factors, argument, text

    def of(self, node: ast.expr, depth: int) -> Any:
        if depth > MAX_DEPTH:
            refuse(self.argument, f"nested at most {MAX_DEPTH} deep", self.text)
        operands = [
            self.of(child, depth + 1)
            for child in ast.iter_child_nodes(node)
            if isinstance(child, ast.expr) and not self._is_name_of_call(node, child)
        ]
        match node:
            case ast.Constant(value=bool() | int() | float() as number) if abs(number) < LARGEST:
                return np.asarray(number)
            case ast.Constant(value=str() as text):
                return np.asarray(text)
            case ast.Name(id=name):
                return self._factor(name)
            case ast.BinOp(op=op) if type(op) in _ARITHMETIC:
                return self._combined(type(op), *map(self._number, operands))
            case ast.UnaryOp(op=ast.USub()):
                return -self._number(operands[0])
            case ast.UnaryOp(op=ast.Not()):
                return ~self._condition(operands[0])
            case ast.BoolOp(op=ast.And()):
                return reduce(operator.and_, [self._condition(o) for o in operands])
            case ast.BoolOp(op=ast.Or()):
                return reduce(operator.or_, [self._condition(o) for o in operands])
            case ast.Compare(ops=ops) if all(type(op) in _COMPARISONS for op in ops):
                links = [
                    self._compared(op, a, b) for op, a, b in zip(ops, operands, operands[1:], strict=False)
                ]
                return reduce(operator.and_, links)
            case ast.IfExp():
                condition, then, otherwise = operands
                return np.where(self._condition(condition), self._numeric(then), self._numeric(otherwise))
            case ast.Call(func=ast.Name(id=name), keywords=[]) if name in _FUNCTIONS and operands:
                return self._call(name, operands)
        known = ", ".join(self.factors)
        raise RequestError(
            f"{self.argument}: '{ast.unparse(node)}' is not allowed in {shorten(self.text)}; use {ALLOWED}."
            f" Factors: {known}"
        )

    @staticmethod
    def _is_name_of_call(node: ast.expr, child: ast.expr) -> bool:
        return isinstance(node, ast.Call) and child is node.func

    def _factor(self, name: str) -> np.ndarray:
        if name not in self.factors:
            known = did_you_mean(name, self.factors)
            raise RequestError(
                f"{self.argument}: no factor is named '{name}'.{known} Factors: {', '.join(self.factors)}"
            )
        return self.factors[name]

    def _combined(self, op: type[ast.operator], first: np.ndarray, second: np.ndarray) -> np.ndarray:
        value = _ARITHMETIC[op](first, second)
        if value.dtype.kind in "iu" and np.any(
            np.abs(_ARITHMETIC[op](first.astype(float), second.astype(float))) >= LARGEST
        ):
            refuse(
                self.argument, "made of whole numbers below 2^53, which are exact, on the way too", self.text
            )
        return value

    def _call(self, name: str, operands: list[Any]) -> Any:
        if (name == "abs") != (len(operands) == 1):
            refuse(self.argument, "min and max of two or more values, abs of one", self.text)
        return _FUNCTIONS[name](*map(self._number, operands))

    def _compared(self, op: ast.cmpop, first: Any, second: Any) -> np.ndarray:
        """One comparison; texts are equal to texts or not, and one that a factor never takes is a mistake."""
        sides = np.asarray(first), np.asarray(second)
        texts = [side for side in sides if side.dtype.kind == "U"]
        if texts and (len(texts) < len(sides) or not isinstance(op, ast.Eq | ast.NotEq)):
            refuse(self.argument, "texts compared with texts alone, by == or !=", self.text)
        for asked, values in (sides, sides[::-1]) if texts else ():
            if asked.ndim == 0 and values.ndim and str(asked) not in values:
                known = sorted(set(values.tolist()))
                refuse_name(self.argument, "value of the factor", str(asked), known)
        return _COMPARISONS[type(op)](*sides)

    def _numeric(self, value: Any) -> np.ndarray:
        return _numeric(value, self.argument, self.text)

    def _number(self, value: Any) -> np.ndarray:
        """Conditions count as 0 and 1 in arithmetic."""
        array = self._numeric(value)
        return array.astype(int) if array.dtype == bool else array

    def _condition(self, value: Any) -> np.ndarray:
        """Numbers other than 0 count as true in conditions."""
        return self._numeric(value).astype(bool)


def _divide(operation: Callable[[Any, Any], Any], a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A quotient or remainder; NaN where the divisor is 0, which a condition may then leave out."""
    quotient = operation(a, np.where(b == 0, 1, b))
    return np.where(b == 0, np.nan, quotient) if np.any(b == 0) else quotient
