"""Matrix products at the precision that is asked for, and with gradients that are fast."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import jax
from jax import lax
from jaxtyping import Array, Float

MANTISSA_BITS = {"float32": 23, "tensorfloat32": 10, "bfloat16": 7}  # of the factors; sums are of float32


def mantissa_bits() -> int:
    """Of the factors, at the precision that `jax.default_matmul_precision` names."""
    return MANTISSA_BITS.get(jax.config.values["jax_default_matmul_precision"] or "float32", 23)


def precise() -> AbstractContextManager[Any]:
    """Within it factors keep the precision of float32, unless JAX is configured otherwise; of itself an
    accelerator rounds them to 10 bits.
    """
    return jax.default_matmul_precision(jax.config.values["jax_default_matmul_precision"] or "float32")


def product_of(
    left: Float[Array, "rows inner"], right: Float[Array, "inner columns"]
) -> Float[Array, "rows columns"]:
    """left · right at the precision that `jax.default_matmul_precision` names.

    A CPU has no narrow products: there the factors are rounded as an accelerator would round them, so that
    the effect on a model is the same, and no time is saved.
    """
    bits = mantissa_bits()
    if bits < 23 and jax.default_backend() == "cpu":
        left, right = (
            lax.reduce_precision(factor, exponent_bits=8, mantissa_bits=bits) for factor in (left, right)
        )
    return left @ right


def gradient_product(
    x: Float[Array, "batch inputs"], errors: Float[Array, "batch outputs"]
) -> Float[Array, "inputs outputs"]:
    """xᵀ · errors, the gradient of x · weight in the weight. That in a narrow weight is computed transposed:
    XLA's product is slow for few columns (docs/speed.md).
    """
    if errors.shape[1] < x.shape[1]:  # the barrier keeps XLA from turning the product round again
        return lax.optimization_barrier(product_of(errors.T, x)).T
    return product_of(x.T, errors)


def multiply(
    x: Float[Array, "batch inputs"], weight: Float[Array, "inputs outputs"]
) -> Float[Array, "batch outputs"]:
    """x · weight, with gradients by `product_of` and `gradient_product`."""
    return _multiply(x, weight)


def _multiply_backward(kept: tuple[Array, Array], errors: Array) -> tuple[Array, Array]:
    x, weight = kept
    return product_of(errors, weight.T), gradient_product(x, errors)


_multiply: Any = jax.custom_vjp(lambda x, weight: product_of(x, weight))
_multiply.defvjp(lambda x, weight: (product_of(x, weight), (x, weight)), _multiply_backward)
