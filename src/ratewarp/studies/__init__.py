"""Studies: families of conditions, as data."""

from ratewarp.studies.axes import CAPACITY, Axis
from ratewarp.studies.condition import FREQUENCY_SCHEME, Condition, Setting, TaskRule
from ratewarp.studies.loading import builtin_names, load_study, resolved, stored_study
from ratewarp.studies.study import Cell, Study, of_all_models, study_schema

__all__ = [
    "CAPACITY",
    "FREQUENCY_SCHEME",
    "Axis",
    "Cell",
    "Condition",
    "Setting",
    "Study",
    "TaskRule",
    "builtin_names",
    "load_study",
    "of_all_models",
    "resolved",
    "stored_study",
    "study_schema",
]
