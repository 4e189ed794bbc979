"""Dissimilarities of stimuli, in the forms in which they come, and the codes that have them."""

from __future__ import annotations

from math import isqrt
from typing import Any, Literal, NamedTuple, NoReturn

import numpy as np
from jaxtyping import Float

from ratewarp._checks import RequestError, refuse

Subject = int | Literal["mean"]

# of the largest entry: what single precision, or a text file of six digits, does to two equal numbers
_ROUNDING = 1e-5
_FEWEST = 3  # stimuli of an array that is taken for dissimilarities by its look: [[0, 1], [1, 0]] says little
_KEPT = 1e-10  # of the largest variance: axes below it are rounding
FORMS = (
    "a symmetric matrix (stimuli, stimuli), a vector of its n(n − 1)/2 pairs, or several of either,"
    " (subjects, stimuli, stimuli) or (subjects, pairs)"
)


class Scaled(NamedTuple):
    """Codes whose distances are given dissimilarities.

    Attributes:
        codes: one row per stimulus, axes in order of variance.
        stimuli: names of the rows.
        kept: share of the dissimilarities' inertia that codes can have; below 1 where they are not distances
            of any codes.
    """

    codes: Float[np.ndarray, "stimuli latents"]
    stimuli: tuple[str, ...]
    kept: float


def from_dissimilarities(
    dissimilarities: Any,
    *,
    squared: bool = False,
    subject: Subject | None = None,
    argument: str = "dissimilarities",
) -> Scaled:
    """Codes with the given dissimilarities, by classical scaling.

    −½ C D C = Z Zᵀ, where D are squared distances, C centres, and Z are the codes: eigenvectors, each times
    the square root of its eigenvalue. Codes are up to rotation; negative eigenvalues, which distances of
    codes do not have, are left out, and `kept` is the share Σ positive / Σ |all|.

    Arguments:
        dissimilarities: in any of the forms that `stacked` takes.
        squared: whether they are squares of distances, such as squared Euclidean, squared Mahalanobis and
            crossnobis distances, or 1 − r, which is half the squared distance of patterns scaled to mean 0
            and norm 1. Only squares may be negative, as unbiased estimates are.
        subject: which matrix of several, counted from 0, or `"mean"` for the mean of their entries.
        argument: what to call them in messages.

    Returns:
        Codes in the unit of the distances, stimuli numbered from 0, and how much of the dissimilarities codes
        can have.

    Raises:
        RequestError: no form of dissimilarities; entries that are not finite, not symmetric, negative where
            they are distances, or all 0; a diagonal that is not 0; several subjects and none chosen.

    Source: Torgerson, Psychometrika 1952.

    Examples:
        >>> found = from_dissimilarities([3, 4, 5])  # the pairs 0-1, 0-2 and 1-2
        >>> found.codes.shape, round(found.kept, 6)
        ((3, 2), 1.0)
        >>> round(float(np.linalg.norm(found.codes[1] - found.codes[2])), 6)
        5.0
    """
    stack = stacked(dissimilarities, argument=argument)
    matrix = chosen(checked(stack, squared=squared, argument=argument), subject, argument=argument)
    size = np.abs(matrix).max()
    if size == 0:
        refuse(argument, "different from 0", "no two stimuli that differ")
    matrix = matrix / size  # so that no square overflows
    codes, kept = _classical_scaling(matrix if squared else matrix**2)
    unit = np.sqrt(size) if squared else size
    return Scaled(codes * unit, tuple(str(number) for number in range(len(codes))), kept)


def stacked(
    dissimilarities: Any, *, argument: str = "dissimilarities"
) -> Float[np.ndarray, "subjects stimuli stimuli"]:
    """Dissimilarities as full matrices, one a subject, whichever way they are stored; entries as they are.

    Taken are: a matrix (stimuli, stimuli); the pairs above its diagonal row by row, as SciPy's `pdist` and
    `squareform` order them (and MATLAB's); several of either, (subjects, stimuli, stimuli) and
    (subjects, pairs); and these with the subjects last, as toolboxes of MATLAB have them, where the first
    axes can be nothing but stimuli or pairs.

    Raises:
        RequestError: none of these forms, or no numbers.

    Examples:
        >>> stacked([[1, 2, 3], [4, 5, 6], [7, 8, 9], [1, 1, 1]]).shape  # four subjects, three pairs
        (4, 3, 3)
    """
    array = _numbers(dissimilarities, argument)
    if not array.size:
        refuse(argument, FORMS, f"shape {array.shape}")
    if array.ndim == 1:
        stack = _unfolded(array[None], argument)
    elif array.ndim == 2:
        stack = _of_two_axes(array, argument)
    elif array.ndim == 3:
        stack = _of_three_axes(array, argument)
    else:
        refuse(argument, FORMS, f"shape {array.shape}")
    if stack.shape[-1] < 2:
        refuse(argument, "of at least 2 stimuli", f"shape {array.shape}")
    return stack


def checked(
    stack: Float[np.ndarray, "subjects stimuli stimuli"],
    *,
    squared: bool = False,
    argument: str = "dissimilarities",
) -> Float[np.ndarray, "subjects stimuli stimuli"]:
    """The same matrices, exactly symmetric, with a diagonal of zeros (NaN there counts as 0).

    Arguments:
        stack: full matrices, one a subject.
        squared: whether entries are squares of distances, which may be negative.
        argument: what to call them in messages.

    Raises:
        RequestError: an entry that cannot be one of dissimilarities; the message says which.
    """
    stack = _hollow(stack)
    if (odd := ~np.isfinite(stack)).any():
        place = _first(odd)
        refuse(argument, "finite", f"{stack[place]} for {_pair(stack, place)}")
    size = np.abs(stack).max(axis=(1, 2), keepdims=True)
    diagonal = stack * np.eye(stack.shape[-1])
    if (odd := np.abs(diagonal) > _ROUNDING * size).any():
        _refuse_diagonal(stack, _first(odd), argument)
    turned = stack.swapaxes(1, 2)
    if (odd := np.abs(stack / 2 - turned / 2) > _ROUNDING * size / 2).any():
        place = np.unravel_index(np.argmax(np.abs(stack / 2 - turned / 2)), stack.shape)
        refuse(argument, "symmetric", f"{stack[place]:g} and {turned[place]:g} for {_pair(stack, place)}")
    stack = (stack / 2 + turned / 2) * (1 - np.eye(stack.shape[-1]))
    if squared:
        return stack
    if (odd := stack < -_ROUNDING * size).any():
        place = _first(odd)
        requirement = (
            "0 or more, as distances are (squares may be negative: unbiased estimates such as crossnobis)"
        )
        refuse(argument, requirement, f"{stack[place]:g} for {_pair(stack, place)}")
    return np.maximum(stack, 0)


def chosen(
    stack: Float[np.ndarray, "subjects stimuli stimuli"],
    subject: Subject | None,
    *,
    argument: str = "dissimilarities",
) -> Float[np.ndarray, "stimuli stimuli"]:
    """The matrix of one subject, or the mean of all; the only one needs no choice.

    Raises:
        RequestError: several subjects and no choice, or a subject that there is not.
    """
    check_subject(subject)
    if subject == "mean":
        return stack.mean(axis=0)
    if subject is None:
        if len(stack) > 1:
            raise RequestError(
                f"subject: {argument} are of {len(stack)} subjects; say subject=INDEX, from 0 to"
                f' {len(stack) - 1}, or subject="mean"'
            )
        return stack[0]
    if subject >= len(stack):
        refuse("subject", f"from 0 to {len(stack) - 1}: {argument} are of {len(stack)}", subject)
    return stack[subject]


def check_subject(subject: Any, argument: str = "subject") -> None:
    """`RequestError` for what is no choice of a subject."""
    whole = isinstance(subject, int | np.integer) and not isinstance(subject, bool) and subject >= 0
    if subject is not None and not whole and not (isinstance(subject, str) and subject == "mean"):
        refuse(argument, 'a whole number, 0 or more, or "mean"', subject)


def look_like_dissimilarities(values: Any) -> bool:
    """Whether an array is square and symmetric, with a diagonal of zeros, of at least three items, or holds
    nothing but such matrices.

    Examples:
        >>> look_like_dissimilarities([[0, 1, 2], [1, 0, 3], [2, 3, 0]])
        True
        >>> look_like_dissimilarities(np.eye(3))
        False
    """
    array = np.asarray(values)
    if array.dtype.kind not in "iuf" or array.ndim not in (2, 3) or not array.size:
        return False
    stacks = [array[None]] if array.ndim == 2 else [array, np.moveaxis(array, 2, 0)]
    # most codes are not square, and need not be copied
    square = [stack for stack in stacks if stack.shape[1] == stack.shape[2] >= _FEWEST]
    return any(_well_formed(stack.astype(np.float64)) for stack in square)


def stimuli_of(pairs: int) -> int | None:
    """How many stimuli have so many pairs; None for a number that is no n(n − 1)/2.

    Examples:
        >>> stimuli_of(10), stimuli_of(11)
        (5, None)
    """
    number = (1 + isqrt(1 + 8 * pairs)) // 2
    return number if pairs > 0 and number * (number - 1) // 2 == pairs else None


def _classical_scaling(squares: np.ndarray) -> tuple[np.ndarray, float]:
    """Codes of squared distances, and the share of the inertia that they have."""
    centre = np.eye(len(squares)) - 1 / len(squares)
    sizes, directions = np.linalg.eigh(-0.5 * centre @ squares @ centre)
    order = np.argsort(sizes)[::-1]
    order = order[sizes[order] > _KEPT * max(sizes.max(), 0)]
    kept = float(sizes[order].sum() / np.abs(sizes).sum())
    return directions[:, order] * np.sqrt(sizes[order]), kept


def _numbers(values: Any, argument: str) -> np.ndarray:
    try:
        array = np.asarray(values)
    except ValueError:
        refuse(argument, "a rectangular array", values)
    if array.dtype.kind not in "iuf":
        refuse(argument, "an array of real numbers", f"dtype {array.dtype}")
    with np.errstate(over="ignore"):
        return array.astype(np.float64)


def _of_two_axes(array: np.ndarray, argument: str) -> np.ndarray:
    """One matrix, or pairs of several subjects."""
    rows, columns = array.shape
    if rows == columns:
        matrix = array[None]
        # as many subjects as pairs look like no matrix at all; what is half right is a matrix with a mistake
        if stimuli_of(columns) is None or _is_hollow(_hollow(matrix)) or _is_symmetric(matrix):
            return matrix
    if columns == 1:  # a vector, not subjects of one pair
        return _unfolded(array.T, argument)
    if stimuli_of(columns) is None and stimuli_of(rows):
        return _unfolded(array.T, argument)
    return _unfolded(array, argument)


def _of_three_axes(array: np.ndarray, argument: str) -> np.ndarray:
    """Matrices of several subjects, which stand first or, in MATLAB, last."""
    first, second, last = array.shape
    if first == second == last and not _well_formed(array) and _well_formed(np.moveaxis(array, 2, 0)):
        return np.moveaxis(array, 2, 0)
    if second == last:
        return array
    if first == second:
        return np.moveaxis(array, 2, 0)
    if first != 1 or stimuli_of(second) is None:
        refuse(argument, FORMS, f"shape {array.shape}")
    return _unfolded(array[0].T, argument)  # rows of pairs, one behind the other


def _unfolded(rows: np.ndarray, argument: str) -> np.ndarray:
    """Full matrices of rows of pairs."""
    pairs = rows.shape[-1]
    number = stimuli_of(pairs)
    if number is None:
        near = (1 + isqrt(1 + 8 * pairs)) // 2
        sizes = ", ".join(f"{n * (n - 1) // 2:,} for {n}" for n in (near, near + 1) if n > 1)
        requirement = f"square, or of n(n − 1)/2 pairs of n stimuli ({sizes})"
        refuse(argument, requirement, f"{pairs:,} numbers in a row, shape {rows.shape}")
    stack = np.zeros((len(rows), number, number))
    above = np.triu_indices(number, 1)
    stack[:, above[0], above[1]] = rows
    return stack + stack.swapaxes(1, 2)


def _hollow(stack: np.ndarray) -> np.ndarray:
    """With 0 for NaN on the diagonal, as toolboxes write what they do not show."""
    unknown = np.isnan(stack) & np.eye(stack.shape[-1], dtype=bool)
    return np.where(unknown, 0.0, stack)


def _well_formed(stack: np.ndarray) -> bool:
    """Whether matrices of any size are what dissimilarities look like, and not all 0."""
    if stack.shape[1] != stack.shape[2]:
        return False
    filled = _hollow(stack)
    return bool(np.isfinite(filled).all() and filled.any() and _is_hollow(filled) and _is_symmetric(filled))


def _is_hollow(stack: np.ndarray) -> bool:
    size = _largest(stack)
    return bool((np.abs(np.diagonal(stack, axis1=1, axis2=2)) <= _ROUNDING * size).all())


def _is_symmetric(stack: np.ndarray) -> bool:
    turned = stack.swapaxes(1, 2)
    with np.errstate(invalid="ignore"):
        near = np.abs(stack / 2 - turned / 2) <= _ROUNDING * _largest(stack) / 2
    return bool((near | (stack == turned) | (np.isnan(stack) & np.isnan(turned))).all())


def _largest(stack: np.ndarray) -> float:
    return float(np.abs(np.where(np.isfinite(stack), stack, 0)).max())


def _first(odd: np.ndarray) -> tuple[Any, ...]:
    return np.unravel_index(np.argmax(odd), odd.shape)


def _pair(stack: np.ndarray, place: Any) -> str:
    """Stimuli of an entry, in words; the subject where there are several."""
    subject, one, other = (int(number) for number in place)
    who = f" of subject {subject}" if len(stack) > 1 else ""
    return f"stimuli {one} and {other}{who}, counted from 0"


def _refuse_diagonal(stack: np.ndarray, place: Any, argument: str) -> NoReturn:
    subject, one, _ = (int(number) for number in place)
    diagonal = np.diagonal(stack[subject])
    who = f" of subject {subject}" if len(stack) > 1 else ""
    came = f"{diagonal[one]:g} for stimulus {one}{who}, counted from 0"
    if np.allclose(diagonal, 1):
        came += "; similarities such as correlations are to be taken from 1"
    raise RequestError(f"{argument} must be 0 on the diagonal; got {came}")
