"""A comparison's results as tables: one title and one table for each thing measured."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ratewarp.bench.step import PUBLISHED


def tables(result: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """Title → table, empty ones left out, of what `compare` returned."""
    step, ceiling = _step_words(result["step"]), _ceiling_words(result["ceiling"])
    first = "Seconds to the first steps of one member, with an empty and with a filled compilation cache"
    all_tables = {
        f"Network\n{_network_words(result['step'])}": _layers(result["step"]),
        f"Time per model-step, milliseconds\n{step}\nCeiling: {ceiling}": _times(result),
        "Ratio: time per model-step of the row over that of the column (median over rounds)": _ratios(result),
        "Matrix products in float32, all cores at work, best of all rounds": _products(result),
        first: _start_up(result),
        "Left out": pd.DataFrame(
            [{"contestant": name, "why": why} for name, why in result["left_out"].items()]
        ),
    }
    return {title: table for title, table in all_tables.items() if len(table)}


def _network_words(step: dict[str, Any]) -> str:
    shape = " × ".join(map(str, step["image_shape"]))
    which = "The published one" if step["network"] == PUBLISHED else "By the size of its images"
    return f"{which}; images of {shape}, {step['drawn']}, {step['images']:,} of them"


def _layers(step: dict[str, Any]) -> pd.DataFrame:
    """Convolutions of the encoder, which the decoder mirrors, and how this package computes them."""
    return pd.DataFrame(
        {
            "channels": f"{layer['channels']} → {layer['filters']}",
            "size": " → ".join("×".join(map(str, layer[name])) for name in ("size", "output_size")),
            "kernel": layer["kernel"],
            "stride": layer["stride"],
            "way": layer["way"],
        }
        for layer in step["layers"]
    )


def _step_words(step: dict[str, Any]) -> str:
    return (
        f"One batch of {step['batch_size']} images forward and backward through {step['parameters']:,}"
        " parameters, and Adam:"
        f" {step['operations'] / 1e6:.1f} MFLOP"
    )


def _ceiling_words(ceiling: dict[str, Any]) -> str:
    if ceiling["squares_gflops"] is None:
        return "not measured"
    squares, layers = ceiling["squares_gflops"], ceiling["layers_gflops"]
    return f"{squares:.0f} GFLOP/s in square products, {layers:.0f} at sizes of the layers"


def _times(result: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "contestant": name,
            "ms": one["ms_per_model_step"]["median"],
            "low": one["ms_per_model_step"]["low"],
            "high": one["ms_per_model_step"]["high"],
            "GFLOP/s": one["gflops"],
            "of_ceiling": one["share_of_ceiling"],
            "of_layer_sizes": one["share_at_layer_sizes"],
            "cores_used": one["cores_used"],
            "peak_MB": one["peak_bytes"] and one["peak_bytes"] / 1e6,
        }
        for name, one in result["contestants"].items()
    ).dropna(axis="columns", how="all")


def _ratios(result: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(
        {"contestant": name, **{other: ratio["median"] for other, ratio in row.items()}}
        for name, row in result["ratios"].items()
    )


def _products(result: dict[str, Any]) -> pd.DataFrame:
    libraries = result["ceiling"]["by_library"]
    rates = {name: {**one["squares_gflops"], **one["layers_gflops"]} for name, one in libraries.items()}
    products = next(iter(rates.values()), {})
    return pd.DataFrame(
        {"product": product, **{f"{name} GFLOP/s": rates[name][product] for name in rates}}
        for product in products
    )


def _start_up(result: dict[str, Any]) -> pd.DataFrame:
    parts = ("import", "prepare", "compile", "steps", "total")
    return pd.DataFrame(
        {"cache": name, **{"first_steps" if part == "steps" else part: one[part] for part in parts}}
        for name, one in result["start_up"].items()
    )
