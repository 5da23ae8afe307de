"""The fusion on another base: MDM's kind of denoiser on features, in the same pipeline."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from motifmix.features.own import MotifmixSpace
from motifmix.models.feature_denoiser import FeatureDenoiser, FramePatches
from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot
from motifmix.pipelines.style_transfer import StyleTransfer
from motifmix.pipelines.text_to_motion import TextToMotion
from motifmix.pretrained.cards import read_weights, write_weights
from motifmix.style.styled_denoiser import StyledDenoiser
from motifmix.training.latents import _Patches

WALK = "a person walks forward"
DIM = MotifmixSpace.dim
SIZES = {"patch": 4 * DIM, "width": 16, "blocks": 3, "heads": 2}


@pytest.fixture(scope="module")
def second(weights, tmp_path_factory) -> TextToMotion:
    """The small model of the other tests with its autoencoder and denoiser replaced."""
    folder = tmp_path_factory.mktemp("second") / "weights"
    shutil.copytree(weights, folder)

    def put(part, tensors, **changes):
        card, _ = read_weights(weights, part)
        write_weights(folder, part, tensors, **{**card.model_dump(exclude={"sha256"}), **changes})

    _, vae = read_weights(weights, "vae")
    put("vae", {name: vae[name] for name in ("mean", "std")}, architecture="feature_denoiser:FramePatches",
        sizes={"features": DIM})  # fmt: skip
    torch.manual_seed(0)
    card, own = read_weights(weights, "denoiser")
    statistics = {"latent_mean": torch.zeros(4 * DIM), "latent_std": torch.ones(4 * DIM)}
    kept = {name: own[name] for name in ("text_mean", "text_std", "project_weight", "project_bias")}
    put("denoiser", {**FeatureDenoiser(**SIZES).state_dict(), **kept, **statistics}, sizes=SIZES,
        architecture="feature_denoiser:FeatureDenoiser",
        extra={**card.extra, "prediction_type": "sample", "block": 2})  # fmt: skip
    return TextToMotion(folder)


def test_patches_lose_nothing_and_padding_is_silent():
    patches, features = FramePatches(5), torch.randn(2, 12, 5)
    latents, doubt = patches.encode(features)
    assert latents.shape == (2, 3, 20) and bool((doubt == -torch.inf).all())
    assert torch.equal(patches.decode(latents), features)
    valid = torch.tensor([[True, True, True], [True, False, False]])
    assert torch.equal(patches.decode(latents, valid)[1, 4:], torch.zeros(8, 5))
    with pytest.raises(ValueError, match="not a multiple of 4"):
        patches.encode(features[:, :10])


def test_the_fusion_changes_what_comes_after_its_block_and_nothing_without_a_style(second):
    assert isinstance(second.denoiser, StyledDenoiser) and isinstance(second.denoiser.denoiser, FeatureDenoiser)

    def one(style=None, **more):
        return second.generate([WALK], [style], 2.0, [0], steps=2, **more)[0].joints

    assert one().shape == (40, 22, 3)
    assert np.array_equal(one(), one("old", strength=0.0))
    assert np.abs(one("old") - one()).max() > 1e-4 < np.abs(one("old") - one("angry")).max()
    assert np.abs(one("old", block=3) - one("old")).max() > 1e-6
    assert np.abs(one("old", gradient=0.3) - one("old")).max() > 1e-6


def test_company_changes_nothing(second):
    together = second.generate([WALK] * 2, ["old", None], [4.0, 2.0], [1, 2], steps=2)[1]
    alone = second.generate([WALK], [None], [2.0], [2], steps=2)[0]
    assert np.linalg.norm(together.joints - alone.joints, axis=-1).max() < 1e-4


def test_transfer_works_on_it_too(second):
    turns = rot.from_rotvec(0.1 * np.random.default_rng(0).normal(size=(40, 22, 3)))
    content = Motion(MOTIFMIX, turns, np.tile([0.0, 0.93, 0.0], (40, 1)), 20.0)
    (styled,) = StyleTransfer(second).transfer([content], ["old"], steps=2)
    assert styled.frames == 40 and np.isfinite(styled.joints).all()


def test_training_reads_the_same_patches_that_the_whole_clip_has():
    features = np.random.default_rng(0).normal(size=(23, DIM)).astype(np.float32)
    cache = SimpleNamespace(window=lambda entry, first=0, frames=None: features[first : first + (frames or 23)])
    plain = SimpleNamespace(normalise=lambda window: window)
    clip = _Patches(cache, SimpleNamespace(frames=23), plain)  # type: ignore[arg-type]
    assert len(clip) == 6 and clip[0:6].shape == (6, 4 * DIM)
    assert torch.equal(clip[2:4], clip[0:6][2:4]) and torch.equal(clip[4:6], clip[0:6][4:6])
    assert torch.equal(clip[1:3].flatten(), torch.from_numpy(features[4:12].ravel()))
