"""KIT-ML's 251 numbers a frame: HumanML3D's extraction (``humanml3d.py``) on 21 joints, in millimetres, at 12.5 fps."""

from collections.abc import Mapping

import numpy as np

from motifmix.errors import RequestError
from motifmix.features.humanml3d import KIT_BODY, extract_from_joints, feature_blocks, recover_joints
from motifmix.motion import Motion


class KITSpace:
    """The published 251 numbers as a :class:`~motifmix.features.space.FeatureSpace`, between joints and features.

    Motions are refused: which side the dataset's joints 11 and 16 are on, and the bone lengths of its target skeleton
    (clip 03950), stand in the data alone; published axes and names contradict each other.
    """

    name = "kit_251"
    fps = 12.5
    dim = 251
    blocks: Mapping[str, slice] = feature_blocks(KIT_BODY.joints)

    def encode(self, motion: Motion) -> np.ndarray:
        """Raise ``RequestError``: see the class's text."""
        raise RequestError("KIT-ML's features cannot be made from a motion, only from its own 21 joints")

    def decode(self, features: np.ndarray) -> Motion:
        """Raise ``RequestError``: see the class's text."""
        raise RequestError("KIT-ML's features cannot be made a motion, only its own 21 joints")

    def from_joints(self, joints: np.ndarray, target_offsets: np.ndarray) -> np.ndarray:
        """Joints ``[T, 21, 3]`` at 12.5 fps (mm, Y up) on any proportions to ``[T - 1, 251]`` float32.

        ``target_offsets [21, 3]`` are :data:`KIT_BODY`'s axes times the bone lengths of the target skeleton.
        """
        return extract_from_joints(joints, target_offsets, KIT_BODY).astype(np.float32)

    def to_joints(self, features: np.ndarray) -> np.ndarray:
        """Features ``[..., T, 251]`` to joints ``[..., T, 21, 3]`` in millimetres."""
        return recover_joints(features, KIT_BODY)
