"""Images of one's own that a study file names: opened when it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ratewarp._checks import refuse
from ratewarp._progress import Progress
from ratewarp.sources import GivenSource, ImageFiles
from ratewarp.studies.code import replaced

IMAGES = "images"
_PATHS = (IMAGES, "table")  # options that are paths, relative to the folder of the study file


def with_images(
    data: Mapping[str, Any], folder: Path, progress: Callable[[Progress], None]
) -> dict[str, Any]:
    """`data` with every `{images: PATH, …}` that stands as a source replaced by these images.

    Arguments:
        data: a study, as written.
        folder: of the study file, which paths are relative to.
        progress: told how far the images are looked at.

    Raises:
        RequestError: images or options that cannot be used.
    """

    def source(value: Mapping[str, Any]) -> GivenSource:
        options = {str(key): given for key, given in value.items()}
        for key in _PATHS:
            if key in options and options[key] is not None:
                if not isinstance(options[key], str):
                    refuse(f"source.{key}", "a path", options[key])
                options[key] = folder / options[key]
        return GivenSource(ImageFiles(options.pop(IMAGES), progress=progress, **options))

    return replaced(data, {"source": source}, lambda value: IMAGES in value)
