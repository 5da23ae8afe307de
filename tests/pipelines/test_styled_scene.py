import numpy as np
import pytest

from motifmix.errors import RequestError
from motifmix.features.own import heading
from motifmix.motion import MOTIFMIX, Motion, Scene
from motifmix.motion import rotations as rot
from motifmix.pipelines.style_transfer import StyleTransfer
from motifmix.pipelines.styled_scene import styled_scene


def walker(where: float, turn: float) -> Motion:
    frames = 40
    rotations = np.tile(rot.IDENTITY, (frames, 22, 1))
    rotations[:, MOTIFMIX.index("left_hip")] = rot.from_rotvec(
        0.4 * np.sin(np.arange(frames) / 4)[:, None] * np.array([1.0, 0.0, 0.0])
    )
    root = np.stack([np.zeros(frames), np.full(frames, 0.93), np.arange(frames) / 40], axis=-1)
    return Motion(MOTIFMIX, rotations, root, 30.0).turned(turn).moved(np.array([0.0, 0.0, where]))


def test_a_style_changes_how_one_moves_and_not_where(model):
    scene = Scene((walker(0.0, 0.3), walker(2.0, 3.0)))
    first, second = styled_scene(StyleTransfer(model), scene, [None, "angry"], 2.0)
    assert first is scene.people[0]
    before = scene.people[1]
    assert (second.frames, second.fps) == (before.frames, before.fps)
    np.testing.assert_allclose(second.root[:, [0, 2]], before.root[:, [0, 2]], atol=0.02)
    assert np.abs(np.sin((heading(second.joints) - heading(before.joints)) / 2)).max() < 0.1
    _, unstyled = styled_scene(StyleTransfer(model), scene, [None, "angry"], [1.0, 0.0])
    assert np.abs(second.joints - unstyled.joints).max() > 1e-4 and second.labels["style"] == "angry"


def test_at_strength_0_nobody_is_touched(model):
    scene = Scene((walker(0.0, 0.0), walker(2.0, np.pi)))
    first, second = styled_scene(StyleTransfer(model), scene, ["old", "old"], [0.0, 1.0])
    assert first.rotations is scene.people[0].rotations or np.array_equal(first.rotations, scene.people[0].rotations)
    assert not np.array_equal(second.rotations, scene.people[1].rotations)


def test_styles_strengths_and_texts_are_counted(model):
    scene = Scene((walker(0.0, 0.0), walker(2.0, 3.0)))
    with pytest.raises(RequestError, match="2 people have 3 styles"):
        styled_scene(StyleTransfer(model), scene, ["old", "old", "old"])
    with pytest.raises(RequestError, match="2 people have 1 strengths"):
        styled_scene(StyleTransfer(model), scene, ["old", "old"], [1.0])
    with pytest.raises(RequestError, match="2 people have 1 texts"):
        styled_scene(StyleTransfer(model), scene, ["old", "old"], texts=["walks"])
