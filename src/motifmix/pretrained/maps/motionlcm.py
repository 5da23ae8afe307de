"""Key map of MotionLCM's denoisers, students (below ``denoiser.`` in its checkpoints) and teachers; its VAE is MLD's."""

import torch
from torch import Tensor

from motifmix.models.motionlcm import MotionLCMDenoiser
from motifmix.pretrained.maps.key_map import KeyMap
from motifmix.pretrained.maps.mld import flat_tables, renames_of_denoiser

DENOISER = KeyMap(renames_of_denoiser(), steps=[flat_tables])


def try_denoiser(denoiser: MotionLCMDenoiser) -> Tensor:
    """Denoise one latent token, mildly guided."""
    strength = None if denoiser.guidance is None else torch.tensor(6.5)
    text = torch.zeros(1, 1, denoiser.text_dim)
    return denoiser(torch.zeros(1, 1, denoiser.latent_dim), torch.tensor(999), text, strength)
