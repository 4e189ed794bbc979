"""A page from a template: what every page has, and what one alone is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from ratewarp.report.page.citing import citations
from ratewarp.report.page.front_end import first_words, import_map, script_of_library, start, styles
from ratewarp.report.page.stage import stage_json


def rendered(template: str, stage: Mapping[str, Any], **words: Any) -> str:
    """The page as one file.

    Arguments:
        template: its name.
        stage: data of its stage.
        words: what else stands on it; text unless it is `Markup`.
    """
    loader = PackageLoader("ratewarp.report", "page")
    environment = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template(template).render(
        of=stage.get("of", "run"),
        first=Markup(first_words()),
        styles=Markup(styles()),
        stage=Markup(stage_json(stage)),
        library=Markup(script_of_library()),
        modules=Markup(import_map()),
        begin=Markup(start()),
        cited=citations(),
        **words,
    )
