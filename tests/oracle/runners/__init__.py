"""How each golden item is computed with our code: item name to a function from case to named outputs.

One module a family of models; each has a ``RUNNERS`` of its own, and all are found here.
"""

import importlib
import pkgutil
from collections.abc import Callable

import numpy as np
from golden import Case

RUNNERS: dict[str, Callable[[Case], dict[str, np.ndarray]]] = {}
for _module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    _found = importlib.import_module(f"runners.{_module}").RUNNERS
    assert RUNNERS.keys().isdisjoint(_found), f"runners/{_module}.py repeats an item"
    RUNNERS.update(_found)
