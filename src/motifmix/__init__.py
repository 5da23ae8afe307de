"""motifmix: human motion with style. A text and a style in, a motion out that opens in Blender.

>>> import motifmix
>>> motions = motifmix.load().generate(["a person walks forward"], styles=["old"], seeds=[1])
>>> motifmix.write("walk.bvh", motions[0])
"""

from typing import TYPE_CHECKING, Any

from motifmix.errors import MotifmixError

if TYPE_CHECKING:
    from motifmix.files import read, write
    from motifmix.motion import MOTIFMIX, Motion, Scene, Skeleton
    from motifmix.pipelines.loading import load, load_duet

__version__ = "0.1.0"
__all__ = [
    "MOTIFMIX",
    "MotifmixError",
    "Motion",
    "Scene",
    "Skeleton",
    "__version__",
    "load",
    "load_duet",
    "read",
    "write",
]

# Where the public names live. They are imported at first use: `motifmix --help` must not wait for numpy or torch.
_HOMES = {
    "MOTIFMIX": "motifmix.motion",
    "Motion": "motifmix.motion",
    "Scene": "motifmix.motion",
    "Skeleton": "motifmix.motion",
    "load": "motifmix.pipelines.loading",
    "load_duet": "motifmix.pipelines.loading",
    "read": "motifmix.files",
    "write": "motifmix.files",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'motifmix' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
