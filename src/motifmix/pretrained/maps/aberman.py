"""Published names of the style transfer network of Aberman et al.: ``gen_*.pt`` under ``gen``, ``dis_*.pt`` under ``dis``."""

import torch
from torch import Tensor

from motifmix.models.aberman import AbermanDiscriminator, AbermanGenerator, discriminator_input
from motifmix.pretrained.maps.key_map import KeyMap


def generator_map(content_levels: int = 1, decoder_residual_blocks: int = 1) -> KeyMap:
    """Return the map for a size; published names count every layer, so the decoder's depend on how many there are."""
    first_level = 1 + decoder_residual_blocks
    levels = [
        # upsampling, padding, convolution, and (but for the last) an activation
        (rf"dec\.model\.{first_level + 2 + 4 * level}\.(weight|bias)", rf"decoder.levels.{level}.2.\1")
        for level in range(content_levels)
    ]
    blocks = [
        (rf"dec\.model\.{1 + block}\.conv_model\.(\d+)\.(weight|bias)", rf"decoder.blocks.{block}.layers.{{}}.\2")
        for block in range(decoder_residual_blocks)
    ]
    # Within a block: padding, convolution, activation, padding, convolution on both sides.
    blocks = [(old, new.replace("{}", r"\1")) for old, new in blocks]
    return KeyMap(
        renames=[
            (r"enc_content\.conv_model\.(\d+)\.(weight|bias)", r"content_encoder.\1.\2"),
            (r"enc_content\.conv_model\.(\d+)\.model\.(\d+)\.(weight|bias)", r"content_encoder.\1.layers.\2.\3"),
            (r"enc_style([23])d\.conv_model\.(\d+)\.(weight|bias)", r"style_encoder_\1d.layers.\2.\3"),
            (r"mlp\.model\.(\d+)\.(weight|bias)", r"style_mlp.\1.\2"),
            *blocks,
            *levels,
        ],
        dropped={r"dec\.model\.0\.running_(mean|var)": "stored by the published code and neither read nor updated"},
    )


GENERATOR = generator_map()
DISCRIMINATOR = KeyMap(
    renames=[
        (r"cnn_f\.1\.(weight|bias)", r"features.1.\1"),
        (r"cnn_f\.(\d+)\.conv_model\.2\.(weight|bias)", r"features.\1.first.1.\2"),
        (r"cnn_f\.(\d+)\.conv_model\.5\.(weight|bias)", r"features.\1.second.1.\2"),
        (r"cnn_f\.(\d+)\.conv_s\.1\.weight", r"features.\1.shortcut.1.weight"),
        (r"cnn_c\.2\.(weight|bias)", r"classes.1.\1"),
    ]
)


def try_generator(generator: AbermanGenerator) -> list[Tensor]:
    """Give half a second the style of a 3D and of a 2D clip; quaternions and joint positions."""
    content = torch.zeros(1, 4 * len(generator.kinematics.parents) + 4, 16)
    encoders = (generator.style_encoder_3d, generator.style_encoder_2d)
    made = [generator(content, torch.ones(1, encoder.incoming, 16)) for encoder in encoders]
    return [*made, generator.positions(made[0])]


def try_discriminator(discriminator: AbermanDiscriminator) -> tuple[Tensor, Tensor]:
    """Judge a clip of a window's length as the first style."""
    motion = torch.ones(1, discriminator.incoming, 32)
    return discriminator(discriminator_input(motion), torch.zeros(1, dtype=torch.int64))
