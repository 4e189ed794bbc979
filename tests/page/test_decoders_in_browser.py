"""The decoders of a page in the browser, against Python: all codes of every condition."""

from __future__ import annotations

import json

import numpy as np

from ratewarp.runs.directory import open_run
from ratewarp.runs.trained import trained_networks

GREY = 1 / 255
IMAGES = """async ([id, codes]) => {
  const { makeDecoder } = await import("ratewarp/decoder");
  const data = JSON.parse(document.getElementById("stage-data").textContent);
  const decoder = await makeDecoder(data.conditions.find(one => one.id === id).detail.decoder);
  return codes.map(code => Array.from(decoder.image(code)));
}"""


def test_the_page_decodes_all_codes_as_python_does(open_page, stage_page):
    page = open_page(stage_page)
    run = open_run(stage_page.parents[1] / "run")
    data = json.loads(page.locator("#stage-data").text_content() or "")
    assert len(data["conditions"]) == 9
    for condition in data["conditions"]:
        codes = run.record(condition["id"])["code"].values
        stimuli = run.record(condition["id"])["stimulus"].values
        assert len(set(stimuli)) == data["world"]["stimuli"]
        ours = np.asarray(trained_networks(run, condition["id"]).decode(codes)).reshape(len(codes), -1)
        theirs = np.array(page.evaluate(IMAGES, [condition["id"], codes.tolist()]))
        np.testing.assert_allclose(theirs, ours, atol=GREY)
        assert np.ptp(ours) > 10 * GREY
