import numpy as np
import pytest

from motifmix.features import humanml3d_to_interhuman as conversion
from motifmix.features.humanml3d import feature_blocks
from motifmix.features.interhuman import BLOCKS, joint_rotations
from motifmix.motion import rotations as rot


def clip(frames: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    turns = rot.normalized(generator.normal(size=(frames - 1, 21, 4)))
    vectors = generator.normal(size=(frames - 1, 263))
    vectors[:, feature_blocks(22)["joint_rotations"]] = rot.to_six_d(turns).reshape(frames - 1, -1)
    return generator.normal(size=(frames, 22, 3)), vectors, turns


def test_rotations_arrive_in_interhumans_order():
    joints, vectors, turns = clip()
    features = conversion.person_from_clip(joints, vectors).features
    assert features.shape == (6, 262)
    assert np.allclose(rot.angle_between(joint_rotations(features), turns[:6]), 0, atol=1e-6)


def test_the_published_reader_takes_other_columns():
    joints, vectors, _ = clip()
    published = conversion.load_clip(joints, vectors, [conversion.ROTATIONS_AT_133, conversion.COLUMNS_NOT_INTERLEAVED])
    assert np.array_equal(published[:, 66:], vectors[:, 133:259])
    kept = conversion.person_from_clip(joints, vectors, [conversion.COLUMNS_NOT_INTERLEAVED]).features
    assert np.array_equal(kept[:, BLOCKS["joint_rotations"]], vectors[:6, 67:193])


def test_what_does_not_belong_together_is_refused():
    joints, vectors, _ = clip()
    with pytest.raises(ValueError, match="7 vectors, not 6"):
        conversion.load_clip(joints, vectors[:-1])
    with pytest.raises(ValueError, match="at least 22 joints, this one 21"):
        conversion.load_clip(joints[:, :21], vectors)
