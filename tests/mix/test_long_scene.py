"""Scenes in windows that are laid end to end."""

import math

import pytest
import torch
from torch import Tensor

from motifmix.diffusion.chains import sample_chains
from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.schedule import CosineSchedule, NoiseLevel
from motifmix.features.interhuman import BLOCKS
from motifmix.mix.ingredients import PersonModel, Scaling, SceneModel
from motifmix.mix.long_scene import LongScene, OneModel
from motifmix.mix.mixed import Mixed
from motifmix.mix.placement import center_scene, laid, orthonormal
from motifmix.mix.schedules import Constant
from motifmix.mix.weights import Forced

FRAMES, LENGTH, OVERLAP = 100, 40, 20
STEP = 0.03  # metres a frame
PLAIN = Scaling(torch.zeros(262), torch.ones(262))
CONDITION = Condition({"text": Part(torch.zeros(1, 4), torch.ones(1, dtype=torch.bool))})


def walkers(frames: int, turn: float = 0.0) -> Tensor:
    """Two people [2, frames, 262], a metre apart, who walk the same way, which turns by ``turn`` a frame."""
    generator = torch.Generator().manual_seed(3)
    body = torch.rand(22, 3, generator=generator)
    body[0] = torch.tensor([0.0, 0.9, 0.0])
    angles = turn * torch.arange(frames)
    steps = STEP * torch.stack([angles.sin(), torch.zeros(frames), angles.cos()], dim=-1)
    way = torch.cat([torch.zeros(1, 3), steps.cumsum(0)[:-1]])
    joints = torch.stack([(body + side)[None] + way[:, None] for side in (0.0, 1.0)])
    velocities = steps[None, :, None].expand(2, -1, 22, 3)
    rest = torch.tensor([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]).repeat(21).expand(2, frames, -1)
    return torch.cat([joints.flatten(2), velocities.flatten(2), rest, torch.zeros(2, frames, 4)], dim=-1)


def long(denoiser, models, **settings) -> LongScene:
    return LongScene(denoiser, models, settings.get("frames", FRAMES), LENGTH, OVERLAP)


def roots(scene: Tensor) -> Tensor:
    return scene[..., BLOCKS["joint_positions"]][..., [0, 2]]


def test_a_scene_is_laid_where_another_has_its_first_frames():
    scene = walkers(LENGTH, turn=0.02)[None]
    moved = center_scene(scene)  # turned and shifted
    assert not torch.allclose(moved, scene, atol=0.1)
    torch.testing.assert_close(laid(moved, scene[..., :10, :], 10), scene, atol=1e-4, rtol=1e-4)


def test_windows_of_a_scene_make_it_again_wherever_each_of_them_begins():
    whole = walkers(FRAMES, turn=0.03)[None]
    scene = long(OneModel(SceneModel("pair", None, PLAIN)), [SceneModel("pair", None, PLAIN)])
    windows = center_scene(scene.cut(whole))
    starts = roots(windows)[:, 0, 0]
    assert windows.shape == (len(scene.starts), 2, LENGTH, 262) and starts.abs().max() < 1e-5
    made = scene.joined(windows)
    torch.testing.assert_close(laid(made, whole, FRAMES), whole, atol=2e-3, rtol=1e-3)
    torch.testing.assert_close(roots(made)[0, 0, 0], torch.zeros(2), atol=1e-4, rtol=0)


def says_walk(noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
    """A model of pairs whose people always begin at the origin and walk ahead."""
    assert noisy.shape[1] == LENGTH
    pair = center_scene(walkers(LENGTH)[None])
    return pair.transpose(1, 2).flatten(2).expand(len(noisy), -1, -1)


def says_the_same(noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
    pair = center_scene(walkers(LENGTH)[None])[0, 0]
    return pair.expand(len(noisy), -1, -1)


@pytest.mark.parametrize("mixed", [False, True])
def test_who_walks_goes_on_walking(mixed):
    pair = SceneModel("interaction", says_walk, PLAIN)
    alone = PersonModel("individual", says_the_same, PLAIN)
    told = {name: Part(torch.zeros(1, 2, 4), torch.ones(1, dtype=torch.bool)) for name in ("individual_text",)}
    mixture = Mixed(pair, [alone], override=Forced(Constant(0.5)), led=0.0) if mixed else OneModel(pair)
    scene = long(mixture, mixture.chains)
    noise = torch.randn(1, 2, FRAMES, 262, generator=torch.Generator().manual_seed(0))
    valid = torch.ones(1, FRAMES, dtype=torch.bool)
    states = scene.states(noise)
    assert [state.shape for state in states] == [(len(scene.starts), 2, LENGTH, 262)] * len(mixture.chains)
    condition = Condition({**CONDITION.parts, **told})
    *_, last = sample_chains(scene, scene.chains, CosineSchedule().levels(3), states, condition, valid)
    gone = (roots(last.clean)[:, :, -1] - roots(last.clean)[:, :, 0]).norm(dim=-1)
    torch.testing.assert_close(gone, torch.full((1, 2), STEP * (FRAMES - 1)), atol=1e-2, rtol=0)
    apart = (roots(last.clean)[:, 0] - roots(last.clean)[:, 1]).norm(dim=-1)
    torch.testing.assert_close(apart, torch.full_like(apart, math.sqrt(2)), atol=1e-2, rtol=0)
    if mixed:
        assert last.traces["mixing_weights"].shape == (1, 1, 2, FRAMES, 1)
        assert last.traces["mixing_weights"].unique().tolist() == pytest.approx([0.5])


def test_windows_that_say_different_things_fade_into_each_other():
    scene = long(OneModel(SceneModel("pair", None, PLAIN)), [], frames=60)
    assert scene.starts == [0, 20]
    first, second = torch.zeros(1, 1, LENGTH, 23), torch.ones(1, 1, LENGTH, 23)
    faded = scene._faded(torch.cat([first, second]))[0, 0, :, 0]
    assert faded.shape == (60,) and (faded[:20] == 0).all() and (faded[40:] == 1).all()
    assert (faded[20:40].diff() > 0).all()


def test_several_scenes_at_once_are_the_same_as_each_alone():
    pair = SceneModel("interaction", lambda noisy, *_: torch.tanh(noisy), PLAIN)
    scene = long(OneModel(pair), [pair])
    noise = torch.randn(3, 2, FRAMES, 262, generator=torch.Generator().manual_seed(1))

    def made(own: Tensor, condition: Condition) -> Tensor:
        valid = torch.ones(len(own), FRAMES, dtype=torch.bool)
        return scene(scene.states(own), NoiseLevel(0.6, 0.8, 0.5, 400), condition, valid).clean

    three = Condition({"text": Part(torch.zeros(3, 4), torch.ones(3, dtype=torch.bool))})
    torch.testing.assert_close(made(noise, three)[1:2], made(noise[1:2], CONDITION), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(
        orthonormal(made(noise, three)), made(noise, three), atol=1e-5, rtol=1e-5
    )  # no mean of rotations


def test_an_overlap_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="overlap of 40 does not fit"):
        LongScene(OneModel(SceneModel("pair", None, PLAIN)), [], FRAMES, LENGTH, LENGTH)
