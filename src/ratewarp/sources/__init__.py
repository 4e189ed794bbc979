"""Where images come from: sources, how often each stimulus occurs, and what is asked of it. One file a
source, one name in `SOURCES`.
"""

from ratewarp.sources.corridors import Corridors
from ratewarp.sources.digits import Digits
from ratewarp.sources.expressions import names_in
from ratewarp.sources.factor import Factor
from ratewarp.sources.frequencies import frequency, image_counts
from ratewarp.sources.given_source import GivenSource, kept_files
from ratewarp.sources.gratings import Gratings
from ratewarp.sources.images import Images, Pool, Stream, draw_images, draw_pool, make_images
from ratewarp.sources.own_images import ImageFiles, ImageOptions
from ratewarp.sources.pixels import PIXELS, Pixels
from ratewarp.sources.population import Population
from ratewarp.sources.source import Source, coordinates_of, factor_numbers, factors_of
from ratewarp.sources.sprites import Sprites
from ratewarp.sources.stored import Stored
from ratewarp.sources.tasks import Task, task, task_names

SOURCES = (Corridors, Sprites, Gratings, Population, Digits)

__all__ = [
    "PIXELS",
    "SOURCES",
    "Corridors",
    "Digits",
    "Factor",
    "GivenSource",
    "Gratings",
    "ImageFiles",
    "ImageOptions",
    "Images",
    "Pixels",
    "Pool",
    "Population",
    "Source",
    "Sprites",
    "Stored",
    "Stream",
    "Task",
    "coordinates_of",
    "draw_images",
    "draw_pool",
    "factor_numbers",
    "factors_of",
    "frequency",
    "image_counts",
    "kept_files",
    "make_images",
    "names_in",
    "task",
    "task_names",
]
