"""Key maps of MLD (Lightning checkpoints hold these names below ``vae.`` and ``denoiser.``) and of MotionLCM."""

import torch
from torch import Tensor

from motifmix.models.mld_denoiser import MLDDenoiser
from motifmix.models.mld_vae import MotionVAE
from motifmix.models.motion_style_encoder import MotionStyleEncoder
from motifmix.pretrained.maps.key_map import KeyMap
from motifmix.pretrained.maps.transformer import KIND, Renames, renames_of_layer

BLOCK = r"(?P<block>input_blocks\.\d+|middle_block|output_blocks\.\d+)\."


def flat_tables(ours: dict[str, Tensor]) -> dict[str, Tensor]:
    """Take the axis of length one out of the learned positions, [500, 1, D] in published files."""
    return {name: t.squeeze(1) if name.endswith(".table") and t.dim() == 3 else t for name, t in ours.items()}


def renames_of_skip_stack(published: str, ours: str, *, decoder: bool = False) -> Renames:
    """Return the renames of a whole skip stack, both prefixes ending in their dot."""
    return [
        *renames_of_layer(published + BLOCK, ours + r"\g<block>.", decoder=decoder),
        (published + r"linear_blocks\.(?P<number>\d+)\." + KIND, ours + r"skip_linears.\g<number>.\g<kind>"),
        (published + r"norm\." + KIND, ours + r"norm.\g<kind>"),
    ]


def renames_of_denoiser(published: str = "", ours: str = "") -> Renames:
    """Return the renames of MLD's denoiser, and of what MotionLCM adds to it."""
    return [
        (published + r"time_embedding\.linear_1\." + KIND, ours + r"time.expand.\g<kind>"),
        (published + r"time_embedding\.linear_2\." + KIND, ours + r"time.project.\g<kind>"),
        (published + r"time_embedding\.cond_proj\.weight", ours + "guidance.weight"),
        (published + r"emb_proj\.1\." + KIND, ours + r"text.1.\g<kind>"),
        (published + r"query_pos\.pe", ours + "positions.table"),
        (published + r"mem_pos\.pe", ours + "memory_positions.table"),
        (published + r"latent_pre\." + KIND, ours + r"from_latent.\g<kind>"),
        (published + r"latent_post\." + KIND, ours + r"to_latent.\g<kind>"),
        *renames_of_skip_stack(published + r"encoder\.", ours + "encoder."),
    ]


def renames_of_vae(published: str = "", ours: str = "") -> Renames:
    """Return the renames of MLD's VAE; whichever of the two kinds of decoder it has."""
    return [
        (published + "global_motion_token", ours + "tokens"),
        (published + r"skel_embedding\." + KIND, ours + r"embed.\g<kind>"),
        (published + r"final_layer\." + KIND, ours + r"output.\g<kind>"),
        (published + r"query_pos_(?P<side>encoder|decoder)\.pe", ours + r"\g<side>_positions.table"),
        (published + r"latent_pre\." + KIND, ours + r"to_latent.\g<kind>"),
        (published + r"latent_post\." + KIND, ours + r"from_latent.\g<kind>"),
        *renames_of_skip_stack(published + r"encoder\.", ours + "encoder."),
        *renames_of_skip_stack(published + r"decoder\.", ours + "decoder.", decoder=True),
    ]


# all_encoder has encoder layers on the decoder's side: no names of its own, but the second norm means another thing.
VAE = KeyMap(renames_of_vae(), steps=[flat_tables])
VAE_ALL_ENCODER = KeyMap(
    [*renames_of_skip_stack(r"decoder\.", "decoder."), *renames_of_vae()],
    steps=[flat_tables],
)
DENOISER = KeyMap(renames_of_denoiser(), steps=[flat_tables])
# StyleMotif's style encoder begins as the encoder of such a VAE and keeps its names.
STYLE_ENCODER = KeyMap(
    renames_of_vae(),
    dropped={r"(decoder|query_pos_decoder|final_layer)\..*": "a style encoder has no decoder"},
    steps=[flat_tables],
)


def try_vae(vae: MotionVAE) -> Tensor:
    """Read and write eight frames."""
    valid_mask = torch.ones(1, 8, dtype=torch.bool)
    return vae.decode(vae.encode(torch.zeros(1, 8, vae.embed.in_features), valid_mask).mean, valid_mask)


def try_style_encoder(encoder: MotionStyleEncoder) -> Tensor:
    """Read the style of eight frames."""
    return encoder(torch.zeros(1, 8, encoder.embed.in_features))


def try_denoiser(denoiser: MLDDenoiser) -> Tensor:
    """Denoise one latent token."""
    width = denoiser.positions.table.shape[1]
    return denoiser(torch.zeros(1, 1, width), torch.tensor(1), torch.zeros(1, 1, denoiser.text_dim))
