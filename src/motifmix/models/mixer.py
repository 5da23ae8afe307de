"""MixerMDM's Mixer (Ruiz-Ponce et al., CVPR 2025; published symbols ``Mixing`` and ``Influence``): whom to believe.

For each person it looks at the clean motion that one model predicts and at the one that the anchor predicts (in MixerMDM:
the individual and the interaction model), at the diffusion step and at the texts, and gives one number, one a frame,
one a joint, or one a joint and frame: the logit of the model's weight against the anchor. What is done with it (squash,
expand to features, mix) stands in ``mix/``; so do denormalising and placing, which come before.
"""

from collections.abc import Callable, Collection
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from motifmix.models.layers.adaptive_block import AdaptiveCrossAttention, AdaptiveFeedForward, AdaptiveSelfAttention
from motifmix.models.layers.masks import hiding
from motifmix.models.layers.sinusoids import add_positions, sinusoids
from motifmix.models.layers.timestep_embedding import TimestepNet
from motifmix.quirks import Quirk

Granularity = Literal["global", "temporal", "spatial", "spatio_temporal"]
Hook = Callable[[int, Tensor], Tensor]

POOLS_PADDING = Quirk(
    "mixer_pools_padding",
    "global and spatial weights average over all frames, padding included; published Mixers were trained so",
)


class MixerBlock(nn.Module):
    """Self-attention told one condition; cross-attention to the anchor and feed-forward told another."""

    def __init__(self, width: int, heads: int, feed_forward: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.self_attention = AdaptiveSelfAttention(width, heads, dropout)
        self.cross_attention = AdaptiveCrossAttention(width, heads, dropout)
        self.feed_forward = AdaptiveFeedForward(width, feed_forward, dropout)

    def forward(
        self, x: Tensor, anchor: Tensor, own: Tensor, shared: Tensor, valid_mask: Tensor | None = None
    ) -> Tensor:
        """``x`` and ``anchor`` [B, T, D]; conditions ``own`` and ``shared`` [B, D]; ``valid_mask`` [B, T]."""
        x = self.self_attention(x, own, valid_mask)
        x = self.cross_attention(x, anchor, shared, valid_mask)
        return self.feed_forward(x, shared)


class WeightNet(nn.Module):
    """The part that decides (published ``influence``, 21,022,231 parameters with 23 outputs)."""

    def __init__(
        self, width: int, feed_forward: int, blocks: int, heads: int, outputs: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(MixerBlock(width, heads, feed_forward, dropout) for _ in range(blocks))
        self.output = nn.Linear(width, outputs)

    def forward(
        self,
        x: Tensor,
        anchor: Tensor,
        own: Tensor,
        shared: Tensor,
        valid_mask: Tensor | None = None,
        hook: Hook | None = None,
    ) -> Tensor:
        """As in :class:`MixerBlock`; returns the last block's tokens [B, T, D], before ``output``."""
        for number, block in enumerate(self.blocks, start=1):
            x = block(x, anchor, own, shared, valid_mask)
            x = x if hook is None else hook(number, x)
        return x


class Familiarity(nn.Module):
    """How near a sentence is to those that a model learned from: the largest cosine with one of ``known`` [N, text].

    ``known`` is no parameter: :meth:`remember` or :meth:`recall` it before anything is asked.

    Past the paper: what a model was never told about it answers as confidently as all else, so that nothing in its predictions
    says whom not to believe. While a Mixer learns, half of the sentences are left out, another half each time; otherwise each of
    them would find itself, and other wordings would look like what nobody knows.
    """

    known: Tensor
    centre: Tensor
    spread: Tensor

    def __init__(self, text: int, width: int, hidden: int = 32) -> None:
        super().__init__()
        self.register_buffer("known", torch.zeros(0, text), persistent=False)
        self.register_buffer("centre", torch.zeros(()))
        self.register_buffer("spread", torch.ones(()))
        self.embed = nn.Sequential(nn.Linear(1, hidden), nn.SiLU(), nn.Linear(hidden, width))

    def remember(self, sentences: Tensor) -> None:
        """Take ``sentences`` [N, text] for what is known, before training; their own cosines, half left out, standardise all."""
        self.recall(functional.normalize(sentences, dim=-1))
        was = self.training
        found = self.train().nearest(sentences)
        self.train(was)
        self.centre.copy_(found.mean())
        self.spread.copy_(found.std(correction=0).clamp(min=1e-3))

    def recall(self, known: Tensor) -> None:
        """Take ``known`` as it was written. Raises ``ValueError`` for another shape than [N, text], or nothing."""
        if known.ndim != 2 or len(known) == 0 or known.shape[1] != self.known.shape[1]:
            raise ValueError(
                f"sentences that are known have the shape {list(known.shape)}, not [N, {self.known.shape[1]}]"
            )
        if not known.is_floating_point() or not torch.isfinite(known).all():
            raise ValueError("sentences that are known have numbers that are none")
        self.known = known.to(self.known)

    def nearest(self, text: Tensor) -> Tensor:
        """Return the largest cosine, [B], of ``text`` [B, text]; 0 where nothing is said."""
        cosines = functional.normalize(text, dim=-1) @ self.known.t().to(text.dtype)
        if self.training:
            cosines = cosines.masked_fill(torch.rand(len(self.known), device=cosines.device) < 0.5, -1.0)
        return cosines.amax(dim=-1) * (text != 0).any(dim=-1)

    def forward(self, text: Tensor) -> Tensor:
        """Return what is added to a person's condition, [B, width]; nothing where nothing is said."""
        said = (text != 0).any(dim=-1, keepdim=True)
        return self.embed(((self.nearest(text) - self.centre) / self.spread)[:, None]) * said


class Mixer(nn.Module):
    """Gives the logit of a model's weight against the anchor's; the defaults are the published size (22,075,927).

    ``parts``: how many numbers a spatial Mixer gives, one a joint and one for the foot contacts. ``familiar``: it is told how
    near a person's sentence is to those that the anchor learned from (:class:`Familiarity`); published ones know none.
    """

    def __init__(
        self,
        features: int = 262,
        width: int = 512,
        feed_forward: int = 1024,
        blocks: int = 4,
        heads: int = 8,
        text: int = 768,
        granularity: Granularity = "spatio_temporal",
        parts: int = 23,
        dropout: float = 0.0,
        quirks: Collection[Quirk] = (),
        familiar: bool = False,
    ) -> None:
        super().__init__()
        if granularity not in get_args(Granularity):
            raise ValueError(f"no granularity {granularity!r}; known are {', '.join(get_args(Granularity))}")
        self.width, self.granularity, self.quirks = width, granularity, tuple(quirks)
        self.input = nn.Linear(features, width)
        self.time = TimestepNet(width, width)
        self.text = nn.Linear(text, width)
        self.familiarity = Familiarity(text, width) if familiar else None
        outputs = parts if granularity in ("spatial", "spatio_temporal") else 1
        self.weight_net = WeightNet(width, feed_forward, blocks, heads, outputs, dropout)

    def forward(
        self,
        motion: Tensor,
        anchor: Tensor,
        timesteps: Tensor,
        own_text: Tensor,
        shared_text: Tensor,
        valid_mask: Tensor | None = None,
        hook: Hook | None = None,
    ) -> Tensor:
        """Return logits [B, T or 1, parts or 1] for clean motions of one person, not normalised and in one place.

        ``motion`` and ``anchor`` [B, T, features]; ``timesteps`` [B]; ``own_text`` of the person and ``shared_text``
        of the interaction, [B, text]; ``valid_mask`` [B, T]. ``hook(number, tokens)`` may change what block ``number``
        (from 1) hands on.
        """
        step = self.time(sinusoids(timesteps, self.width).to(motion.dtype))
        own, shared = step + self.text(own_text), step + self.text(shared_text)  # [B, D] each
        if self.familiarity is not None:
            added = self.familiarity(own_text)
            own, shared = own + added, shared + added
        x = self.weight_net(
            add_positions(self.input(motion)), add_positions(self.input(anchor)), own, shared, hiding(valid_mask), hook
        )
        if self.granularity in ("global", "spatial"):
            x = self._pooled(x, valid_mask)
        return self.weight_net.output(x)

    def _pooled(self, tokens: Tensor, valid_mask: Tensor | None) -> Tensor:
        """Average ``tokens`` [B, T, D] over the real frames to [B, 1, D]."""
        if valid_mask is None or POOLS_PADDING in self.quirks:
            return tokens.mean(dim=1, keepdim=True)
        real = valid_mask[..., None].to(tokens.dtype)
        return (tokens * real).sum(1, keepdim=True) / real.sum(1, keepdim=True).clamp(min=1.0)
