"""Key maps of MixerMDM's own networks; its base models are in2IN's (``intergen.py``) or MDM's.

Published names stand below ``mixing.``, ``discriminator_i.`` and ``discriminator_I.``, with ``model.`` in front in
training checkpoints. In the whole file the base models' denoisers occur three times (``model1.decoder.net_individual.``,
``denoiser1.``, ``mixing.denoiser1.``): the card says which copy counts.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from motifmix.models.discriminators import Discriminator
from motifmix.models.in2in import In2INIndividual, In2INInteraction
from motifmix.models.intergen import TextHead
from motifmix.models.mixer import Mixer
from motifmix.pretrained.maps.intergen import (
    MODEL,
    TABLE,
    renames_of_blocks,
    renames_of_time_and_text,
    text_head,
)
from motifmix.pretrained.maps.key_map import KeyMap
from motifmix.pretrained.maps.transformer import KIND

MIXING = MODEL + r"(?:mixing\.)?"
DISCRIMINATOR_NAME = MODEL + r"(?:discriminator_[iI]\.)?"
PE = r"(?:embed_timestep\.)?sequence_pos_encoder\.pe"

MIXER = KeyMap(
    renames=[
        *renames_of_time_and_text(MIXING, ""),
        *renames_of_blocks(MIXING + r"influence\.blocks\.", "weight_net.blocks."),
        (MIXING + r"influence\.out\." + KIND, r"weight_net.output.\g<kind>"),
    ],
    dropped={MIXING + PE: TABLE},
)
DISCRIMINATOR = KeyMap(
    renames=[
        *renames_of_time_and_text(DISCRIMINATOR_NAME, ""),
        *renames_of_blocks(DISCRIMINATOR_NAME + r"blocks\.", "blocks."),
        (DISCRIMINATOR_NAME + r"out\." + KIND, r"output.\g<kind>"),
    ],
    dropped={DISCRIMINATOR_NAME + PE: TABLE},
)
TEXT_HEAD = text_head("")


def try_individual(network: In2INIndividual) -> Tensor:
    """Clean features of one small forward pass of in2IN's individual network."""
    noisy = torch.linspace(-1, 1, 6 * network.features).view(1, 6, -1)
    return network(noisy, torch.tensor([500]), torch.ones(1, network.text.in_features))


def try_interaction(network: In2INInteraction) -> Tensor:
    """Clean features of one small forward pass of in2IN's interaction network."""
    noisy = torch.linspace(-1, 1, 12 * network.features).view(1, 6, -1)
    text = torch.ones(1, network.text.in_features)
    return network(noisy, torch.tensor([500]), text, text[:, None].expand(-1, 2, -1))


def try_text_head(head: TextHead) -> Tensor:
    """The feature that a text head takes of four tokens."""
    width = head.norm.normalized_shape[0]
    return head(torch.linspace(-1, 1, 4 * width).view(1, 4, width), torch.tensor([[1, 5, 9, 0]]))


def try_mixer(mixer: Mixer) -> Tensor:
    """Logits of one small forward pass."""
    motion = torch.linspace(-1, 1, 6 * mixer.input.in_features).view(1, 6, -1)
    texts = torch.zeros(1, mixer.text.in_features), torch.ones(1, mixer.text.in_features)
    return mixer(motion, motion.flip(1), torch.tensor([500]), *texts)


def try_discriminator(discriminator: Discriminator) -> Tensor:
    """Scores of one small forward pass."""
    motion = torch.linspace(-1, 1, 6 * discriminator.input.in_features).view(1, 6, -1)
    return discriminator(motion, torch.tensor([500]), torch.ones(1, discriminator.text.in_features))


def read_granularity(published: Mapping[str, Tensor]) -> dict[str, str]:
    """What a published Mixer's tensors say of its granularity.

    One output means one number for all parts, 23 one a part; whether there is one a frame no tensor tells. The published
    Mixers that were evaluated most have one a frame; where yours has not, say so in ``sizes``.
    """
    outputs = len(published["influence.out.bias"])
    return {"granularity": "temporal" if outputs == 1 else "spatio_temporal"}
