import numpy as np
import pytest
import torch

from motifmix.models.layers.body_free import DIMENSIONS, body_free_features
from motifmix.models.recogniser import Recogniser, TemporalConfig
from motifmix.models.retrieval_evaluator import RetrievalEvaluator
from motifmix.motion.skeleton import MOTIFMIX

FPS = 20.0


def walk_like(frames: int, seed: int = 0) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    sway = np.cumsum(rng.normal(scale=0.01, size=(frames, 22, 3)), axis=0)
    path = np.linspace(0, frames / FPS, frames)[:, None, None] * np.array([0.0, 0.0, 1.2])
    return torch.tensor(MOTIFMIX.rest_positions + np.array([0, 0.95, 0]) + sway + path, dtype=torch.float32)


def padded(clips: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(len(clip) for clip in clips)
    joints = torch.full((len(clips), longest, 22, 3), 7.0)  # what the padding holds must not matter
    mask = torch.zeros(len(clips), longest, dtype=torch.bool)
    for i, clip in enumerate(clips):
        joints[i, : len(clip)], mask[i, : len(clip)] = clip, True
    return joints, mask


def alone(clip: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return clip[None], torch.ones(1, len(clip), dtype=torch.bool)


def test_features_do_not_know_the_body_the_place_the_heading_or_the_floor():
    clip = walk_like(40)
    angle = torch.tensor(1.1)
    turn = torch.tensor([[angle.cos(), 0, angle.sin()], [0, 1, 0], [-angle.sin(), 0, angle.cos()]])
    other = (clip * 1.3) @ turn.T + torch.tensor([3.0, 0.4, -2.0])
    ours = body_free_features(*alone(clip), FPS)
    assert ours.shape == (1, 40, DIMENSIONS)
    torch.testing.assert_close(body_free_features(*alone(other), FPS), ours, atol=2e-4, rtol=1e-4)


def test_features_know_the_speed_and_the_turn():
    still = walk_like(2)[:1].repeat(40, 1, 1)
    moving = still + torch.arange(40)[:, None, None] / FPS * torch.tensor([0.0, 0.0, 2.0])
    features = body_free_features(*alone(moving), FPS)[0]
    leg = (MOTIFMIX.rest_positions[1] - MOTIFMIX.rest_positions[4])[1] + (
        MOTIFMIX.rest_positions[4] - MOTIFMIX.rest_positions[7]
    )[1]
    assert features[:, 63 + 2].mean() * leg / 0.3 == pytest.approx(2.0, rel=0.05)
    yaw = torch.arange(40) / FPS * 0.8
    turning = torch.stack([still[i] @ turn_about_y(a).T for i, a in enumerate(yaw)])
    torch.testing.assert_close(
        body_free_features(*alone(turning), FPS)[0, :, -1], torch.full((40,), 0.8 * 0.3), atol=1e-3, rtol=1e-3
    )


def turn_about_y(angle: torch.Tensor) -> torch.Tensor:
    c, s = float(angle.cos()), float(angle.sin())
    return torch.tensor([[c, 0, s], [0, 1, 0], [-s, 0, c]])


CONFIGS = [
    TemporalConfig(width=32, block="dense", pooling="mean_max", dilations=((1,), (1, 2), (1,))),
    TemporalConfig(width=32, block="dense", kernel=3, pooling="attention", dilations=((1, 2), (1, 4))),
    TemporalConfig(width=32, block="depthwise", kernel=7, pooling="moments", dilations=((1,), (1, 2))),
]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: c.pooling)
def test_a_clip_reads_the_same_alone_and_beside_longer_ones(config: TemporalConfig):
    torch.manual_seed(0)
    model = Recogniser(config, contents=5, styles=3).eval()
    clips = [walk_like(n, seed=n) for n in (33, 60, 2)]
    together = model(*padded(clips))
    assert together.features.shape == (3, 128) and together.content.shape == (3, 5) and together.style.shape == (3, 3)
    for i, clip in enumerate(clips):
        by_itself = model(*alone(clip))
        for a, b in zip(together, by_itself, strict=True):
            torch.testing.assert_close(a[i], b[0], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: c.pooling)
def test_gradients_reach_the_joints(config: TemporalConfig):
    torch.manual_seed(0)
    joints, mask = padded([walk_like(20), walk_like(30)])
    joints.requires_grad_(True)
    Recogniser(config, 5, 3).eval()(joints, mask).style[:, 1].sum().backward()
    assert joints.grad is not None and torch.isfinite(joints.grad).all()
    assert joints.grad[0, :20].abs().sum() > 0 and joints.grad[0, 20:].abs().sum() == 0


def test_inputs_are_normalised_by_what_was_seen():
    model = Recogniser(CONFIGS[0], 5, 3)
    joints, mask = padded([walk_like(20), walk_like(30)])
    model.net.fit_inputs(joints, mask)
    seen = body_free_features(joints, mask, FPS)[mask]
    normal = (seen - model.net.input_mean) / model.net.input_std
    torch.testing.assert_close(normal.mean(dim=0), torch.zeros(DIMENSIONS), atol=1e-4, rtol=0)
    assert normal.std(dim=0).max() < 1.01


def test_unknown_blocks_and_poolings_are_refused_by_name():
    with pytest.raises(ValueError, match=r"pooling 'median' is unknown; known: mean_max"):
        Recogniser(TemporalConfig(pooling="median"), 5, 3)
    with pytest.raises(ValueError, match="block"):
        Recogniser(TemporalConfig(block="wide"), 5, 3)


def test_evaluator_embeds_both_sides_on_one_sphere():
    torch.manual_seed(0)
    model = RetrievalEvaluator(CONFIGS[0]).eval()
    motions, texts = model(*padded([walk_like(20), walk_like(30)]), torch.randn(2, 384))
    assert motions.shape == texts.shape == (2, 128)
    torch.testing.assert_close(motions.norm(dim=-1), torch.ones(2))
    torch.testing.assert_close(texts.norm(dim=-1), torch.ones(2))
