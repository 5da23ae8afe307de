"""What frozen models say of noisy inputs, asked once and kept on disk: all Mixers between two models learn from the same.

The frozen models take a quarter of a Mixer's step, and the rows of a table differ in the Mixer alone.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from motifmix.atomic import replacing_all
from motifmix.training.objectives.duets.both_kinds import MixedBatch


@dataclass(frozen=True)
class Asked:
    """Noisy inputs and what two models made of them.

    ``batch``: what was noised; ``told`` [B], whether its texts were said; ``timesteps`` [B]; ``anchor`` [B, P, T, 262] and
    ``other`` [B, P, T, 262], the predictions in metres.
    """

    batch: MixedBatch
    told: Tensor
    timesteps: Tensor
    anchor: Tensor
    other: Tensor

    def to(self, device: torch.device) -> "Asked":
        """Return the same on a device."""
        rest = (value.to(device) for value in (self.told, self.timesteps, self.anchor, self.other))
        return Asked(self.batch.to(device), *rest)


_LARGE = ("motion", "pair", "anchor", "other")
_SMALL = ("valid", "foreign", "text", "individual_text", "told", "timesteps")


class AskedOnce:
    """``count`` inputs in half precision (a millimetre in two metres), drawn from in any order."""

    def __init__(self, path: Path) -> None:
        self._large = np.load(path.with_suffix(".npy"), mmap_mode="r")  # [N, 4, P, T, F]
        with np.load(path.with_suffix(".npz")) as small:
            self._small = {name: torch.from_numpy(small[name]) for name in _SMALL}

    @classmethod
    def kept(cls, folder: Path, stamps: Sequence[str], count: int, ask: Callable[[], Asked]) -> "AskedOnce":
        """Read the inputs that these ``stamps`` tell from others, or ask for them: ``ask()`` gives a batch.

        Batches come with frames of their own number; shorter ones are padded. Nothing half-written is ever read.
        """
        key = hashlib.sha256("\n".join([*stamps, str(count)]).encode()).hexdigest()[:20]
        path = folder / f"predictions-{key}"
        files = [path.with_suffix(".npy"), path.with_suffix(".npz")]
        if not all(file.exists() for file in files):
            folder.mkdir(parents=True, exist_ok=True)
            with replacing_all(files, force=True) as (large, small), small.open("wb") as file:
                np.savez(file, **_written(large, count, ask))  # pyright: ignore[reportArgumentType]
        return cls(path)

    def draw(self, rng: np.random.Generator, count: int) -> Asked:
        """Draw a batch, nothing twice in it."""
        rows = np.sort(rng.choice(len(self._large), count, replace=False))
        own = {name: value[rows] for name, value in self._small.items()}
        longest = int(own["valid"].sum(dim=1).max())
        large = torch.from_numpy(self._large[rows][:, :, :, :longest].astype(np.float32))
        motion, pair, anchor, other = large.unbind(1)
        valid, foreign, text, individual_text, told, timesteps = own.values()
        batch = MixedBatch(motion, pair, valid[:, :longest], foreign, text, individual_text)
        return Asked(batch, told, timesteps, anchor, other)


def _written(path: Path, count: int, ask: Callable[[], Asked]) -> dict[str, np.ndarray]:
    """Write the large arrays to ``path``; returns the small ones."""
    small: dict[str, list[Tensor]] = {name: [] for name in _SMALL}
    large: np.ndarray | None = None
    begin = 0
    while begin < count:
        asked = ask()
        size = min(len(asked.told), count - begin)
        both = {**vars(asked.batch), **vars(asked)}
        if large is None:
            shape = (count, len(_LARGE), *asked.anchor.shape[1:])
            large = np.lib.format.open_memmap(path, "w+", np.float16, shape)
        frames = asked.anchor.shape[2]
        for place, name in enumerate(_LARGE):
            large[begin : begin + size, place, :, :frames] = both[name][:size].half().numpy()
        for name in _SMALL:
            value = both[name][:size]
            if name == "valid":
                value = torch.nn.functional.pad(value, (0, large.shape[3] - frames))
            small[name].append(value)
        begin += size
    assert large is not None  # count is above 0
    large.flush()
    return {name: torch.cat(values).numpy() for name, values in small.items()}
