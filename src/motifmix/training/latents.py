"""Latents of all clips of a pool: encoded once by a trained VAE and normalised per dimension, or features as they are."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from motifmix.atomic import replacing
from motifmix.data.feature_cache import CachedClip, FeatureCache
from motifmix.features.own import rested_to_multiple
from motifmix.features.space import Normaliser
from motifmix.home import home
from motifmix.models.feature_denoiser import FramePatches
from motifmix.models.temporal_vae import STRIDE
from motifmix.pretrained.build import load_part


class LatentStore:
    """``latents[i]`` are the latents ``[L, latent]`` of entry i, normalised over all of them or by given statistics."""

    def __init__(
        self,
        weights: Path,
        caches: list[FeatureCache],
        entries: list[tuple[int, CachedClip]],
        statistics: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        card, self.vae, rest = load_part(weights, "vae")
        self.normaliser = Normaliser(rest["mean"].numpy(), rest["std"].numpy())
        names = "\n".join(f"{caches[which].prepared.folder}/{e.clip.id}/{e.frames}" for which, e in entries)
        data = [cache.prepared.fingerprint for cache in caches]
        key = hashlib.sha256(f"{card.sha256}\n{data}\n{names}".encode()).hexdigest()[:20]
        path = home() / "cache" / f"latents-{key}.npz"
        if path.exists():
            with np.load(path) as stored:
                flat, lengths = stored["latents"], stored["lengths"]
        else:
            encoded = [self._encode(caches[which].window(e)) for which, e in entries]
            flat, lengths = np.concatenate(encoded), np.array([len(e) for e in encoded])
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path, force=True) as beside:
                np.savez(beside, latents=flat, lengths=lengths)
        found = torch.from_numpy(flat.mean(axis=0)), torch.from_numpy(flat.std(axis=0))
        self.mean, self.std = statistics or found
        normalised = (torch.from_numpy(flat) - self.mean) / self.std
        self.latents: list[Tensor] = list(torch.split(normalised, lengths.tolist()))

    @torch.no_grad()
    def _encode(self, features: np.ndarray) -> np.ndarray:
        padded = self.normaliser.normalise(rested_to_multiple(features, STRIDE)).astype(np.float32)
        return self.vae.encode(torch.from_numpy(padded)[None])[0][0].numpy()


class PatchStore:
    """The same for a denoiser without an autoencoder: ``latents[i]`` are patches of normalised features, read when asked for.

    Of the folder ``weights`` only the statistics of the features are taken; patches need no others.
    """

    def __init__(
        self,
        weights: Path,
        caches: list[FeatureCache],
        entries: list[tuple[int, CachedClip]],
        statistics: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        _, _, rest = load_part(weights, "vae")
        self.normaliser = Normaliser(rest["mean"].numpy(), rest["std"].numpy())
        self.vae = FramePatches(len(self.normaliser.mean))
        self.mean, self.std = torch.zeros(self.vae.latent), torch.ones(self.vae.latent)
        self.latents = [_Patches(caches[which], entry, self.normaliser) for which, entry in entries]


@dataclass(frozen=True)
class _Patches:
    cache: FeatureCache
    entry: CachedClip
    normaliser: Normaliser

    def __len__(self) -> int:
        return -(-self.entry.frames // STRIDE)

    def __getitem__(self, tokens: slice) -> Tensor:
        """Patches ``[L, 4 F]`` of a run of tokens."""
        first, last, _ = tokens.indices(len(self))
        frames = min(STRIDE * last, self.entry.frames) - STRIDE * first
        window = rested_to_multiple(self.cache.window(self.entry, STRIDE * first, frames), STRIDE)
        return (
            torch.from_numpy(self.normaliser.normalise(window).astype(np.float32)).unflatten(0, (-1, STRIDE)).flatten(1)
        )
