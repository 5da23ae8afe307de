"""SMooDi's denoiser (Zhong et al., ECCV 2024, section 3.3; published symbol ``ControlMldDenoiser``).

A frozen MLD denoiser, and beside it a trainable copy of its transformer that also sees the style: what leaves the copy's
input blocks goes through linear layers that begin at zero and is added to the frozen blocks' outputs (as in ControlNet).
"""

from collections.abc import Collection, Iterator

import torch
from torch import Tensor, nn

from motifmix.diffusion.condition import Condition
from motifmix.diffusion.predictions import to_clean
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.models.layers.skip_transformer import LearnedPositions, SkipStack
from motifmix.models.layers.timestep_embedding import TimestepNet, timestep_waves
from motifmix.models.layers.transformer import Activation, EncoderLayer
from motifmix.models.mld_denoiser import MLDDenoiser, MLDEstimator, step_of
from motifmix.models.style_network import StyleNetwork
from motifmix.quirks import Quirk

WINDOW = 16  # frames whose order is shuffled before the style encoder sees them
STYLE_ADDED_IN_PLACE = Quirk(
    "style_added_in_place",
    "SMooDi: the style embedding is added to the caller's latent itself, so the frozen branch sees it too, and so does "
    "whoever uses that latent again; its weights were trained so",
)
EMPTY_STYLE_IS_ENCODED = Quirk(
    "empty_style_is_encoded",
    "SMooDi: no style is a motion of zeros that goes through the style encoder and the adapter like any other",
)


def shuffled_in_windows(motion: Tensor, permutations: Tensor) -> Tensor:
    """Reorder the frames of every whole window of ``motion`` [B, T, F]; the frames behind the last one stay.

    ``permutations`` [T // 16, 16]: which of its window's frames each frame takes, the same for the whole batch.
    """
    windows, size = permutations.shape
    order = (permutations + size * torch.arange(windows, device=permutations.device)[:, None]).flatten()
    return torch.cat([motion[:, order], motion[:, windows * size :]], dim=1)


def window_permutations(frames: int, generator: torch.Generator | None = None, size: int = WINDOW) -> Tensor:
    """Draw the order of the frames in every whole window, [frames // size, size]."""
    return torch.rand(frames // size, size, generator=generator).argsort(dim=1)


def endless_permutations(frames: int, generator: torch.Generator | None = None) -> Iterator[Tensor]:
    """Draw orders of the frames without end, for one call of the network each."""
    while True:
        yield window_permutations(frames, generator)


class SMooDiDenoiser(nn.Module):
    """Predicts the noise in latents [B, n, width] from time, text and a style embedding; the defaults are as published.

    Of the trainable copy only the input blocks act. Its other blocks, ``memory_positions``, ``frames`` and ``tokens`` and
    the style encoder's head never reach an output; they are stored in published files and counted in published sizes.
    """

    def __init__(
        self,
        features: int = 263,
        latent_tokens: int = 1,
        width: int = 256,
        text_dim: int = 768,
        feed_forward: int = 1024,
        layers: int = 9,
        heads: int = 4,
        dropout: float = 0.1,
        activation: Activation = "gelu",
        pre_norm: bool = False,
        epsilon: float = 1e-5,
        positions: int = 500,
        cosine_first: bool = True,
        frequency_shift: float = 0.0,
        longest_period: float = 10_000.0,
        style_classes: int = 100,
        style_feed_forward: int = 1024,
        style_layers: int = 6,
        style_heads: int = 4,
        style_activation: Activation = "gelu",
        style_pre_norm: bool = False,
        quirks: Collection[Quirk] = (),
    ) -> None:
        super().__init__()
        if text_dim == width:
            raise ValueError(f"the text feature must not be as wide as the network ({width}): its adapter projects it")
        self.quirks = tuple(quirks)
        shared = (layers, width, heads, feed_forward, dropout, activation, pre_norm, epsilon)
        self.base = MLDDenoiser(
            width, text_dim, feed_forward, layers, heads, dropout, activation, pre_norm, epsilon, positions,
            cosine_first, frequency_shift, longest_period,
        )  # fmt: skip
        self.style_encoder = StyleNetwork(
            features, style_classes, width, style_feed_forward, style_layers, style_heads, dropout, style_activation,
            style_pre_norm, epsilon, positions, quirks,
        )  # fmt: skip
        self.time = TimestepNet(text_dim, width)
        self.text = nn.Sequential(nn.ReLU(), nn.Linear(text_dim, width))
        self.positions = LearnedPositions(positions, width)
        self.memory_positions = LearnedPositions(positions, width)
        self.frames = nn.Linear(features, width)
        self.tokens = nn.Parameter(torch.randn(2 * latent_tokens, width))
        self.copy = SkipStack(EncoderLayer, *shared)
        self.zero_linears = nn.ModuleList(nn.Linear(width, width) for _ in self.copy.input_blocks)
        for parameter in self.zero_linears.parameters():
            nn.init.zeros_(parameter)

    def embed_style(self, motion: Tensor, permutations: Tensor | None = None) -> Tensor:
        """``motion`` [B, T, F] (normalised; padding is read like frames) to its style [B, D]; see the shuffle above."""
        return self.style_encoder.embedding(
            motion if permutations is None else shuffled_in_windows(motion, permutations)
        )

    def left_behind(self, noisy: Tensor, style: Tensor) -> Tensor:
        """Return what a call leaves in its caller's latent: the latent, or by quirk the latent with the style added."""
        return noisy + style[:, None] if STYLE_ADDED_IN_PLACE in self.quirks else noisy

    def control(self, noisy: Tensor, timesteps: Tensor, text: Tensor, style: Tensor) -> list[Tensor]:
        """Return what is added to the outputs of the frozen input blocks, [B, n + 1 + S, D] each."""
        waves = timestep_waves(timesteps.expand(len(noisy)), self.base.text_dim, **self.base.waves).to(noisy.dtype)
        x = torch.cat([noisy + style[:, None], self.time(waves)[:, None], self.text(text)], dim=1)
        x, control = self.positions(x), []
        for block, linear in zip(self.copy.input_blocks, self.zero_linears, strict=True):
            x = block(x)
            control.append(linear(x))
        return control

    def forward(
        self,
        noisy: Tensor,
        timesteps: Tensor,
        text: Tensor,
        style: Tensor | None = None,
        present: Tensor | None = None,
    ) -> Tensor:
        """``noisy`` [B, n, D], ``timesteps`` [B] or one for all, ``text`` [B, S, text_dim], ``style`` [B, D] or None.

        ``present`` [B] switches the adapter off where False; without a style nobody has it.
        """
        if style is None:
            return self.base(noisy, timesteps, text)
        if present is not None:
            return self._with_some(noisy, timesteps, text, style, present)
        control = self.control(noisy, timesteps, text, style)

        def add(number: int, hidden: Tensor) -> Tensor:
            return hidden + control[number - 1] if number <= len(control) else hidden

        return self.base(self.left_behind(noisy, style), timesteps, text, add)

    def _with_some(self, noisy: Tensor, timesteps: Tensor, text: Tensor, style: Tensor, present: Tensor) -> Tensor:
        """Send through the adapter only who has a style: one of the three branches of guidance."""
        rows = present.nonzero()[:, 0]
        times = timesteps.expand(len(noisy))[rows]
        control = self.control(noisy[rows], times, text[rows], style[rows]) if len(rows) else []

        def add(number: int, hidden: Tensor) -> Tensor:
            return hidden.index_add(0, rows, control[number - 1]) if number <= len(control) else hidden

        style = style * present[:, None].to(style.dtype)
        return self.base(self.left_behind(noisy, style), timesteps, text, add)


class SMooDiEstimator(nn.Module):
    """SMooDi's denoiser as one that speaks of clean latents.

    Condition parts: ``text`` [B, S, text_dim] (absent: the encoded empty sentence) and, where the adapter acts,
    ``style`` [B]: which of ``references`` [R, T, F] (absent: no adapter, or by quirk a motion of zeros). Each call of the
    network takes the next of ``permutations``; without them the frames keep their order.
    """

    null_text: Tensor
    references: Tensor

    def __init__(
        self,
        denoiser: SMooDiDenoiser,
        null_text: Tensor,
        references: Tensor,
        permutations: Iterator[Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.denoiser, self.permutations = denoiser, permutations
        self.plain = MLDEstimator(denoiser.base, null_text)
        self.register_buffer("references", references)
        self._kept: dict[str, Tensor] = {}

    def forward(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Estimate the clean latents [B, n, D]."""
        style = condition.get("style")
        if style is None:
            return self.plain(noisy, level, condition, valid)
        embedding, present = self._styles()[style.value], None
        if EMPTY_STYLE_IS_ENCODED in self.denoiser.quirks:
            if not bool(style.present.all()):
                embedding = torch.where(style.present[:, None], embedding, self._no_style())
        else:
            present = style.present
        text = self.plain.told(condition)
        noise = self.denoiser(noisy.to(text.dtype), step_of(level, noisy), text, embedding, present)
        return to_clean(noise.to(noisy.dtype), noisy, level.alpha, level.sigma, "epsilon")

    def _styles(self) -> Tensor:
        if self.permutations is not None:
            return self.denoiser.embed_style(self.references, next(self.permutations))
        if "styles" not in self._kept:
            self._kept["styles"] = self.denoiser.embed_style(self.references)
        return self._kept["styles"]

    def _no_style(self) -> Tensor:
        """Return the embedding of a motion of zeros [1, D]: no shuffle changes it, so it is computed once."""
        if "none" not in self._kept:
            self._kept["none"] = self.denoiser.embed_style(torch.zeros_like(self.references[:1]))
        return self._kept["none"]
