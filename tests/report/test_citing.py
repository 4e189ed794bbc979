"""How to cite: what `CITATION.cff` says, as text and BibTeX."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import yaml

from ratewarp.report.page.citing import citations

ROOT = Path(__file__).parents[2]


def test_texts_and_entries_say_what_the_file_says():
    facts = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    software, article = citations()
    assert facts["title"] in software.text
    assert facts["title"] in software.bibtex
    assert f"version = {{{version('ratewarp')}}}" in software.bibtex
    (paper,) = facts["references"]
    for name in ("title", "journal", "volume", "issue", "start", "year", "doi"):
        assert str(paper[name]) in article.text
        assert f"{{{paper[name]}}}" in article.bibtex
    for author in paper["authors"]:
        assert f"{author['family-names']}, {author['given-names']}" in article.bibtex
        assert author["family-names"] in article.text


def test_entries_are_well_formed():
    for one in citations():
        assert re.match(r"@\w+\{\w+,\n", one.bibtex)
        assert one.bibtex.count("{") == one.bibtex.count("}")
        assert one.bibtex.endswith("\n}")


def test_the_file_is_packaged():
    """A wheel has it in the package, where pages look first."""
    settings = (ROOT / "pyproject.toml").read_text()
    assert '"CITATION.cff" = "ratewarp/CITATION.cff"' in settings
