"""Every figure of a page has a text that says how it is read."""

from __future__ import annotations

from fabricated import fabricated_run, fabricated_tables
from ratewarp.report.figures import drawings, model_names, reference_name
from ratewarp.report.page.readings import READINGS
from ratewarp.report.views import RunView
from ratewarp.studies import Study


def test_every_figure_and_table_is_explained(tmp_path):
    models = {"baseline": {}, "E2M1": {"tasks": ["E2M1"]}}
    study = Study(models=models, capacities_nats=[1], codes_each=1, validation_each=3, bound_points=3)
    view = RunView(fabricated_tables(fabricated_run(study, tmp_path / "run"), study))
    of_models = {reference_name(view), *model_names(view).values()}
    names = {*drawings(view)} - of_models | {"reference", "model"}
    assert names | {"models", "tasks", "geometry"} == set(READINGS)


def test_texts_are_short_and_plain():
    for texts in READINGS.values():
        for text in texts:
            assert text.endswith(".")
            assert len(text.split()) <= 60
