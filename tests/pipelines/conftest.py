"""A whole model with random weights, small enough to be made for a test."""

from pathlib import Path

import numpy as np
import pytest
import torch

from motifmix.encoders.text import MiniLM
from motifmix.features.own import MotifmixSpace
from motifmix.models.latent_denoiser import LatentDenoiser
from motifmix.models.style_encoder import LengthPredictor, StyleEncoder, TextToStyle
from motifmix.models.temporal_vae import TemporalVAE
from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot
from motifmix.pipelines.text_to_motion import TextToMotion
from motifmix.pretrained.cards import write_weights

FEATURES, LATENT, STYLE = MotifmixSpace.dim, 4, 8
CONTENTS, STYLES = ["walk", "wave"], ["elderly", "angry"]


def shaken(network: torch.nn.Module) -> torch.nn.Module:
    """Fresh networks have zeros through which nothing would flow."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network


def standing() -> np.ndarray:
    still = Motion(MOTIFMIX, np.tile(rot.IDENTITY, (2, 22, 1)), np.tile([0.0, 0.93, 0.0], (2, 1)), 20.0)
    return MotifmixSpace().encode(still)[1]


def write_model(folder: Path) -> None:
    torch.manual_seed(0)

    def write(part, architecture, sizes, tensors, **extra):
        write_weights(
            folder, part, tensors, name=part, role="generate", architecture=architecture, sizes=sizes,
            space="motifmix_269", licence="for tests", credit=["Somebody", "Somebody else"], data=[], recipe="none",
            commit="none", extra=extra,
        )  # fmt: skip

    vae = shaken(TemporalVAE(FEATURES, 16, LATENT))
    statistics = {"mean": torch.from_numpy(standing()), "std": torch.full((FEATURES,), 0.02)}
    write("vae", "TemporalVAE", {"features": FEATURES, "width": 16, "latent": LATENT},
          {**vae.state_dict(), **statistics})  # fmt: skip
    denoiser = shaken(LatentDenoiser(LATENT, width=16, blocks=2, heads=2))
    shared = {
        "latent_mean": torch.zeros(LATENT), "latent_std": torch.ones(LATENT),
        "text_mean": torch.zeros(384), "text_std": torch.full((384,), 0.05),
        "project_weight": torch.randn(16, STYLE), "project_bias": torch.randn(16),
    }  # fmt: skip
    write("denoiser", "LatentDenoiser", {"latent": LATENT, "width": 16, "blocks": 2, "heads": 2},
          {**denoiser.state_dict(), **shared}, block=1, gamma=0.6, prediction_type="flow", schedule="flow")  # fmt: skip
    sizes = {"features": FEATURES, "width": 16, "style": STYLE}
    write("style_encoder", "StyleEncoder", sizes, shaken(StyleEncoder(**sizes)).state_dict())
    sizes = {"text": 384, "width": 16, "style": STYLE}
    write("text_to_style", "TextToStyle", sizes, shaken(TextToStyle(**sizes)).state_dict())
    write("length", "LengthPredictor", sizes, LengthPredictor(**sizes).state_dict())
    spoken = MiniLM().encode(["a person walks forward", "a person waves", "old", "angry"])
    bank = {
        "content_texts": spoken[:2], "content_owners": torch.tensor([0, 1], dtype=torch.int16),
        "style_texts": spoken[2:], "style_owners": torch.tensor([0, 1], dtype=torch.int16),
    }  # fmt: skip
    write("bank", "Bank", {}, bank, styles=[{"name": name, "clips": 3, "synonyms": ["a"]} for name in STYLES],
          contents=[{"name": n, "clips": 5, "synonyms": [], "styles": k} for n, k in zip(CONTENTS, (7, 1), strict=True)])  # fmt: skip


@pytest.fixture(scope="session")
def weights(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    write_model(folder)
    return folder


@pytest.fixture(scope="session")
def model(weights) -> TextToMotion:
    return TextToMotion(weights)
