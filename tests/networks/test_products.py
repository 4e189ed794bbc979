"""Matrix products and their gradients, at every precision."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from oracles import ALGEBRA
from ratewarp.networks.products import multiply, product_of


@pytest.mark.parametrize(("inputs", "outputs"), [(7, 3), (3, 7)])
def test_product_and_its_gradients(inputs, outputs):
    rng = np.random.default_rng(0)
    x, weight, errors = (
        jnp.asarray(rng.normal(size=s), jnp.float32) for s in ((4, inputs), (inputs, outputs), (4, outputs))
    )
    value, pull = jax.vjp(multiply, x, weight)
    for ours, plain in zip(
        (value, *pull(errors)), (x @ weight, errors @ weight.T, x.T @ errors), strict=True
    ):
        np.testing.assert_allclose(ours, plain, atol=ALGEBRA)


@pytest.mark.parametrize(("precision", "bits"), [("float32", 23), ("tensorfloat32", 10), ("bfloat16", 7)])
def test_narrow_products_round_their_factors(precision, bits):
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(5, 6)).astype(np.float32), rng.normal(size=(6, 4)).astype(np.float32)

    def rounded(values):
        mantissa, exponent = np.frexp(values.astype(float))
        return np.ldexp(np.round(mantissa * 2.0 ** (bits + 1)), exponent - bits - 1)

    with jax.default_matmul_precision(precision):
        ours = product_of(jnp.asarray(left), jnp.asarray(right))
    np.testing.assert_allclose(ours, rounded(left) @ rounded(right), atol=1e-6)
