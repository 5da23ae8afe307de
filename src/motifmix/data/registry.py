"""The datasets: one line each. ``READERS`` open folders in their published layout, ``PREPARED`` become our own clips."""

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from motifmix.errors import DataError

READERS = {
    "humanml3d": "motifmix.data.humanml3d:HumanML3D",
    "kit-ml": "motifmix.data.humanml3d:KITML",
    "100style-humanml3d": "motifmix.data.style100_humanml3d:Style100HumanML3D",
    "interhuman": "motifmix.data.interhuman:InterHuman",
    "humanml3d-262": "motifmix.data.interhuman:HumanML3DIn262",
    "inter-x": "motifmix.data.inter_x:InterX",
    "xia": "motifmix.data.xia:Xia",
    "bfa": "motifmix.data.bfa:BFA",
}
PREPARED = {
    "bandai": "motifmix.data.bandai_namco",
    "cmu": "motifmix.data.cmu",
    "100style": "motifmix.data.style100",
}


def open_dataset(name: str, folder: Path | str, **options: Any) -> Any:
    """Open a published dataset by name. Raises ``DataError`` for an unknown name or a folder that is not complete."""
    if name not in READERS:
        raise DataError(f"{name!r} is no dataset with a reader; the readers are {', '.join(sorted(READERS))}")
    module, _, attribute = READERS[name].partition(":")
    return getattr(import_module(module), attribute)(folder, **options)


def preparer(name: str) -> ModuleType:
    """Return the module that knows a dataset for ``data prepare``. Raises ``DataError`` for an unknown name."""
    if name not in PREPARED:
        raise DataError(f"{name!r} is no dataset that can be prepared; the datasets are {', '.join(sorted(PREPARED))}")
    return import_module(PREPARED[name])
