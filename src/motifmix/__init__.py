"""motifmix: human motion with style. A text and a style in, a motion out that opens in Blender."""

from motifmix.errors import MotifmixError
from motifmix.motion import MOTIFMIX, Motion, Scene, Skeleton

__version__ = "0.1.0"
__all__ = ["MOTIFMIX", "Motion", "MotifmixError", "Scene", "Skeleton", "__version__"]
