"""ImageBind (Girdhar et al. 2023): text, images or video, and sound in one space of 1024 numbers.

Three towers of pre-norm transformer blocks, each with its own way in (tokens or patches, a class token, positions), a
head that takes one token, and its own scaling of the unit vector. Only the "huge" size was published; it also has
towers for depth, thermal and motion sensors, which are stated in ``OTHER_TOWERS`` and not built. Any subset of the
three can be built: text alone has 354,032,641 parameters of the 1,200,781,057.

**Only images' embeddings have unit length**: text is multiplied by a learned scale (at most 100), sound by 20. Normalise
before cosines. Drop path (sound, training only) is not built: nothing here trains ImageBind.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from motifmix.models.layers.prenorm_block import PreNormBlock

EPSILON = 1e-6
MAX_LOGIT_SCALE = 100.0
TOWERS = ("text", "vision", "audio")
# Parameters of the published towers that are not built: way in, trunk and head.
OTHER_TOWERS = {
    "depth": 175_104 + 21_302_784 + 393_984,
    "thermal": 350_208 + 85_072_896 + 787_968,
    "imu": 154_624 + 18_920_448 + 525_312,
}


@dataclass(frozen=True)
class Stages:
    """What a tower makes of its input, stage by stage; N counts clips, or texts where there are none.

    ``tokens`` ``[N, L, width]`` before the trunk, ``trunk`` after it, ``head`` ``[N, output]`` before normalisation,
    ``scaled`` ``[N, output]`` after it.
    """

    tokens: Tensor
    trunk: Tensor
    head: Tensor
    scaled: Tensor


def _blocks(
    width: int, layers: int, heads: int, mlp_ratio: float, *, causal: bool = False, extra_key: bool = False
) -> nn.Sequential:
    return nn.Sequential(
        *(
            PreNormBlock(
                width, heads, int(mlp_ratio * width), EPSILON, functional.gelu, causal=causal, extra_key=extra_key
            )
            for _ in range(layers)
        )
    )


class TextTower(nn.Module):
    """Token ids to embeddings: causal, pooled where the id is largest, which is the end token."""

    def __init__(
        self,
        output_dim: int = 1024,
        width: int = 1024,
        layers: int = 24,
        heads: int = 16,
        vocabulary: int = 49408,
        context_length: int = 77,
        mlp_ratio: float = 4.0,
        max_logit_scale: float = MAX_LOGIT_SCALE,
    ) -> None:
        super().__init__()
        self.max_logit_scale = max_logit_scale
        self.token_embedding = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.randn(1, context_length, width) * 0.01)
        self.blocks = _blocks(width, layers, heads, mlp_ratio, causal=True)
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        self.projection = nn.Linear(width, output_dim, bias=False)
        self.log_logit_scale = nn.Parameter(torch.tensor(1 / 0.07).log())

    def forward(self, ids: Tensor) -> Stages:
        """Encode token ids ``[B, L]``, L up to the context length."""
        if ids.shape[1] > self.positions.shape[1]:
            raise ValueError(f"{ids.shape[1]} tokens do not fit a context of {self.positions.shape[1]}")
        tokens = self.token_embedding(ids) + self.positions[:, : ids.shape[1]]  # [B, L, width]
        trunk = self.blocks(tokens)
        end = trunk[torch.arange(len(ids), device=ids.device), ids.argmax(-1)]  # [B, width]
        head = self.projection(self.norm(end))
        scale = self.log_logit_scale.exp().clamp(max=self.max_logit_scale)
        return Stages(tokens, trunk, head, scale * functional.normalize(head, dim=-1))


class VisionTower(nn.Module):
    """Images or clips of a few frames to embeddings; an image is repeated to fill the patch's frames."""

    def __init__(
        self,
        output_dim: int = 1024,
        width: int = 1280,
        layers: int = 32,
        heads: int = 16,
        patch: tuple[int, int, int] = (2, 14, 14),
        image_size: int = 224,
        mlp_ratio: float = 4.0,
    ) -> None:
        super().__init__()
        self.patch = (patch[0], patch[1], patch[2])
        grid = (image_size // patch[1]) * (image_size // patch[2])
        self.patches = nn.Conv3d(3, width, self.patch, stride=self.patch, bias=False)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.randn(1, 1 + grid, width) * 0.02)
        self.first_norm = nn.LayerNorm(width, eps=EPSILON)
        self.blocks = _blocks(width, layers, heads, mlp_ratio)
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        self.projection = nn.Linear(width, output_dim, bias=False)

    def forward(self, pixels: Tensor) -> Stages:
        """Encode images ``[N, 3, height, width]`` or clips ``[N, 3, frames, height, width]``, normalised."""
        if pixels.ndim == 4:
            pixels = pixels.unsqueeze(2).expand(-1, -1, self.patch[0], -1, -1)
        x = self.patches(pixels).flatten(2).transpose(1, 2)  # [N, patches, width], row by row
        x = torch.cat([self.class_token.expand(len(x), -1, -1), x], dim=1)
        tokens = x + positions_for(x.shape[1] - 1, self.positions)
        trunk = self.blocks(self.first_norm(tokens))
        head = self.projection(self.norm(trunk[:, 0]))
        return Stages(tokens, trunk, head, functional.normalize(head, dim=-1))


class AudioTower(nn.Module):
    """Mel spectrograms to embeddings: overlapping patches, and one learned key in every attention."""

    fixed_log_scale: Tensor

    def __init__(
        self,
        output_dim: int = 1024,
        width: int = 768,
        layers: int = 12,
        heads: int = 12,
        patch: int = 16,
        stride: int = 10,
        mel_bins: int = 128,
        frames: int = 204,
        mlp_ratio: float = 4.0,
        logit_scale: float = 20.0,
        stem_epsilon: float = 1e-5,
        max_logit_scale: float = MAX_LOGIT_SCALE,
    ) -> None:
        super().__init__()
        self.max_logit_scale = max_logit_scale
        grid = ((mel_bins - patch) // stride + 1) * ((frames - patch) // stride + 1)
        self.patches = nn.Conv2d(1, width, patch, stride=stride, bias=False)
        self.patch_norm = nn.LayerNorm(width, eps=stem_epsilon)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.randn(1, 1 + grid, width) * 0.02)
        self.blocks = _blocks(width, layers, heads, mlp_ratio, extra_key=True)
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        self.projection = nn.Linear(width, output_dim, bias=False)
        self.register_buffer("fixed_log_scale", torch.tensor(float(logit_scale)).log())

    def forward(self, spectrograms: Tensor) -> Stages:
        """Encode normalised spectrograms ``[N, 1, mel bins, frames]``."""
        x = self.patch_norm(self.patches(spectrograms).flatten(2).transpose(1, 2))  # [N, patches, width], row by row
        x = torch.cat([self.class_token.expand(len(x), -1, -1), x], dim=1)
        if x.shape[1] != self.positions.shape[1]:
            raise ValueError(
                f"spectrograms of {tuple(spectrograms.shape[-2:])} make {x.shape[1] - 1} patches; "
                f"the tower was built for {self.positions.shape[1] - 1}"
            )
        tokens = x + self.positions
        trunk = self.blocks(tokens)
        head = self.projection(self.norm(trunk[:, 0]))
        scale = self.fixed_log_scale.exp().clamp(max=self.max_logit_scale)
        return Stages(tokens, trunk, head, scale * functional.normalize(head, dim=-1))


class ImageBind(nn.Module):
    """The towers asked for, and the mean over the clips of one video or sound."""

    def __init__(
        self,
        towers: Collection[str] = TOWERS,
        output_dim: int = 1024,
        image_size: int = 224,
        vision_width: int = 1280,
        vision_layers: int = 32,
        vision_heads: int = 16,
        vision_patch: tuple[int, int, int] = (2, 14, 14),
        text_width: int = 1024,
        text_layers: int = 24,
        text_heads: int = 16,
        vocabulary: int = 49408,
        context_length: int = 77,
        audio_width: int = 768,
        audio_layers: int = 12,
        audio_heads: int = 12,
        audio_patch: int = 16,
        audio_stride: int = 10,
        mel_bins: int = 128,
        audio_frames: int = 204,
        audio_logit_scale: float = 20.0,
        mlp_ratio: float = 4.0,
        max_logit_scale: float = MAX_LOGIT_SCALE,
    ) -> None:
        super().__init__()
        if not towers or not set(towers) <= set(TOWERS):
            raise ValueError(f"the towers asked for are {sorted(towers)}; there are {', '.join(TOWERS)}")
        self.image_size = image_size
        self.spectrogram_size = (mel_bins, audio_frames)
        if "text" in towers:
            self.text = TextTower(
                output_dim, text_width, text_layers, text_heads, vocabulary, context_length, mlp_ratio, max_logit_scale
            )
        if "vision" in towers:
            self.vision = VisionTower(
                output_dim, vision_width, vision_layers, vision_heads, vision_patch, image_size, mlp_ratio
            )
        if "audio" in towers:
            self.audio = AudioTower(
                output_dim, audio_width, audio_layers, audio_heads, audio_patch, audio_stride, mel_bins, audio_frames,
                mlp_ratio, audio_logit_scale, max_logit_scale=max_logit_scale,
            )  # fmt: skip

    def stages(self, modality: str, x: Tensor) -> Stages:
        """Run one tower, clips folded into the batch. ``modality``: text, vision or audio."""
        return self._tower(modality)(x.flatten(0, 1) if _has_clips(modality, x) else x)

    def forward(self, modality: str, x: Tensor) -> Tensor:
        """Return embeddings ``[B, output]``.

        ``x``: token ids ``[B, L]``; images ``[B, 3, H, W]``, several of them ``[B, clips, 3, H, W]``, or videos
        ``[B, clips, 3, frames, H, W]``; spectrograms ``[B, 1, mel bins, frames]`` or
        ``[B, clips, 1, mel bins, frames]``. Clips are averaged after scaling and not normalised again, as published.
        """
        scaled = self.stages(modality, x).scaled
        return scaled.unflatten(0, x.shape[:2]).mean(1) if _has_clips(modality, x) else scaled

    def _tower(self, modality: str) -> nn.Module:
        tower = getattr(self, modality, None) if modality in TOWERS else None
        if tower is None:
            raise ValueError(f"this ImageBind was built without a tower for {modality!r}")
        return tower


def positions_for(patches: int, table: Tensor) -> Tensor:
    """Return the position table ``[1, 1 + patches, width]``; another square grid than its own is interpolated.

    Bicubic over the grid, by the factor between the sides; the class token's row is kept.
    """
    own = table.shape[1] - 1
    if patches == own:
        return table
    side = round(own**0.5)
    if side**2 != own or round(patches**0.5) ** 2 != patches:
        raise ValueError(f"positions for {own} patches cannot be stretched to {patches}: both must be square grids")
    grid = table[:, 1:].unflatten(1, (side, side)).permute(0, 3, 1, 2)  # [1, width, side, side]
    grid = functional.interpolate(grid, scale_factor=math.sqrt(patches / own), mode="bicubic")
    return torch.cat([table[:, :1], grid.flatten(2).transpose(1, 2)], dim=1)


def _has_clips(modality: str, x: Tensor) -> bool:
    # As published: five dimensions and more are clips, so a video has six; with five they are clips of one image each.
    if modality == "vision" and x.ndim == 5 and x.shape[2] != 3:
        raise ValueError(f"a video is [batch, clips, 3, frames, height, width]; this has the shape {tuple(x.shape)}")
    return x.ndim >= 5
