"""What was run, in words: the study in short, then everything with which it was made."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from ratewarp._yaml import write_yaml
from ratewarp.report.page.figures_in_words import short
from ratewarp.report.views import RunView
from ratewarp.sources import Factor, Source
from ratewarp.studies import CAPACITY

_MOST_SEEDS = 12  # that are named one by one
_MOST_LETTERS = 400_000  # of a study on the page
_MOST_FACTORS, _MOST_KINDS = 6, 5  # that are named one by one


def facts(view: RunView) -> dict[str, str]:
    """What was run, in a few words each."""
    study, recipe = view.study, view.study.recipe
    manifest = view.manifest
    steps = sorted({setting.recipe.steps for setting in view.settings.values()})
    counts = f"{steps[0]:,}" if len(steps) == 1 else f"{steps[0]:,} to {steps[-1]:,}"
    axes = [
        f"{len(axis.values)} {'capacities' if axis.keys == (CAPACITY,) else f'values of {axis.name}'}"
        for axis in study.crossed
    ]
    seeds = "1 seed" if len(study.seeds) == 1 else f"{len(study.seeds)} seeds"
    shape = study.source.image_shape[: 2 if study.source.image_shape[2] == 1 else 3]
    size, crossed = " × ".join(map(str, shape)), " × ".join([f"{len(study.models)} models", *axes, seeds])
    return {
        "Source": f"{study.source.name}: {_counted(view)}, images of {size}",
        **_factors(study.source),
        "Trained": f"{len(view.conditions):,} networks: {crossed}",
        **(
            {"Capacities": ", ".join(f"{c:g}" for c in study.capacities_nats) + " nats"}
            if study.capacities_nats
            else {}
        ),
        **({"Figures show": view.further_note} if view.further_note else {}),
        "Recipe": f"{recipe.name}, {counts} steps of {recipe.batch_size} images",
        **_image_sets(view),
        **_time_and_software(manifest),
    }


def _time_and_software(manifest: Mapping[str, Any]) -> dict[str, str]:
    """How long it took on what, and which versions made it; nothing where no manifest says so."""
    sessions, packages = manifest.get("sessions", []), manifest.get("packages", {})
    seconds = sum(session["seconds"] for session in sessions) + manifest.get("seconds_tables", 0)
    kind = manifest.get("device", {}).get("kind")
    made = [
        f"{name} {one}"
        for name, one in (("ratewarp", manifest.get("ratewarp")), ("JAX", packages.get("jax")))
        if one
    ]
    return {
        **({"Time": f"{seconds / 60:.1f} minutes{f' on {kind}' if kind else ''}"} if seconds else {}),
        **({"Software": ", ".join(made)} if made else {}),
    }


def _counted(view: RunView) -> str:
    """How many stimuli there are, and how many of them are measured, where these are not all."""
    setting = view.settings[view.study.reference]
    total, measured = len(setting.source.stimuli), len(setting.measured())
    if setting.source.stored is not None:
        return f"{total:,} images, of which {measured:,} are held out and measured"
    if measured < total:
        return f"{total:,} stimuli, of which a random sample of {measured:,} is measured"
    return f"{total} stimuli"


def _factors(source: Source) -> dict[str, str]:
    """What stimuli differ in: each factor with the values that it takes."""
    factors = [factor for factor in source.factors if factor.kind != "covariate"]
    told = [f"{short(factor.name)} ({_values(factor)})" for factor in factors[:_MOST_FACTORS]]
    more = [f"{len(factors) - len(told)} more"] if len(factors) > len(told) else []
    return {"Stimuli differ in": ", ".join([*told, *more])} if told else {}


def _values(factor: Factor) -> str:
    """Examples: "13 values from 0 to 12", "cat, dog"."""
    values = factor.values
    if factor.kind == "categorical" and len(values) <= _MOST_KINDS:
        return ", ".join(short(value) for value in values)
    if factor.kind == "categorical":
        return f"{len(values)} kinds"
    numbers = [float(value) for value in values]
    period = f", period {factor.period:g}" if factor.period else ""
    return f"{len(values)} values from {min(numbers):g} to {max(numbers):g}{period}"


def _image_sets(view: RunView) -> dict[str, str]:
    """Of which images models are trained, and on which they are measured."""
    study, setting = view.study, view.settings[view.study.reference]
    total, measured, each = len(setting.source.stimuli), len(setting.measured()), setting.images_each()
    if setting.source.stored is not None:
        return {
            "Training set": f"{total - measured:,} images, each taken as often as its frequency says",
            "Held out": f"{measured:,} images, each once",
        }
    which = "every stimulus" if measured == total else "every measured stimulus"
    return {
        "Training set": f"{study.training_images:,} images",
        "Held out": f"{each * measured:,} images ({each} of {which})",
    }


def what_was_run(view: RunView) -> dict[str, str]:
    """Versions, machine, seeds and times, each of the run's manifest; what is not known is left out."""
    manifest, study = view.manifest, view.study
    sessions = manifest.get("sessions", [])
    begun = [str(one["started"]) for one in sessions if one.get("started")]
    found = {
        "Study": f"{study.name}, {len(view.conditions):,} conditions",
        "Seeds": f"{_seeds(study.seeds)}; of the data {study.data_seed}",
        "Made by": " ".join(filter(None, ("ratewarp", str(manifest.get("ratewarp", "")), _commit(manifest)))),
        "Page by": f"ratewarp {version('ratewarp')}",
        "Python": str(manifest.get("python", "")),
        "Packages": ", ".join(f"{name} {one}" for name, one in manifest.get("packages", {}).items()),
        "Machine": _machine(manifest.get("device", {})),
        "Begun": min(begun, default=""),
        "Sessions": f"{len(sessions):,}" if sessions else "",
    }
    return {name: text for name, text in found.items() if text}


def study_text(view: RunView) -> str:
    """The study with every default written out, as a file that can be run again; empty where it is too long
    for a page.
    """
    text = write_yaml(dict(view.run.study))
    return text if len(text) <= _MOST_LETTERS else ""


def _seeds(seeds: tuple[int, ...]) -> str:
    if len(seeds) > _MOST_SEEDS:
        return f"{len(seeds):,} from {min(seeds)} to {max(seeds)}"
    return ", ".join(map(str, seeds))


def _commit(manifest: Mapping[str, Any]) -> str:
    commit = manifest.get("commit")
    return f"(commit {str(commit)[:10]})" if commit else ""


def _machine(device: Mapping[str, Any]) -> str:
    """Which devices on which machine."""
    kind, count, machine = device.get("kind"), device.get("count"), device.get("machine")
    of = f"{count} × {kind}" if count and kind else str(kind or "")
    return ", ".join(filter(None, (of, str(machine or ""))))
