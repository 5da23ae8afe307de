"""Skeletons, motions and scenes, and the arithmetic on them. Works on numpy arrays, without torch."""

from motifmix.motion.motion import Motion, Scene, credit_line
from motifmix.motion.skeleton import MOTIFMIX, Skeleton

__all__ = ["MOTIFMIX", "Motion", "Scene", "Skeleton", "credit_line"]
