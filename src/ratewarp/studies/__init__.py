"""Studies: families of conditions, as data."""

from ratewarp.studies.condition import Condition, Setting, TaskRule
from ratewarp.studies.loading import builtin_names, load_study
from ratewarp.studies.study import Study

__all__ = ["Condition", "Setting", "Study", "TaskRule", "builtin_names", "load_study"]
