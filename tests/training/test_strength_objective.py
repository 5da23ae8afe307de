"""A strength for every item and step: what it reads, what it changes, and who teaches it."""

import numpy as np
import torch

from motifmix.features.own import MotifmixSpace
from motifmix.models.layers.feature_joints import feature_joints
from motifmix.models.style_strength import StyleStrength
from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot
from motifmix.training.publishing import complete


def turning() -> Motion:
    time = np.arange(40) / 20
    rotations = rot.from_rotvec(0.2 * np.sin(time)[:, None, None] * np.random.default_rng(0).normal(size=(1, 22, 3)))
    rotations[:, 0] = rot.about_y(0.8 * time)
    root = np.stack([np.sin(time), 0.9 + 0.02 * np.cos(9 * time), time], axis=-1)
    return Motion(MOTIFMIX, rotations, root, 20.0)


def test_joints_of_features_are_those_of_the_motion():
    space, motion = MotifmixSpace(), turning()
    features = space.encode(motion)
    joints = feature_joints(torch.from_numpy(features)[None])[0].numpy()
    assert np.abs(joints - space.decode(features).joints).max() < 2e-4


def test_a_fresh_strength_is_one_everywhere():
    network = StyleStrength(text=5, style=4)
    factor = network(torch.randn(3, 5), torch.tensor([True, False, True]), torch.randn(3, 4), torch.rand(3))
    assert torch.allclose(factor, torch.ones(3), atol=1e-5)


def test_no_text_is_told_apart_from_any_text():
    network = StyleStrength(text=5, style=4)
    with torch.no_grad():
        network.layers[-1].weight.normal_()
    text, style, time = torch.randn(1, 5), torch.randn(1, 4), torch.rand(1)
    silent = torch.tensor([False])
    assert torch.equal(network(text, silent, style, time), network(text + 1, silent, style, time))
    assert not torch.equal(network(text, ~silent, style, time), network(text + 1, ~silent, style, time))
    factor = network(100 * text, ~silent, 100 * style, time)
    assert 0 <= float(factor.detach()) <= network.most


def test_weights_that_stand_beside_others_come_with_them_into_a_new_folder(tmp_path):
    others = tmp_path / "weights"
    others.mkdir()
    (others / "vae.yaml").write_text("card")
    complete(tmp_path / "not" / "there", others, ("vae",))
    assert (tmp_path / "not" / "there" / "vae.yaml").read_text() == "card"
