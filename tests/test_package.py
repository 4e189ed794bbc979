"""The public names of the package."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from pathlib import Path

import ratewarp

SOURCE = Path(inspect.getfile(ratewarp)).read_text()


def _names_for_type_checkers():
    """Names imported where only a type checker looks, each with the module it comes from."""
    (block,) = [node for node in ast.parse(SOURCE).body if isinstance(node, ast.If)]
    return {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_the_three_lists_of_public_names_agree():
    modules = {name: place.rpartition(".")[0] for name, place in ratewarp._MODULES.items()}
    places = {**modules, **ratewarp._PLACES}
    assert _names_for_type_checkers() == places
    assert sorted(ratewarp.__all__) == sorted(places)


def test_every_public_name_can_be_reached():
    for name in ratewarp.__all__:
        assert getattr(ratewarp, name) is not None
        assert name in dir(ratewarp)
    for name, place in {"networks": "ratewarp.networks", "rsa": "ratewarp.codes.rsa"}.items():
        assert getattr(ratewarp, name) is import_module(place)
