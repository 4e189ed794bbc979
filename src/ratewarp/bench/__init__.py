"""How long one training step takes here, against other ways to train the same model on the same machine, in
one run.
"""

from ratewarp.bench.contest import BenchSettings, compare
from ratewarp.bench.progress import Progress

__all__ = ["BenchSettings", "Progress", "compare"]
