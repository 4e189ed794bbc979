"""Fields of MATLAB structs as arrays, `struct.field`: what is said of those that are none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

STRUCTS = (
    "is a struct, a cell array of other things than names, or an object;"
    " save its fields as arrays of their own"
)
MOST_FIELDS = 200  # of one struct
MOST_ELEMENTS = 10_000  # of an array of structs
LEFT_OUT = {
    "other": "holds other things than numbers, or names, in all elements of the struct",
    "shapes": "has not the same shape in all elements of the struct",
    "single": "is a single value",
    "empty": "is empty",
    "deep": "lies in structs within structs within structs",
    "fields": f"is a struct of more than {MOST_FIELDS} fields",
    "elements": f"is of an array of more than {MOST_ELEMENTS:,} structs",
    "large": "needs more memory than a struct may take to be read; save it as an array of its own",
    "damaged": "is damaged",
}


def refused_fields(struct: str, found: Iterable[str], left: Mapping[str, str]) -> dict[str, str]:
    """What to say of a struct and of what is left out of it, by name.

    Arguments:
        struct: name of the variable.
        found: names of its fields that can be read.
        left: why others cannot be, keys of `LEFT_OUT`.

    Examples:
        >>> refused_fields("RDMs", ["RDMs.RDM"], {"RDMs.note": "single"})["RDMs"]
        'is a struct; say one of its fields, RDMs.RDM'
    """
    names = list(found)
    own = f"is a struct; say one of its fields, {', '.join(names[:8])}" if names else STRUCTS
    # of a struct of settings or notes, one line is enough
    told = {name: why for name, why in left.items() if names or why not in ("single", "empty", "other")}
    fields = {name: LEFT_OUT.get(why, STRUCTS) for name, why in told.items()}
    return {struct: own, **fields}


def line(shape: tuple[int, ...]) -> tuple[int, ...]:
    """MATLAB's vectors are matrices of one column or row.

    Examples:
        >>> line((1, 6)), line((6, 2)), line((1, 1))
        ((6,), (6, 2), (1, 1))
    """
    return (max(shape),) if len(shape) == 2 and min(shape) == 1 and max(shape) > 1 else shape
