"""SMooDi as a reader of the paper would write it: adapter, style network, guidance by its statistics, the whole loop."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .mld import MLDVAE, MLDDenoiser, TimestepEmbedding, ddim_schedule, ddim_step, timestep_sinusoids
from .transformers import LearnedPositions, SkipTransformer

ITERATIONS, STRENGTH, BELOW = 5, 0.2, 300


class StyleNetwork(nn.Module):
    """Two learned tokens and the frames in a plain transformer."""

    def __init__(
        self, width: int, feed_forward: int, heads: int, layers: int = 6, features: int = 263, classes: int = 100
    ) -> None:
        super().__init__()
        self.global_motion_token = nn.Parameter(torch.randn(2, width))
        self.skel_embedding = nn.Linear(features, width)
        self.query_pos, self.mem_pos = LearnedPositions(width), LearnedPositions(width)
        layer = nn.TransformerEncoderLayer(width, heads, feed_forward, 0.1, "gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers, nn.LayerNorm(width), enable_nested_tensor=False)
        self.classifier = nn.Linear(width, classes)
        self.classification_layers = nn.Sequential(nn.Identity(), nn.Conv1d(width, classes, 5))

    def tokens(self, motion: Tensor) -> Tensor:
        x = torch.cat([self.global_motion_token.expand(len(motion), -1, -1), self.skel_embedding(motion)], dim=1)
        return self.query_pos(x)

    def embedding(self, motion: Tensor) -> Tensor:
        return self.encoder(self.tokens(motion))[:, 0]

    def statistics(self, motion: Tensor) -> tuple[Tensor, Tensor]:
        x = self.tokens(motion)
        for layer in self.encoder.layers:
            x = layer(x)
        return x.mean(dim=1), x.std(dim=1)


class SMooDiDenoiser(nn.Module):
    """MLD's denoiser, and a copy of its input blocks that sees the style."""

    def __init__(self, width: int, feed_forward: int, layers: int, heads: int, text: int = 768) -> None:
        super().__init__()
        self.mld_denoiser = MLDDenoiser(width, feed_forward, layers, heads, text)
        self.style_encoder = StyleNetwork(width, feed_forward, heads)
        self.time_embedding_c = TimestepEmbedding(text, width)
        self.emb_proj = nn.Sequential(nn.ReLU(), nn.Linear(text, width))
        self.query_pos, self.mem_pos = LearnedPositions(width), LearnedPositions(width)
        self.skel_embedding = nn.Linear(263, width)
        self.global_motion_token = nn.Parameter(torch.randn(2, width))
        self.encoder_c = SkipTransformer(nn.TransformerEncoderLayer, layers, width, heads, feed_forward)
        self.zero_convs = nn.ModuleList(nn.Linear(width, width) for _ in self.encoder_c.input_blocks)

    def forward(self, noisy: Tensor, timesteps: Tensor, text: Tensor, reference: Tensor) -> Tensor:
        noisy = noisy + self.style_encoder.embedding(reference)[:, None]
        time = self.time_embedding_c(timestep_sinusoids(timesteps, text.shape[-1]))
        x = self.query_pos(torch.cat([noisy, time[:, None], self.emb_proj(text)], dim=1))
        control = []
        for block, linear in zip(self.encoder_c.input_blocks, self.zero_convs, strict=True):
            x = block(x)
            control.append(linear(x))
        return self.mld_denoiser(noisy, timesteps, text, control)


def shuffled(motion: Tensor, permutations: Tensor) -> Tensor:
    """Shuffle the frames within windows of 16; the rest stays."""
    windows = [motion[:, 16 * k : 16 * (k + 1)][:, order] for k, order in enumerate(permutations)]
    return torch.cat([*windows, motion[:, 16 * len(permutations) :]], dim=1)


def guidance_iteration(
    vae: MLDVAE, network: StyleNetwork, noise: Tensor, noisy: Tensor, bar: float, reference: Tensor
) -> Tensor:
    with torch.enable_grad():
        noise = noise.detach().requires_grad_()
        clean = (noisy - (1.0 - bar) ** 0.5 * noise) / bar**0.5
        motion = vae.decode(clean, reference.shape[1])
        mean, std = network.statistics(motion)
        wanted_mean, wanted_std = network.statistics(reference)
        loss = 2.0 * ((mean - wanted_mean).abs().sum() + (std - wanted_std).abs().sum()) / len(motion)
        (gradient,) = torch.autograd.grad(loss, noise)
    gradient[..., 0] = 0.0
    return noise.detach() - STRENGTH * gradient


@torch.no_grad()
def step_noise(
    denoiser: SMooDiDenoiser,
    noisy: Tensor,
    t: int,
    text: Tensor,
    null: Tensor,
    reference: Tensor,
    permutations: Tensor,
    guide: tuple[MLDVAE, StyleNetwork, float] | None = None,
    scales: tuple[float, float] = (7.5, 1.5),
) -> Tensor:
    """Return the guided noise of one step; ``guide``: VAE, style network and alpha bar where the classifier pulls."""
    timesteps, nothing = torch.full((len(noisy),), t), torch.zeros_like(reference)
    told = shuffled(reference, permutations)
    without = denoiser(noisy, timesteps, null, shuffled(nothing, permutations))
    with_text = denoiser(noisy, timesteps, text, shuffled(nothing, permutations))
    with_style = denoiser(noisy, timesteps, null, told)
    noise = without + scales[1] * (with_style - without)
    if guide is not None and t - 1 < BELOW:
        vae, network, bar = guide
        for _ in range(ITERATIONS):
            noise = guidance_iteration(vae, network, noise, noisy, bar, reference)
    return noise + scales[0] * (with_text - without)


def sample(
    denoiser: SMooDiDenoiser,
    vae: MLDVAE,
    network: StyleNetwork,
    noisy: Tensor,
    text: Tensor,
    null: Tensor,
    reference: Tensor,
    permutations: Sequence[Tensor],
) -> Tensor:
    for (t, bar, following), orders in zip(ddim_schedule(), permutations, strict=False):
        noise = step_noise(denoiser, noisy, t, text, null, reference, orders, (vae, network, bar))
        noisy = ddim_step(noisy, noise, bar, following)
    return noisy
