"""Skeletons, motions and scenes, and the arithmetic on them. Works on numpy arrays, without torch."""

from motifmix.motion.motion import Motion, Scene
from motifmix.motion.skeleton import MOTIFMIX, Skeleton

__all__ = ["MOTIFMIX", "Motion", "Scene", "Skeleton"]
