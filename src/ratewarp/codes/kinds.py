"""What the numbers that a user brings are: codes, or dissimilarities that codes are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Float

from ratewarp._checks import RequestError, refuse, refuse_name
from ratewarp.codes.dissimilarities import (
    Subject,
    check_subject,
    from_dissimilarities,
    look_like_dissimilarities,
    stacked,
    stimuli_of,
)
from ratewarp.geometry.code_checks import check_codes

Kind = Literal["codes", "distances", "squared distances"]
KINDS = get_args(Kind)


class Brought(NamedTuple):
    """Codes as they are measured.

    Attributes:
        codes: one row per item.
        reference: codes of its own; None without one.
        kept: of "codes" and "reference", where they were made of dissimilarities: share of these that codes
            can have.
    """

    codes: Float[np.ndarray, "items latents"]
    reference: Float[np.ndarray, "rows latents"] | None
    kept: Mapping[str, float]


def bring(
    codes: np.ndarray,
    reference: np.ndarray | None,
    *,
    kind: Kind | None = None,
    reference_kind: Kind | None = None,
    subject: Subject | None = None,
    reference_subject: Subject | None = None,
) -> Brought:
    """Codes of what was given, made of it where it is dissimilarities.

    Arguments:
        codes: codes, or dissimilarities in any form.
        reference: likewise; None without one.
        kind: what `codes` are; codes if not said, unless they look like dissimilarities.
        reference_kind: what `reference` is; if not said, of the kind of `codes` where it looks like
            dissimilarities, too.
        subject: which of several matrices, or "mean".
        reference_subject: likewise of the reference; the same if not given.

    Raises:
        RequestError: it is not said what they are, and they look like dissimilarities; or they cannot be what
            they are said to be.

    Examples:
        >>> brought = bring(np.array([3, 4, 5]), None, kind="distances")
        >>> brought.codes.shape, brought.kept
        ((3, 2), {'codes': 1.0})
    """
    check_kind("kind", kind)
    check_kind("reference_kind", reference_kind)
    check_subject(subject)
    check_subject(reference_subject, "reference_subject")
    for argument, one in (("reference_kind", reference_kind), ("reference_subject", reference_subject)):
        if one is not None and reference is None:
            refuse(argument, "given together with a reference", "no reference")
    own = _Given.of(codes, kind, "codes", "kind")
    if own.stack is not None and reference is not None and reference_kind is None:
        reference_kind = kind if can_be_of_pairs(reference, own.stack.shape[-1]) else None
    given = [own]
    if reference is not None:
        given.append(_Given.of(reference, reference_kind, "reference", "reference_kind"))
    others = subject if reference_subject is None else reference_subject
    made = [one.made(which) for one, which in zip(given, (subject, others), strict=False)]
    if not any(one.several for one in given) and subject not in (None, "mean", 0):
        refuse("subject", "given where dissimilarities are of several subjects", subject)
    if not given[-1].several and reference_subject not in (None, "mean", 0):
        refuse("reference_subject", "given where the reference is of several subjects", reference_subject)
    kept = {one.argument: share for one, (_, share) in zip(given, made, strict=True) if share is not None}
    return Brought(made[0][0], made[1][0] if reference is not None else None, kept)


class _Given(NamedTuple):
    """An argument as it was given.

    Attributes:
        values: the array.
        stack: full matrices, one a subject, where it is dissimilarities.
        kind: what it is said to be.
        argument: its name.
        word: name of the argument that says what it is.
    """

    values: np.ndarray
    stack: np.ndarray | None
    kind: Kind | None
    argument: str
    word: str

    @staticmethod
    def of(values: np.ndarray, kind: Kind | None, argument: str, word: str) -> _Given:
        stack = stacked(values, argument=argument) if is_of_pairs(kind) else None
        return _Given(values, stack, kind, argument, word)

    @property
    def several(self) -> bool:
        return self.stack is not None and len(self.stack) > 1

    def made(self, subject: Subject | None) -> tuple[np.ndarray, float | None]:
        """Codes, and how much of the dissimilarities they have, where they were made of such."""
        if self.stack is None:
            return as_codes(self.values, self.kind, self.argument, self.word), None
        found = from_dissimilarities(
            self.stack,
            squared=self.kind == "squared distances",
            subject=subject if self.several else None,
            argument=self.argument,
        )
        return found.codes, found.kept


def is_of_pairs(kind: str | None) -> bool:
    """Whether numbers of this kind are of pairs of stimuli: dissimilarities, not codes."""
    return kind in ("distances", "squared distances")


def can_be_of_pairs(values: np.ndarray, stimuli: int) -> bool:
    """Whether an array beside dissimilarities of so many stimuli is taken for such, too: by its look, or
    since codes of these stimuli have other shapes.
    """
    if values.ndim != 2 or look_like_dissimilarities(values):
        return True
    return stimuli_of(max(values.shape) if 1 in values.shape else values.shape[1]) == stimuli


def check_kind(argument: str, kind: Any) -> None:
    """`RequestError` for a kind that there is not."""
    if kind is not None and kind not in KINDS:
        refuse_name(argument, "kind", kind, KINDS)


def as_codes(values: np.ndarray, kind: Kind | None, argument: str, word: str) -> np.ndarray:
    """Codes, if it is said that they are or they do not look like anything else; `word` is the name of the
    argument that says it.
    """
    if kind is None and look_like_dissimilarities(values):
        shape = " × ".join(f"{side:,}" for side in values.shape)
        raise RequestError(
            f"{argument} ({shape}) look like dissimilarities: symmetric, 0 on the diagonal. Say"
            f' {word}="distances" or {word}="squared distances"; or {word}="codes" if rows are codes'
        )
    return check_codes(values, argument=argument)
