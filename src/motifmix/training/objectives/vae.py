"""Autoencoding motion: the default VAE, and beside it MLD's, which makes one token of a whole clip.

Pose, path and velocity are told apart: smooth L1 on normalised features block by block, joint positions by forward
kinematics from the decoded rotations (they are what a person sees), their change from frame to frame, and the path
integrated over the window. Drift has its own term: inside the pose loss it would swamp the pose.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn
from torch.nn.functional import smooth_l1_loss

from motifmix.data.feature_cache import CachedClip
from motifmix.data.sample import Clip
from motifmix.features.own import MotifmixSpace, rested, rested_to_multiple
from motifmix.home import home
from motifmix.models.layers.forward_kinematics import ForwardKinematics
from motifmix.models.mld_vae import MotionVAE
from motifmix.models.temporal_vae import STRIDE, TemporalVAE
from motifmix.motion.skeleton import MOTIFMIX
from motifmix.pretrained.build import load_part
from motifmix.training.pool import Pool, cell_weights, fit_normaliser, open_sets
from motifmix.training.publishing import facts_of

BLOCK_WEIGHTS = {
    "yaw_speed": 4.0, "root_velocity": 4.0, "root_height": 4.0, "joint_positions": 1.0, "joint_rotations": 1.0,
    "joint_velocities": 0.5, "foot_contacts": 0.3,
}  # fmt: skip


class VAEOptions(BaseModel):
    """Options of ``vae`` recipes."""

    model_config = ConfigDict(extra="forbid")

    batch: int = 24
    window: int = 64
    longest: int | None = None
    """Windows of one batch are as long as each other, ``window`` to this many frames; None: ``window`` always."""
    one_token: bool = False
    """MLD's network (``models/mld_vae.py``): a token for the clip, as wide as the network."""
    layers: int = 5
    """Of MLD's network, in the encoder and in the decoder."""
    width: int = 256
    latent: int = 32
    kl: float = 2e-4
    position: float = 10.0
    speed: float = 0.5
    path: float = 0.5
    content_share: float = 0.6
    part: str = "vae"
    start_from: str | None = None
    frozen_encoder: bool = False
    statistics: list[str] = ["bandai", "cmu"]
    without_styles: list[str] = []
    without_cells: list[tuple[str, str]] = []


class VAEObjective:
    """Windows of both sets through the autoencoder."""

    def __init__(self, data: list[str], options: dict[str, Any], seed: int) -> None:
        self.options = o = VAEOptions.model_validate(options)
        self.caches = open_sets(data)
        # Statistics come from the same sets whatever is trained: all parts of one model read one normalisation.
        self.normaliser = fit_normaliser(open_sets(o.statistics), o.without_styles, o.without_cells)
        clips = [
            cache.prepared.select(split="train", without_styles=o.without_styles, without_cells=o.without_cells)
            for cache in self.caches
        ]
        self.pool = windows_pool(self.caches, clips, o.window, o.content_share)
        torch.manual_seed(seed)
        network: nn.Module = TemporalVAE(MotifmixSpace.dim, o.width, o.latent)
        if o.one_token:
            network = MotionVAE(**self._clip_sizes())
        if self.options.start_from is not None:
            _, before, _ = load_part(home() / "weights", self.options.start_from)
            network.load_state_dict(before.state_dict())
        # Latents stay what they are, so a denoiser trained on them keeps its worth.
        if isinstance(network, TemporalVAE) and o.frozen_encoder:
            network.encoder.requires_grad_(False)
            network.posterior.requires_grad_(False)
        self.modules = nn.ModuleDict({"vae": network})
        self.kinematics = ForwardKinematics(MOTIFMIX.parents, torch.from_numpy(MOTIFMIX.offsets))
        self.mean, self.std = torch.from_numpy(self.normaliser.mean), torch.from_numpy(self.normaliser.std)

    def draw(self, rng: np.random.Generator) -> Tensor:
        """Return normalised windows [B, window or more, dim]."""
        o = self.options
        window = (
            o.window if o.longest is None else STRIDE * int(rng.integers(o.window // STRIDE, o.longest // STRIDE + 1))
        )
        return torch.from_numpy(draw_windows(self.pool, rng, o.batch, window, self.normaliser))

    def _clip_sizes(self) -> dict[str, Any]:
        o = self.options
        return {
            "features": MotifmixSpace.dim, "width": o.width, "feed_forward": 4 * o.width, "layers": o.layers, "dropout": 0.0,
        }  # fmt: skip

    def loss(self, generator: torch.Generator, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        """One batch."""
        features = self.draw(rng)
        network = self.modules["vae"]
        device = next(network.parameters()).device
        features = features.to(device)
        if isinstance(network, MotionVAE):
            noise = torch.randn(len(features), network.latent_tokens, network.width, generator=generator).to(device)
            decoded, posterior = network(
                features, torch.ones(features.shape[:2], dtype=torch.bool, device=device), noise
            )
            return self.reconstruction(
                features, decoded.float(), posterior.mean.float(), posterior.log_variance.float()
            )
        noise = torch.randn(len(features), features.shape[1] // STRIDE, self.options.latent, generator=generator)
        decoded, mean, log_variance = network(features, noise.to(device))
        return self.reconstruction(features, decoded.float(), mean.float(), log_variance.float())

    def reconstruction(
        self, features: Tensor, decoded: Tensor, mean: Tensor, log_variance: Tensor
    ) -> tuple[Tensor, dict[str, float]]:
        """Return the loss and its figures for normalised features and what was decoded, [B, T, dim]."""
        blocks, options = MotifmixSpace.blocks, self.options
        total = features.new_zeros(())
        for name, weight in BLOCK_WEIGHTS.items():
            total = total + weight * smooth_l1_loss(decoded[..., blocks[name]], features[..., blocks[name]], beta=0.1)
        mean_, std_ = self.mean.to(features.device), self.std.to(features.device)
        real, made = features * std_ + mean_, decoded * std_ + mean_
        where = blocks["joint_rotations"]
        six = torch.stack([real[..., where], made[..., where]]).unflatten(-1, (22, 6))
        height = torch.stack([real[..., blocks["root_height"]], made[..., blocks["root_height"]]])
        joints = self.kinematics.to(features.device)(six)
        joints = joints + nn.functional.pad(height, (1, 1))[..., None, :]
        error = (joints[1] - joints[0]).norm(dim=-1)  # [B, T, 22]
        change = (joints[1].diff(dim=1) - joints[0].diff(dim=1)).norm(dim=-1) * MotifmixSpace.fps
        position = error.mean()
        speed = change.mean()
        path = smooth_l1_loss(_path(made), _path(real), beta=0.02)
        divergence = 0.5 * (mean**2 + log_variance.exp() - 1.0 - log_variance).mean()
        total = total + options.position * position + options.speed * speed + options.path * path
        total = total + options.kl * options.latent * divergence
        figures = {"joint_mm": 1000 * float(position.detach()), "kl": float(divergence.detach())}
        return total, {**figures, "speed": float(speed.detach()), "path": float(path.detach())}

    def preview(self, modules: nn.ModuleDict, folder: Path, step: int) -> None:
        """Measure held-out windows of every set and draw one before and after."""
        import json

        network = modules["vae"]
        assert isinstance(network, TemporalVAE | MotionVAE)
        rows = {}
        for cache in self.caches:
            entries = cache.entries(cache.prepared.select(split="test", mirrored=False))[:160]
            errors = [
                reconstruction_error(network, self.normaliser, cache.window(e)) for e in entries if e.frames >= 20
            ]
            rows[cache.prepared.folder.name] = round(float(np.mean(errors)), 2)
        with (folder / "held_out.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, "joint_mm": rows}) + "\n")

    def save(self, modules: nn.ModuleDict, folder: Path, facts: dict[str, Any]) -> None:
        """Write the network with the statistics of its features."""
        from motifmix.pretrained.cards import write_weights

        tensors = {**modules["vae"].state_dict(), "mean": self.mean, "std": self.std}
        architecture = "TemporalVAE"
        sizes: dict[str, Any] = {
            "features": MotifmixSpace.dim,
            "width": self.options.width,
            "latent": self.options.latent,
        }
        if self.options.one_token:
            architecture, sizes = "mld_vae:MotionVAE", self._clip_sizes()
        known = facts_of(architecture, sizes, self.caches, facts, name=self.options.part)
        write_weights(folder, self.options.part, tensors, **known)


def windows_pool(caches: list[Any], clips: Sequence[list[Clip]], window: int, content_share: float) -> Pool:
    """All clips of each set that hold a window; the content set gets its share, long clips count by length."""
    entries: list[tuple[int, CachedClip]] = []
    weights: list[np.ndarray] = []
    for number, cache in enumerate(caches):
        own = [e for e in cache.entries(clips[number]) if e.frames >= 12]
        is_style = bool(own) and own[0].clip.role == "style"
        share = (1.0 - content_share if is_style else content_share) if len(caches) > 1 else 1.0
        weight = np.sqrt([max(e.frames / window, 0.5) for e in own])
        if is_style:
            weight = weight * cell_weights(own, set_one=1.0, locomotion=1.0)
        entries += [(number, e) for e in own]
        weights.append(share * weight / weight.sum())
    return Pool(caches, entries, np.concatenate(weights))


def draw_windows(pool: Pool, rng: np.random.Generator, batch: int, window: int, normaliser: Any) -> np.ndarray:
    """Return normalised windows ``[batch, window, dim]``; a clip that is shorter rests in its last pose."""
    rows = np.empty((batch, window, MotifmixSpace.dim), dtype=np.float32)
    for place, number in enumerate(pool.draw(rng, batch)):
        frames = pool.list[number][1].frames
        first = int(rng.integers(0, max(1, frames - window + 1)))
        piece = pool.window(number, first, min(window, frames))
        rows[place] = normaliser.normalise(rested(piece, window))
    return rows


@torch.no_grad()
def reconstruction_error(network: TemporalVAE | MotionVAE, normaliser: Any, features: np.ndarray) -> float:
    """Mean local joint error in mm of one clip ``[T, dim]`` through the posterior mean."""
    space = MotifmixSpace()
    features = features[:200]
    padded = torch.from_numpy(normaliser.normalise(rested_to_multiple(features, STRIDE)).astype(np.float32))[None]
    if isinstance(network, MotionVAE):
        everything = torch.ones(padded.shape[:2], dtype=torch.bool)
        back = network.decode(network.encode(padded, everything).mean, everything)
    else:
        back = network.decode(network.encode(padded)[0])
    decoded = normaliser.restore(back[0].numpy())[: len(features)]
    real, made = space.decode(features), space.decode(decoded)
    flat = np.array([1.0, 0.0, 1.0])
    from motifmix.features.own import heading
    from motifmix.motion import rotations as rot

    def local(motion: Any) -> np.ndarray:
        turn = rot.inverse(rot.about_y(heading(motion.joints)))[:, None]
        return rot.rotate(turn, motion.joints - (motion.root * flat)[:, None])

    return 1000 * float(np.linalg.norm(local(real) - local(made), axis=-1).mean())


def _path(features: Tensor) -> Tensor:
    """Integrated heading (rad) and path (m) over a window, [B, T, 3], in the frame where it starts."""
    blocks = MotifmixSpace.blocks
    yaw = features[..., blocks["yaw_speed"]][..., 0].cumsum(dim=1)
    before = nn.functional.pad(yaw[:, :-1], (1, 0))
    left, ahead = features[..., blocks["root_velocity"]].unbind(dim=-1)
    x = (before.cos() * left + before.sin() * ahead).cumsum(dim=1)
    z = (before.cos() * ahead - before.sin() * left).cumsum(dim=1)
    return torch.stack([yaw, x, z], dim=-1)
