"""How to cite the software and the study that it begins from, from `CITATION.cff`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from ratewarp._yaml import read_yaml

_FILE = "CITATION.cff"
_CHECKOUT = Path(__file__).parents[4]  # in which the file stands at the top; a wheel has it in the package


class Citation(NamedTuple):
    """One thing to cite.

    Attributes:
        what: it is, in a few words.
        text: of a list of references.
        bibtex: its entry.
    """

    what: str
    text: str
    bibtex: str


def citations() -> list[Citation]:
    """The software, then its references."""
    facts = _facts()
    return [_software(facts), *map(_article, facts["references"])]


def _facts() -> dict[str, Any]:
    packaged = files("ratewarp").joinpath(_FILE)
    text = (packaged if packaged.is_file() else _CHECKOUT / _FILE).read_text(encoding="utf-8")
    return read_yaml(text, _FILE)


def _software(facts: Mapping[str, Any]) -> Citation:
    authors, title, number = _authors(facts), facts["title"], version("ratewarp")
    fields = {"author": _in_bibtex(facts), "title": f"{{{title}}}", "version": number}
    text = f"{authors}. {title}. Version {number}."
    return Citation("The software", text, _entry("software", "ratewarp", fields))


def _article(facts: Mapping[str, Any]) -> Citation:
    fields = {
        "author": _in_bibtex(facts),
        "title": f"{{{facts['title']}}}",
        "journal": facts["journal"],
        "year": facts["year"],
        "volume": facts["volume"],
        "number": facts["issue"],
        "pages": facts["start"],
        "doi": facts.get("doi"),
        "note": ", ".join(one["value"] for one in facts.get("identifiers", [])),
    }
    place = f"{facts['journal']} {facts['volume']}({facts['issue']}): {facts['start']}, {facts['year']}"
    ends = ". ".join([place, *([f"doi:{facts['doi']}"] if "doi" in facts else [])])
    text = f"{_authors(facts)}. {facts['title']}. {ends}."
    first = facts["authors"][0].get("family-names", "").replace("'", "").lower()
    return Citation("The study it begins from", text, _entry("article", f"{first}{facts['year']}", fields))


def _authors(facts: Mapping[str, Any]) -> str:
    return ", ".join(
        one.get("name") or f"{one['family-names']} {_initials(one['given-names'])}"
        for one in facts["authors"]
    )


def _initials(given: str) -> str:
    return "".join(part[0] for part in given.split())


def _in_bibtex(facts: Mapping[str, Any]) -> str:
    """Persons as "family, given"; a group is no person, and stays whole."""
    return " and ".join(
        f"{{{one['name']}}}" if "name" in one else f"{one['family-names']}, {one['given-names']}"
        for one in facts["authors"]
    )


def _entry(kind: str, key: str, fields: Mapping[str, Any]) -> str:
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])
