"""`ratewarp measure`, as a user calls it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.io import savemat
from scipy.spatial.distance import pdist, squareform

from conftest import call
from ratewarp import measure
from ratewarp.geometry import planted_codes, prototypization

P = planted_codes(prototypization=0.4, side=4, items=3)


@pytest.fixture
def folder(tmp_path):
    names = np.array(["low", "high"])[P.classes]
    np.savez(
        tmp_path / "own.npz", codes=P.codes, labels=names, factors=P.factors[P.stimuli], base=P.reference
    )
    return tmp_path


def _call(folder, *arguments):
    return call("measure", *arguments, cwd=folder)


def test_json_and_figure(folder):
    done = _call(
        folder, "own.npz", "--reference", "base", "--permutations", "50", "--json", "--figure", "found.png"
    )
    assert done.returncode == 0, done.stderr
    assert "codes: codes\nlabels: labels\nfactors: factors\nreference: base\n" in done.stderr
    found = json.loads(done.stdout)
    assert (found["items"], found["latents"], found["units"]) == (48, 5, "stimuli")
    values = {(row["measure"], row["trial_noise"]): row["value"] for row in found["measures"]}
    assert values["prototypization", "included"] == pytest.approx(
        prototypization(P.codes, P.classes, stimuli=P.stimuli)
    )
    assert (folder / "found.png").read_bytes().startswith(b"\x89PNG")
    again = _call(folder, "own.npz", "--figure", "found.png")
    assert again.returncode == 2
    assert "does not exist yet" in again.stderr


def test_a_page_of_codes_is_named_after_their_file(folder):
    with np.load(folder / "own.npz") as file:
        arrays = dict(file)
    images = np.zeros((len(P.codes), 3, 4), np.uint8)
    np.savez(folder / "own.npz", **arrays, pictures=images)
    arguments = ("own.npz", "--permutations", "0", "--page")
    done = _call(folder, *arguments, "--images", "pictures", "--out", "also.html")
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("results: also.html\npage: own.html\n")
    assert "images: pictures" in done.stderr
    for page in ("own.html", "also.html"):
        assert "<h1>" in (folder / page).read_text(encoding="utf-8")
    before = (folder / "own.html").read_bytes()
    again = _call(folder, *arguments)
    assert again.returncode == 2
    assert "page must be a file own.html that does not exist yet" in again.stderr
    assert (folder / "own.html").read_bytes() == before


def test_images_that_do_not_fit_and_pages_of_folders_are_refused(folder):
    done = _call(folder, "own.npz", "--images", "labels", "--page")
    assert done.returncode == 2
    assert "images must be" in done.stderr
    assert not (folder / "own.html").exists()
    done = _call(folder, ".", "--page")
    assert done.returncode == 2
    assert "page must be asked for one file" in done.stderr


def test_runs_are_taken_off_where_they_are_named(folder):
    """An array named `runs` is not used unasked: it would change the codes."""
    runs = np.tile(np.arange(3), 16)
    given = {"codes": P.codes + 5 * runs[:, None], "stimuli": P.stimuli, "labels": P.classes, "runs": runs}
    np.savez(folder / "runs.npz", **given)
    found = {}
    for named in ([], ["--runs", "runs"]):
        done = _call(folder, "runs.npz", *named, "--permutations", "0", "--json")
        assert done.returncode == 0, done.stderr
        assert ("not used: runs" in done.stderr) == (not named)
        rows = json.loads(done.stdout)["measures"]
        found[len(named)] = {row["measure"]: row["value"] for row in rows if row["trial_noise"] == "removed"}
    expected = measure(P.codes, P.classes, stimuli=P.stimuli, runs=runs, permutations=0)
    assert found[2]["reliability"] == pytest.approx(expected.value("reliability"))
    assert found[0]["reliability"] < found[2]["reliability"] - 0.1


@pytest.mark.parametrize("name", ["kept.csv", "kept.json", "kept.nc"])
def test_results_are_kept(folder, name):
    done = _call(folder, "own.npz", "--permutations", "0", "--out", name)
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith(f"results: {name}\n")
    assert " se " not in done.stdout
    content = (folder / name).read_bytes()
    again = _call(folder, "own.npz", "--out", name)
    assert again.returncode == 2
    assert "out must be a file that does not exist yet" in again.stderr
    assert (folder / name).read_bytes() == content


def test_a_kept_table_needs_a_known_suffix(folder):
    done = _call(folder, "own.npz", "--out", "kept.xls")
    assert done.returncode == 2
    assert "out must be a file whose name ends in .csv, .json, .parquet, .nc or .html" in done.stderr
    assert "Traceback" not in done.stderr


def test_table(folder):
    done = _call(folder, "own.npz", "--permutations", "50")
    assert done.returncode == 0, done.stderr
    assert "48 items, 5 latents; 95% intervals over 16 stimuli\nlabels: 0 = high, 1 = low\n" in done.stdout
    assert "nan" not in done.stdout.lower()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("own.npz", "--codes", "cods"), "Did you mean 'codes'?"),
        (("none.npz",), "no such file"),
        (("own.npz", "--labels", "factors", "--interval", "bcb"), "Did you mean 'bca'?"),
        (("own.npz", "--labels", "other.csv:kind"), "other.csv: no such file"),
    ],
)
def test_wrong_requests(folder, arguments, message):
    done = _call(folder, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_too_little_memory_is_said(folder, monkeypatch):
    from ratewarp._checks import RatewarpError
    from ratewarp.cli.measure_command import measure as command
    from ratewarp.codes import measurement

    def starved(*_, **__):
        raise MemoryError

    monkeypatch.setattr(measurement, "measure", starved)
    with pytest.raises(RatewarpError, match=r"codes of 48 × 5 .* need more memory than this machine has"):
        command(folder / "own.npz")


def test_two_items_leave_nothing_on_stderr_but_what_was_taken(tmp_path):
    np.savez(tmp_path / "two.npz", codes=P.codes[:2], labels=[0, 1], reference=P.reference[:2])
    done = _call(tmp_path, "two.npz", "--permutations", "50")
    assert done.returncode == 0
    assert done.stderr == "codes: codes\nlabels: labels\nreference: reference\n"


SUBJECTS = np.stack(
    [squareform(pdist(P.codes + np.random.default_rng(seed).normal(size=P.codes.shape))) for seed in range(3)]
)


@pytest.fixture
def rdms(tmp_path):
    """Dissimilarities of three subjects as toolboxes keep them: NaN on the diagonal, names and colours beside."""
    matrices = SUBJECTS.copy()
    matrices[:, np.arange(48), np.arange(48)] = np.nan
    structs = np.zeros((1, 3), dtype=[("RDM", object), ("name", object), ("color", object)])
    for place, one in enumerate(structs[0]):
        one["RDM"], one["name"], one["color"] = matrices[place], f"hIT | subject {place}", np.ones((1, 3))
    savemat(tmp_path / "rdms.mat", {"RDMs": structs})
    savemat(
        tmp_path / "last.mat", {"rdms": np.moveaxis(matrices, 0, 2), "labels": P.classes, "other": np.eye(48)}
    )
    np.save(tmp_path / "rdms.npy", SUBJECTS)
    np.save(tmp_path / "pairs.npy", squareform(SUBJECTS[1]))
    pd.DataFrame(SUBJECTS[1]).to_csv(tmp_path / "rdm.csv", index=False)
    np.save(tmp_path / "labels.npy", P.classes)
    return tmp_path


@pytest.mark.parametrize(
    "name", ["rdms.mat", "rdms.mat --codes RDMs.RDM", "last.mat", "rdms.npy", "pairs.npy", "rdm.csv"]
)
def test_dissimilarities(rdms, name):
    choice = [] if name in ("pairs.npy", "rdm.csv") else ["--subject", "1"]
    done = _call(
        rdms,
        *name.split(),
        "--kind",
        "distances",
        *choice,
        "--labels",
        "labels.npy",
        "--permutations",
        "0",
        "--json",
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    expected = measure(SUBJECTS[1], P.classes, kind="distances", permutations=0)
    values = {row["measure"]: row["value"] for row in found["measures"] if row["class"] is None}
    assert values["prototypization"] == pytest.approx(expected.value("prototypization", "labels"))
    assert "orthogonalization" not in values
    assert found["kept"] == pytest.approx({"codes": expected.kept["codes"]})
    if "rdms.mat" in name:
        assert "codes: RDMs.RDM\nsubjects: 0 = hIT | subject 0, 1 = hIT | subject 1, 2" in done.stderr
        assert "left out" not in done.stderr


def test_dissimilarities_against_others(rdms):
    done = _call(
        rdms,
        *("rdms.mat", "--kind", "distances", "--subject", "mean", "--permutations", "0"),
        *("--reference", "pairs.npy", "--figure", "found.png"),
    )
    assert done.returncode == 0, done.stderr
    assert "48 items, " in done.stdout
    assert "codes: by classical scaling, which kept" in done.stdout
    assert "reference: by classical scaling, which kept 100.0% of the dissimilarities" in done.stdout
    assert "linear_cka" in done.stdout
    assert (rdms / "found.png").exists()


def test_dissimilarities_are_matched_by_id(rdms):
    """Rows and columns, of a file whose stimuli stand in another order than the ids."""
    order = np.random.default_rng(0).permutation(48)
    np.savez(rdms / "turned.npz", rdm=SUBJECTS[1][np.ix_(order, order)], ids=np.arange(48)[order])
    pd.DataFrame({"ids": np.arange(48), "kind": P.classes}).to_csv(rdms / "labels.csv", index=False)
    wanted = ("--codes", "turned.npz:rdm", "--labels", "kind", "--reference", "turned.npz:rdm")
    done = _call(rdms, "labels.csv", *wanted, "--kind", "distances", "--permutations", "0", "--json")
    assert done.returncode == 0, done.stderr
    values = {row["measure"]: row["value"] for row in json.loads(done.stdout)["measures"]}
    expected = measure(SUBJECTS[1], P.classes, kind="distances", permutations=0)
    assert values["prototypization"] == pytest.approx(expected.value("prototypization", "labels"))
    assert values["procrustes_distance"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("rdms.mat",), 'look like dissimilarities: symmetric, 0 on the diagonal. Say kind="distances"'),
        (("rdm.csv",), "codes (48 × 48) look like dissimilarities"),
        (("rdms.mat", "--kind", "distances"), "codes are of 3 subjects; say subject=INDEX, from 0 to 2"),
        (("rdms.mat", "--kind", "distances", "--subject", "3"), "subject must be from 0 to 2"),
        (("rdms.mat", "--kind", "distances", "--subject", "first"), 'a whole number, 0 or more, or "mean"'),
        (("rdms.mat", "--kind", "distance"), "Did you mean 'distances'?"),
        (("rdms.mat", "--codes", "RDMs"), "'RDMs' is a struct; say one of its fields, RDMs.RDM"),
        (("rdm.csv", "--kind", "codes", "--subject", "2"), "subject must be given where dissimilarities"),
        (("rdm.csv", "--kind", "distances", "--reference-kind", "codes"), "given together with a reference"),
        (("labels.npy", "--kind", "distances"), "codes must be square, or of n(n − 1)/2 pairs"),
    ],
)
def test_wrong_requests_of_dissimilarities(rdms, arguments, message):
    done = _call(rdms, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_of_subjects(tmp_path):
    rng, kind = np.random.default_rng(0), np.arange(24) % 2
    for number in range(4):
        codes = rng.normal(size=(24, 3, 2)) + kind[:, None, None] * [0.0, 3.0]
        np.savez(tmp_path / f"s{number}.npz", codes=codes, labels=kind)
    (tmp_path / "notes.txt").write_text("not a recording")
    done = call("measure", str(tmp_path), "--third", "layer", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("labels: labels") == 1
    found = json.loads(done.stdout)
    assert found["names"] == ["s0", "s1", "s2", "s3"]
    rows = [row for row in found["group"] if row["measure"] == "prototypization"]
    assert [(row["layer"], row["sets"], row["mean"] > 0.3) for row in rows] == [(0, 4, False), (1, 4, True)]
    table = call("measure", str(tmp_path), "--where", "labels == 0, 1", cwd=tmp_path)
    assert "4 sets: s0, s1, s2, s3; 2 places of time; means over sets" in table.stdout
    assert "where: 24 of 24 items" in table.stderr
    few = call("measure", str(tmp_path), "--average", "mean", cwd=tmp_path)
    assert few.returncode == 2
    assert "average: no average is named 'mean'" in few.stderr


def test_a_folder_is_kept_and_drawn_as_a_file_is(tmp_path):
    rng, kind = np.random.default_rng(0), np.arange(24) % 2
    (tmp_path / "own").mkdir()
    for number in range(3):
        np.savez(tmp_path / "own" / f"s{number}.npz", codes=rng.normal(size=(24, 3, 2)), labels=kind)
    done = call("measure", "own", "--out", "kept.csv", "--figure", "drawn.png", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("results: kept.csv, kept-sets.csv\nfigure: drawn.png\n")
    printed = json.loads(done.stdout)
    for name, file in (("group", "kept.csv"), ("sets", "kept-sets.csv")):
        kept = pd.read_csv(tmp_path / file)
        np.testing.assert_array_equal(kept["se"], pd.DataFrame(printed[name])["se"].astype(float))
    assert (tmp_path / "drawn.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "kept.csv").unlink()
    for arguments, message in (
        (["--out", "kept.csv"], "out must be a file beside which there is no kept-sets.csv yet"),
        (["--figure", "drawn.png"], "figure must be a png, pdf or svg file that does not exist yet"),
        (["--out", "own/kept.csv"], "out must be a file outside the folder"),
    ):
        refused = call("measure", "own", *arguments, cwd=tmp_path)
        assert refused.returncode == 2
        assert message in refused.stderr
    assert sorted(path.name for path in tmp_path.rglob("*.csv")) == ["kept-sets.csv"]


def test_chosen_rows_of_a_file(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(
        tmp_path / "own.npz",
        codes=rng.normal(size=(40, 2)),
        labels=np.arange(40) % 2,
        stimuli=np.arange(40) // 4 * 2 + np.arange(40) % 2,
        area=np.repeat(["IT", "V4"], 20),
    )
    done = call("measure", "own.npz", "--where", "area == IT", "--average", "trials", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "where: 20 of 40 items" in done.stderr
    assert "average: 10 mean codes of 20 items" in done.stderr
    assert "10 items, 2 latents" in done.stdout


@pytest.mark.parametrize("asked", ["--where area==IT", "--average trials", "--drop-missing"])
def test_no_rows_are_chosen_of_dissimilarities(tmp_path, asked):
    """Rows of a matrix alone would pass for subjects."""
    area = np.repeat(["IT", "V4"], 45)
    np.savez(tmp_path / "own.npz", codes=squareform(np.ones(91 * 90 // 2)), area=[*area, "V4"])
    done = call("measure", "own.npz", "--kind", "distances", *asked.split(" ", 1), cwd=tmp_path)
    assert done.returncode == 2
    name = asked.split()[0].removeprefix("--")
    assert f"{name}: dissimilarities have no items to choose or to average" in done.stderr
