"""The latent denoiser of MLD (Chen et al., CVPR 2023, section 3.2; published symbol ``MldDenoiser``, ``trans_enc``).

Latents, the diffusion time and the text stand side by side as tokens of one skip transformer without masks; the output
is what the layer norm leaves on the latent tokens. It predicts the noise.
"""

import torch
from torch import Tensor, nn

from motifmix.diffusion.condition import Condition
from motifmix.diffusion.predictions import to_clean
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.models.layers.skip_transformer import Hook, LearnedPositions, SkipStack
from motifmix.models.layers.timestep_embedding import TimestepNet, timestep_waves
from motifmix.models.layers.transformer import Activation, EncoderLayer


class MLDDenoiser(nn.Module):
    """Predicts the noise in latents [B, n, width]; the defaults are the released text-to-motion model.

    The sinusoid of the time has the size of the *text* feature. The text goes through a ReLU and a linear layer, or
    through nothing at all where it is as wide as the network. ``memory_positions`` belongs to an arrangement that the
    released models do not use; it is stored in their checkpoints and counted in their sizes.
    """

    def __init__(
        self,
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
    ) -> None:
        super().__init__()
        self.text_dim = text_dim
        self.waves = {"cosine_first": cosine_first, "frequency_shift": frequency_shift, "longest": longest_period}
        self.time = TimestepNet(text_dim, width)
        self.text = nn.Identity() if text_dim == width else nn.Sequential(nn.ReLU(), nn.Linear(text_dim, width))
        self.positions = LearnedPositions(positions, width)
        self.memory_positions = LearnedPositions(positions, width)
        self.encoder = SkipStack(
            EncoderLayer, layers, width, heads, feed_forward, dropout, activation, pre_norm, epsilon
        )

    def forward(self, noisy: Tensor, timesteps: Tensor, text: Tensor, hook: Hook | None = None) -> Tensor:
        """``noisy`` [B, n, D], ``timesteps`` [B] or one for all, ``text`` [B, S, text_dim]; returns [B, n, D].

        ``hook(number, tokens)`` may change what block ``number`` (from 1) hands on: [latents, time, text], [B, n+1+S, D].
        """
        waves = timestep_waves(timesteps.expand(len(noisy)), self.text_dim, **self.waves).to(noisy.dtype)
        x = torch.cat([noisy, self.time(waves)[:, None], self.text(text)], dim=1)  # [B, n + 1 + S, D]
        return self.encoder(self.positions(x), hook=hook)[:, : noisy.shape[1]]


class MLDEstimator(nn.Module):
    """A denoiser of this kind as one that speaks of clean latents; an absent ``text`` is the encoded empty sentence.

    ``null_text`` [1, S, text_dim]. Condition part: ``text`` [B, S, text_dim]. The state may be in double precision, which
    keeps the implied noise exact where there is little of it; the network works in its own.
    """

    null_text: Tensor

    def __init__(self, denoiser: MLDDenoiser, null_text: Tensor) -> None:
        super().__init__()
        self.denoiser = denoiser
        self.register_buffer("null_text", null_text)

    def told(self, condition: Condition) -> Tensor:
        """Return the text features of every item, [B, S, text_dim]."""
        text = condition.parts["text"]
        return torch.where(text.present[:, None, None], text.value, self.null_text)

    def forward(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Estimate the clean latents [B, n, D]; all latent tokens are ``valid``."""
        text = self.told(condition)
        noise = self.denoiser(noisy.to(text.dtype), step_of(level, noisy), text)
        return to_clean(noise.to(noisy.dtype), noisy, level.alpha, level.sigma, "epsilon")


def step_of(level: NoiseLevel, like: Tensor) -> Tensor:
    """Return the original step of a level as the tensor that networks are told. Raises ``ValueError`` without one."""
    if level.step is None:
        raise ValueError("this network was trained on discrete steps; the schedule has none")
    return torch.tensor(level.step, device=like.device)
