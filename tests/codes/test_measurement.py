"""`ratewarp.measure`: any arrays in, a labelled table out, and errors that name the argument."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from ratewarp import RequestError, measure
from ratewarp.geometry import adjusted, planted_codes, prototypization

P = planted_codes(prototypization=0.4, side=4, items=3)
FACTORS = P.factors[P.stimuli]
QUICK = {"permutations": 50}


class Tensor:
    """What matters of a PyTorch tensor that needs a gradient: NumPy cannot read it before it is detached."""

    def __init__(self, values, ready=False):
        self.values, self.ready = values, ready

    def detach(self):
        return Tensor(self.values, ready=True)

    def cpu(self):
        return self

    def __array__(self, dtype=None, copy=None):
        if not self.ready:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
            )
        return self.values if dtype is None else self.values.astype(dtype)


def _value(**changes):
    arguments = {"codes": P.codes, "labels": P.classes, "factors": FACTORS, **QUICK, **changes}
    return measure(arguments.pop("codes"), arguments.pop("labels"), **arguments)


@pytest.mark.parametrize(
    "convert",
    [np.asarray, jnp.asarray, pd.DataFrame, xr.DataArray, Tensor, lambda a: a.tolist()],
    ids=lambda f: f.__name__,
)
def test_arrays_of_any_kind(convert):
    codes = P.codes.astype(np.float32)
    found = _value(codes=convert(codes))
    assert found.value("prototypization", "labels", trial_noise="included") == pytest.approx(
        prototypization(codes, P.classes, stimuli=P.stimuli), rel=1e-5
    )


def test_narrow_numbers_do_not_overflow():
    codes = np.array([[200, 0], [100, 1], [250, 0], [90, 1]], np.uint8)
    assert measure(codes, [0, 1, 0, 1], **QUICK).value("prototypization", "labels") == pytest.approx(
        prototypization(codes.astype(float), np.array([0, 1, 0, 1]))
    )
    half = jnp.asarray(P.codes, jnp.bfloat16)
    assert measure(half, P.classes, **QUICK).value("prototypization", "labels") == pytest.approx(0.7, abs=0.2)


class Brain(Tensor):
    """PyTorch's bfloat16, which NumPy cannot read."""

    dtype = "torch.bfloat16"

    def detach(self):
        return Brain(self.values)

    def float(self):
        return Tensor(self.values, ready=True)


def test_bfloat16_of_pytorch():
    assert _value(codes=Brain(P.codes)).value("prototypization", "labels") == _value().value(
        "prototypization", "labels"
    )


def _distances(codes):
    """Log root mean squared distance of items of different stimuli of every two classes, over that of all, by
    loops; the class that is high first.
    """
    apart, every = {(a, b): [] for a in (1, 0) for b in (1, 0)}, []
    for i, one in enumerate(codes):
        for j, other in enumerate(codes):
            if P.stimuli[i] != P.stimuli[j]:
                apart[P.classes[i], P.classes[j]].append(np.sum((one - other) ** 2))
                every.append(np.sum((one - other) ** 2))
    found = [0.5 * np.log(np.mean(one) / np.mean(every)) for one in apart.values()]
    return np.array(found).reshape(2, 2)


def test_names_of_classes_and_matrices():
    names = np.array(["low", "high"])[P.classes]
    found = _value(labels={"half": names}, reference=P.reference)
    assert found.classes == {"half": ("high", "low")}
    matrix = found.class_distance("half", trial_noise="included")
    np.testing.assert_allclose(matrix, _distances(P.codes) - _distances(P.reference))
    np.testing.assert_allclose(
        found.class_distance("half", change=False, trial_noise="included"), _distances(P.codes)
    )
    assert found.class_distance("half").shape == (2, 2)
    assert matrix.sel({"class": "low", "other": "high"}) == matrix.sel({"class": "high", "other": "low"})
    assert (matrix["low"] <= matrix).all()
    assert (matrix <= matrix["high"]).all()


def test_table_is_complete_and_corrected():
    found = _value(
        labels=pd.DataFrame({"half": P.classes, "odd": P.stimuli % 2}),
        frequency=P.frequency[P.stimuli],
        reference=P.reference,
    )
    table = found.table
    changes = table["measure"].str.endswith("_change")
    told = table["se"].notna() & ~table["note"].str.contains("too little differs to tell a direction")
    assert table.loc[changes & told, "p"].notna().all()
    assert (changes & told).sum() > 20
    tested = table[table["p"].notna() & ~changes]
    assert set(zip(tested["measure"], tested["task"], strict=True)) == {
        (name, task) for name in ("prototypization", "kernel_prototypization") for task in ("half", "odd")
    }
    assert (
        table[table["trial_noise"] == "removed"]
        .set_index("measure")
        .loc["specialization", "note"]
        .startswith("no test: neighbours have like frequencies")
    )
    entries = table["class"].notna()
    for family in (~changes, changes & ~entries, changes & entries):
        p, found_p = (table.loc[family, name].to_numpy() for name in ("p", "p_adjusted"))
        np.testing.assert_allclose(found_p, adjusted(p))
    assert set(found.labels) == {"half", "odd"}
    assert found.units == "stimuli"
    assert {"linear_cka", "procrustes_distance", "effective_prototypes", "specialization_change"} <= set(
        table["measure"]
    )


def test_stimuli_by_name_with_one_row_a_stimulus():
    names = np.array([f"s{number:02}" for number in P.stimuli])
    found = _value(stimuli=names, factors=P.factors, frequency=P.frequency)
    same = _value(frequency=P.frequency[P.stimuli])
    assert found.value("specialization", "frequency") == same.value("specialization", "frequency")


def test_rows_are_matched_by_id():
    order = np.random.default_rng(0).permutation(len(P.codes))
    ids = np.array([f"item {row}" for row in range(len(P.codes))])
    straight = _value(reference=P.reference)
    turned = _value(reference=P.reference[order], ids=ids, reference_ids=ids[order])
    assert turned.value("linear_cka") == straight.value("linear_cka")


def test_noise_of_codes_and_reference_go_together():
    noise = np.full(P.codes.shape, 0.5)
    alone = _value(reference=P.codes, noise=noise).table.set_index("measure")
    assert (
        alone.loc["effective_prototypes_change", "note"]
        == "noise is given of the codes or of the reference alone"
    )
    both = _value(reference=P.codes, noise=noise, reference_noise=noise)
    assert both.value("effective_prototypes_change") == 0


def test_what_was_given_in_vain_is_said():
    table = _value(factors=None, frequency=np.ones(48)).table.set_index("measure")
    assert table.loc["specialization", "note"] == "needs factors"
    constant = _value(reference=np.ones((48, 2))).table.set_index("measure")
    assert "nothing to compare with" in constant.loc["changes", "note"]


def test_equidistant_codes_have_no_alignment():
    table = measure(np.eye(6), reference=np.eye(6), **QUICK).table.set_index("measure")
    assert "unequal distances" in table.loc["linear_cka", "note"]
    assert table.loc["procrustes_distance", "value"] == 0


def test_one_item_that_carries_everything_is_measured():
    spike = np.zeros((48, 2))
    spike[0] = 1, 2
    table = measure(spike, np.arange(48) % 2, reference=P.reference, **QUICK).table.set_index("measure")
    assert np.isfinite(table.loc["procrustes_distance", "value"])
    assert table.loc["prototypization", "note"] is not None
    one = np.where(P.stimuli == 0, 1.0, 0.0)[:, None] * [1.0, 2.0]
    found = measure(one, P.classes, stimuli=P.stimuli, reference=P.reference, **QUICK)
    assert np.isfinite(found.value("linear_cka", trial_noise="included"))


def test_what_is_not_defined_has_a_row_that_says_why():
    alone = _value(labels=np.zeros(48, int), reference=P.reference)
    assert set(alone.table.set_index("measure").loc["class_distance", "note"]) == {"one class"}
    with pytest.raises(RequestError, match="no distances of the classes of 'labels'; one class"):
        alone.class_distance("labels")
    silent = _value(noise=np.zeros(P.codes.shape)).table.set_index("measure")
    assert silent.loc["latent_rate", "note"] == "the noise of some codes is 0"
    constant = _value(codes=np.ones((48, 2)), extra=True).table.set_index("measure")
    assert "constant codes" in constant.loc["dci", "note"]


def test_names_stored_as_bytes_are_text():
    names = np.array(["high", "low"])[P.classes]
    assert _value(labels=names.astype("S")).classes == _value(labels=names).classes


def test_extra():
    found = _value(extra=True).table.set_index("measure")
    assert {
        "mutual_information_gap",
        "dci_disentanglement",
        "dci_completeness",
        "dci_informativeness",
    } <= set(found.index)
    with pytest.raises(RequestError, match="extra: disentanglement needs factors"):
        measure(P.codes, extra=True, **QUICK)


def test_more_dimensions_than_items_and_duplicate_rows():
    rng = np.random.default_rng(0)
    wide = measure(rng.normal(size=(20, 300)), np.arange(20) % 2, reference=rng.normal(size=(20, 7)), **QUICK)
    assert np.isfinite(wide.table.loc[wide.table["value"].notna(), ["low", "high"]].to_numpy()[:, 0]).all()
    doubled = np.repeat(rng.normal(size=(10, 3)), 2, axis=0)
    found = measure(doubled, np.arange(20) // 2 % 2, reference=doubled, **QUICK)
    np.testing.assert_allclose(found.class_distance("labels", change=True), 0, atol=1e-12)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"codes": P.codes[:5]}, "labels must be one label for each of the 5 items"),
        ({"codes": np.where(P.codes > 0, np.nan, P.codes)}, "codes must be finite"),
        ({"codes": np.array([[object()], [1]])}, "codes must be an array of numbers or names"),
        ({"codes": [[1, 2], [3]]}, "codes must be a rectangular array"),
        ({"labels": np.linspace(0, 1, 48)}, "numbers that vary continuously are factors"),
        ({"labels": np.zeros((48, 2, 2))}, "one column or several"),
        ({"factors": FACTORS[:5]}, "factors must be one row for each of the 48 items"),
        ({"stimuli": P.stimuli[:3]}, "stimuli must be one for each"),
        ({"reference": P.reference[:9]}, "must hold the same items; got 48 and 9 rows"),
        ({"frequency": np.arange(1.0, 49)}, "frequency must be the same for all items of a stimulus"),
        ({"frequency": -P.frequency}, "frequency must be positive"),
        ({"noise": np.ones((48, 2))}, "noise must be variances of the same shape"),
        ({"noise": -np.ones(P.codes.shape)}, "noise must be variances, at least 0"),
        ({"reference": P.reference, "ids": np.arange(48)}, "must be given together"),
        (
            {"reference": P.reference, "ids": np.arange(48), "reference_ids": np.arange(48) + 1},
            "reference_ids lacks id 0; both must",
        ),
        (
            {"reference": P.reference, "ids": np.zeros(48), "reference_ids": np.arange(48)},
            "ids must be different for every row; got .*48 times",
        ),
        (
            {"reference": P.reference, "ids": np.r_[np.nan, 1:48], "reference_ids": np.arange(48)},
            "ids must be without missing values; got '1, first in row 0'",
        ),
        (
            {"reference": P.reference, "ids": np.arange(48), "reference_ids": np.arange(48).astype(str)},
            "ids are numbers, .* text",
        ),
        ({"ids": np.zeros(48)}, "ids must be different for every row"),
        (
            {"reference_noise": np.ones(P.codes.shape)},
            "reference_noise must be given together with a reference",
        ),
        ({"codes": (P.codes * 10).astype(int) + 2**60}, r"codes must be whole numbers of at most 2\^53"),
        ({"codes": P.codes[:, :, None]}, "codes must be two-dimensional"),
        ({"labels": [np.nan] + ["a"] * 47}, "labels must be without missing values"),
        ({"labels": [1, "1"] * 24}, "labels must be all names or all numbers; got '1 at place 0"),
        (
            {"labels": np.array(["NaT"] + ["2026-01-01"] * 47, "datetime64[D]")},
            "labels must be without missing values",
        ),
        ({"labels": np.r_[np.zeros(17), np.nan, np.ones(30)]}, "got 'nan in row 17'"),
        (
            {"frequency": np.r_[np.ones(40), np.full(8, np.nan)]},
            "frequency must be positive and finite; got 'nan in row 40'",
        ),
        ({"frequency": ["often"] * 48}, "frequency must be one number for each item"),
        ({"level": "95"}, "level must be between 0 and 1"),
        ({"interval": None}, "interval: no interval is named 'None'"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"permutations": 10.5}, "permutations must be a whole number"),
        ({"permutations": 10**9}, "permutations must be at most 1,000,000; got 1000000000"),
        ({"resamples": 10**9}, "resamples must be at most 100,000; got 1000000000"),
        (
            {"frequency": np.full(48, 1 + 1j)},
            r"frequency must be one number for each item or stimulus, not complex; got .*complex128",
        ),
        ({"labels": np.full(48, 1 + 1j)}, "labels must be whole numbers or names; got 'complex numbers"),
        (
            {"labels": np.zeros(48, [("a", "f8")])},
            "labels must be an array of numbers or names; got .records",
        ),
        ({"ids": np.zeros((48, 2))}, r"ids must be one id for each of the 48 rows; got 'shape \(48, 2\)'"),
        ({"frequency": 3.0}, "frequency must be an array"),
        ({"factors": {"a": 3}}, r"factors\['a'\] must be an array"),
        ({"labels": np.zeros((48, 0))}, "one column or several"),
        ({"labels": pd.Series(["a", None] * 24)}, "labels must be without missing values"),
        ({"codes": np.ma.masked_greater(P.codes, 0)}, "codes must be without masked values"),
        ({"stimuli": np.zeros(48)}, "stimuli must be different for at least two items"),
        ({"interval": "bac"}, "interval"),
        ({"level": 2}, "level"),
    ],
)
def test_bad_input_is_named(changes, match):
    with pytest.raises(RequestError, match=match):
        _value(**changes)


def test_unknown_names_of_results():
    found = _value()
    with pytest.raises(RequestError, match="Did you mean 'prototypization'"):
        found.value("prototipization", "labels")
    with pytest.raises(RequestError, match="it is of 'labels'"):
        found.value("prototypization", "other")
    with pytest.raises(RequestError, match="needs labels of that name, and its change a reference"):
        found.class_distance("other")
    with pytest.raises(RequestError, match="of task 'labels' with trial noise 'none'; it is of 'labels'"):
        found.value("prototypization", "labels", trial_noise="none")
