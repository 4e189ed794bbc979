"""The published schema of study files is the one that they are read by."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import yaml

from conftest import call
from ratewarp.studies import builtin_names

PUBLISHED = Path(__file__).parents[2] / "docs" / "study.schema.json"


def test_the_published_schema_is_that_of_the_package(tmp_path):
    assert call("schema", cwd=tmp_path).stdout == PUBLISHED.read_text()


@pytest.mark.parametrize("name", builtin_names())
def test_built_in_studies_agree_with_it(name):
    study = yaml.safe_load(files("ratewarp.studies").joinpath("builtin", f"{name}.yaml").read_text())
    jsonschema.validate(json.loads(json.dumps(study)), json.loads(PUBLISHED.read_text()))
