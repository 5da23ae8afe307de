"""A person who moves every joint, for tests of what must hold for any motion."""

import numpy as np
import pytest

from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot


def wild_motion(frames: int = 8, seed: int = 0, amount: float = 0.5, fps: float = 20.0) -> Motion:
    generator = np.random.default_rng(seed)
    pose, change = generator.normal(size=(1, 22, 3)), generator.normal(size=(frames, 22, 3)).cumsum(axis=0)
    root = np.array([0.0, 0.95, 0.0]) + 0.03 * generator.normal(size=(frames, 3)).cumsum(axis=0)
    return Motion(MOTIFMIX, rot.from_rotvec(amount * pose + 0.1 * change), root, fps)


@pytest.fixture(name="wild")
def wild_fixture():
    """The maker: ``wild(frames, seed, amount, fps)``."""
    return wild_motion
