"""Where images come from: sources, how often each stimulus occurs, and what is asked of it."""

from ratewarp.sources.corridors import Corridors
from ratewarp.sources.expressions import names_in
from ratewarp.sources.frequencies import frequency, image_counts
from ratewarp.sources.pool import image_pool
from ratewarp.sources.source import Source, factors_of
from ratewarp.sources.tasks import Task, task, task_names

__all__ = [
    "Corridors",
    "Source",
    "Task",
    "factors_of",
    "frequency",
    "image_counts",
    "image_pool",
    "names_in",
    "task",
    "task_names",
]
