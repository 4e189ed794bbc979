"""A small, safe language for rules over a source's factors: `x_UC <= x_LC`, `2000 if x_LC <= 6 else 260`.

Python's own parser reads the text; only the node types listed here are then computed, on arrays, by this module. Nothing is
ever evaluated as Python: no calls but `min`, `max` and `abs`, no attributes, no indexing, no powers.
"""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

from ratewarp._checks import RequestError, did_you_mean, refuse, shorten

MAX_LENGTH = 500
MAX_DEPTH = 40
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
ALLOWED = "numbers, factor names, + - * / // %, comparisons, and/or/not, `a if b else c`, min, max, abs and parentheses"


def evaluate(expression: str, factors: Mapping[str, np.ndarray], *, argument: str = "expression") -> np.ndarray:
    """Value of `expression` for every stimulus.

    Arguments:
        expression: at most 500 characters of the grammar in `ALLOWED`; comparisons may be chained (`2 <= x_UC < 5`).
        factors: factor name → its value at each stimulus, arrays of one common length.
        argument: name used in error messages.

    Returns:
        Array of the factors' length; boolean for conditions, otherwise integers or floats.

    Raises:
        RequestError: syntax outside the grammar, an unknown factor, a value that is not finite, or a whole number beyond 2^53, also
            on the way.

    Examples:
        >>> evaluate("a < b and not a == 0", {"a": np.array([0, 1, 2]), "b": np.array([1, 2, 2])})
        array([False,  True, False])
    """
    if "#" in expression:
        refuse(argument, f"an expression of {ALLOWED}", expression)
    if len(expression) > MAX_LENGTH:
        refuse(argument, f"at most {MAX_LENGTH} characters", f"{len(expression)} characters")
    tree = _parsed(expression, argument)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        value = _Evaluation(factors, argument, expression).of(tree.body, 0)
    length = len(next(iter(factors.values())))
    result = np.broadcast_to(np.asarray(value), (length,)).copy()
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
            case ast.Name(id=name):
                return self._factor(name)
            case ast.BinOp(op=op) if type(op) in _ARITHMETIC:
                return self._combined(type(op), _number(operands[0]), _number(operands[1]))
            case ast.UnaryOp(op=ast.USub()):
                return -_number(operands[0])
            case ast.UnaryOp(op=ast.Not()):
                return ~_condition(operands[0])
            case ast.BoolOp(op=ast.And()):
                return reduce(operator.and_, [_condition(o) for o in operands])
            case ast.BoolOp(op=ast.Or()):
                return reduce(operator.or_, [_condition(o) for o in operands])
            case ast.Compare(ops=ops) if all(type(op) in _COMPARISONS for op in ops):
                links = [_COMPARISONS[type(op)](a, b) for op, a, b in zip(ops, operands, operands[1:], strict=False)]
                return reduce(operator.and_, links)
            case ast.IfExp():
                condition, then, otherwise = operands
                return np.where(_condition(condition), then, otherwise)
            case ast.Call(func=ast.Name(id=name), keywords=[]) if name in _FUNCTIONS and operands:
                return self._call(name, operands)
        known = ", ".join(self.factors)
        raise RequestError(
            f"{self.argument}: '{ast.unparse(node)}' is not allowed in {shorten(self.text)}; use {ALLOWED}. Factors: {known}"
        )

    @staticmethod
    def _is_name_of_call(node: ast.expr, child: ast.expr) -> bool:
        return isinstance(node, ast.Call) and child is node.func

    def _factor(self, name: str) -> np.ndarray:
        if name not in self.factors:
            known = did_you_mean(name, self.factors)
            raise RequestError(f"{self.argument}: no factor is named '{name}'.{known} Factors: {', '.join(self.factors)}")
        return self.factors[name]

    def _combined(self, op: type[ast.operator], first: np.ndarray, second: np.ndarray) -> np.ndarray:
        value = _ARITHMETIC[op](first, second)
        if value.dtype.kind in "iu" and np.any(np.abs(_ARITHMETIC[op](first.astype(float), second.astype(float))) >= LARGEST):
            refuse(self.argument, "made of whole numbers below 2^53, which are exact, on the way too", self.text)
        return value

    def _call(self, name: str, operands: list[Any]) -> Any:
        if (name == "abs") != (len(operands) == 1):
            refuse(self.argument, "min and max of two or more values, abs of one", self.text)
        return _FUNCTIONS[name](*[_number(o) for o in operands])


def _number(value: Any) -> np.ndarray:
    """Conditions count as 0 and 1 in arithmetic."""
    array = np.asarray(value)
    return array.astype(int) if array.dtype == bool else array


def _condition(value: Any) -> np.ndarray:
    """Numbers other than 0 count as true in conditions."""
    return np.asarray(value).astype(bool)


def _divide(operation: Callable[[Any, Any], Any], a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A quotient or remainder; NaN where the divisor is 0, which a condition may then leave out."""
    quotient = operation(a, np.where(b == 0, 1, b))
    return np.where(b == 0, np.nan, quotient) if np.any(b == 0) else quotient
