"""What the bound of a run is a bound of, in words."""

from __future__ import annotations

from math import log

from ratewarp.studies import Setting

TOLD = 0.25  # share of ln n up to which the bound of n images says something of the population


def bound_of(setting: Setting) -> str:
    """A sentence for the figure and the page; empty where all stimuli of the source are measured.

    Of stored images, the bound is that of the images themselves, and no rate above ln n nats is needed to
    tell n of them apart: of other images of their kind it says little well before that.
    """
    number, total = len(setting.measured()), len(setting.source.stimuli)
    if setting.source.stored is not None:
        most = log(number)
        return (
            f"Bound of these {number:,} held-out images: it reaches 0 by ln {number:,} = {most:.2f} nats, and"
            f" says something of the population that they are from only up to about {TOLD * most:.1f} nats."
        )
    if number < total:
        return f"Bound of the {number:,} measured stimuli, a sample of {total:,}."
    return ""
