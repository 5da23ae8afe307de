"""MDM, the human motion diffusion model (Tevet et al., ICLR 2023; published symbol ``MDM``, ``trans_enc``).

One token for diffusion step and text stands before the frames in a plain post-norm transformer; the network predicts the
clean features. Two forms: :class:`MDM` is the original one (HumanML3D features, CLIP ViT-B/32), :class:`IndividualMDM`
the one that MixerMDM composes (InterHuman's 262 numbers of one person), which differs in what "no text" means.
"""

from collections.abc import Callable, Collection

import torch
from torch import Tensor, nn

from motifmix.diffusion.condition import Condition
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.models.layers.masks import hiding
from motifmix.models.layers.patches import from_root, in_the_world, patched, unpatched
from motifmix.models.layers.sinusoids import add_positions, sinusoids
from motifmix.models.layers.timestep_embedding import TimestepNet
from motifmix.models.layers.token_conv import TokenConv, with_neighbours
from motifmix.models.layers.transformer import EncoderLayer
from motifmix.quirks import Quirk

PADDING_ATTENDED = Quirk(
    "padding_attended",
    "MDM's first release hides no padding in self-attention; its checkpoints were trained and measured so",
)
Hook = Callable[[int, Tensor], Tensor]
_NEEDED = "this network needs levels with their step, and a condition with the part 'text'"


class MDM(nn.Module):
    """Predicts clean features; the defaults are the HumanML3D model (17,880,327 parameters).

    ``patch``, ``convolved`` and ``rooted`` are ours, for sizes that a laptop trains, as in ``intergen.py``.
    """

    def __init__(
        self,
        features: int = 263,
        width: int = 512,
        feed_forward: int = 1024,
        layers: int = 8,
        heads: int = 4,
        text: int = 512,
        dropout: float = 0.1,
        quirks: Collection[Quirk] = (),
        patch: int = 1,
        convolved: bool = False,
        rooted: bool = False,
    ) -> None:
        super().__init__()
        self.features, self.width, self.patch, self.quirks = features, width, patch, tuple(quirks)
        self.from_root: Tensor | None
        self.input = nn.Linear(patch * features, width)
        self.time = TimestepNet(width, width)
        self.text = nn.Linear(text, width)
        self.layers = nn.ModuleList(EncoderLayer(width, heads, feed_forward, dropout) for _ in range(layers))
        self.neighbours = nn.ModuleList(TokenConv(width) for _ in range(layers)) if convolved else None
        self.register_buffer("from_root", from_root() if rooted else None, persistent=False)
        self.output = nn.Linear(width, patch * features)
        self.dropout = nn.Dropout(dropout)

    def text_token(self, text: Tensor, present: Tensor | None = None) -> Tensor:
        """``text`` [B, text] to [B, D]; where it is not ``present`` [B], zeros are projected, so a bias remains."""
        return self.text(text if present is None else text * present[:, None].to(text.dtype))

    def forward(
        self,
        noisy: Tensor,
        timesteps: Tensor,
        text: Tensor,
        present: Tensor | None = None,
        valid_mask: Tensor | None = None,
        hook: Hook | None = None,
    ) -> Tensor:
        """``noisy`` [B, T, F], ``timesteps`` [B], ``text`` [B, text], said to those ``present`` [B], ``valid_mask``
        [B, T]; returns [B, T, F].

        ``hook(number, tokens)`` may change what layer ``number`` (from 1) hands on, [B, 1 + L, D].
        """
        told = self.text_token(text, present)
        told = told + self.time(sinusoids(timesteps, self.width).to(told.dtype))
        patches, valid_mask = patched(noisy, valid_mask, self.patch)
        x = self.dropout(add_positions(torch.cat([told[:, None], self.input(patches)], dim=1)))  # [B, 1 + L, D]
        valid_mask = None if PADDING_ATTENDED in self.quirks else hiding(valid_mask)
        if valid_mask is not None:
            valid_mask = nn.functional.pad(valid_mask, (1, 0), value=True)
        for number, layer in enumerate(self.layers, start=1):
            x = layer(self._seeing_neighbours(number, x, valid_mask), valid_mask)
            x = x if hook is None else hook(number, x)
        return in_the_world(unpatched(self.output(x[:, 1:]), self.patch, noisy.shape[1]), self.from_root)

    def _seeing_neighbours(self, number: int, x: Tensor, valid_mask: Tensor | None) -> Tensor:
        """Let the motion's tokens of [B, 1 + L, D] know their neighbours, where the size has it."""
        if self.neighbours is None:
            return x
        real = None if valid_mask is None else valid_mask[:, 1:]
        return torch.cat([x[:, :1], with_neighbours(self.neighbours, number, x[:, 1:], real)], dim=1)

    def denoise(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Speak the protocol of denoisers: the part ``text`` [B, text].

        Raises ``ValueError`` for a level without a step, or a condition that has no such part at all.
        """
        if level.step is None:
            raise ValueError(_NEEDED)
        timesteps = torch.full((len(noisy),), level.step, device=noisy.device)
        return self.denoise_at(timesteps, noisy, condition, valid)

    def denoise_at(self, timesteps: Tensor, noisy: Tensor, condition: Condition, valid: Tensor) -> Tensor:
        """Do the same at each item's own step [B], as in training."""
        part = condition.get("text")
        if part is None:
            raise ValueError(_NEEDED)
        return self(noisy, timesteps, part.value, part.present, valid)


class IndividualMDM(MDM):
    """MixerMDM's form; the defaults are MDM's own sizes, as no configuration of it is published."""

    def __init__(
        self,
        features: int = 262,
        width: int = 512,
        feed_forward: int = 1024,
        layers: int = 8,
        heads: int = 4,
        text: int = 512,
        dropout: float = 0.1,
        quirks: Collection[Quirk] = (),
        patch: int = 1,
        convolved: bool = False,
        rooted: bool = False,
    ) -> None:
        super().__init__(features, width, feed_forward, layers, heads, text, dropout, quirks, patch, convolved, rooted)

    def text_token(self, text: Tensor, present: Tensor | None = None) -> Tensor:
        """``text`` [B, text] to [B, D]; where it is not ``present`` [B], zeros, without the projection's bias."""
        told = self.text(text)
        return told if present is None else told * present[:, None].to(told.dtype)


def from_published_layout(features: Tensor) -> Tensor:
    """MDM's [B, F, 1, T] to our [B, T, F]."""
    return features.flatten(1, 2).transpose(1, 2)


def to_published_layout(features: Tensor) -> Tensor:
    """[B, T, F] to MDM's [B, F, 1, T]."""
    return features.transpose(1, 2)[:, :, None]
