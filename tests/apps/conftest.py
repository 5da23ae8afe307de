"""A pipeline that needs no weights, for tests of what stands around it."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace

import numpy as np
import pytest

import motifmix
from motifmix.errors import RequestError
from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot

HIP_HEIGHT = 0.9


def walk(seconds: float = 2.0, seed: int = 0, fps: float = 20.0) -> Motion:
    """A person gliding forward who swings its arms, different for every seed."""
    frames = round(seconds * fps)
    time = np.arange(frames) / fps
    rotations = np.tile(rot.IDENTITY, (frames, len(MOTIFMIX), 1))
    generator = np.random.default_rng(seed)
    for name in ("left_shoulder", "right_shoulder", "left_hip", "right_hip"):
        swing = 0.4 * np.sin(2 * np.pi * time + generator.uniform(0, 6))
        rotations[:, MOTIFMIX.index(name)] = rot.from_rotvec(swing[:, None] * np.array([1.0, 0.0, 0.0]))
    root = np.stack([0 * time, np.full(frames, HIP_HEIGHT), 1.2 * time], axis=-1)
    return Motion(MOTIFMIX, rotations, root, fps)


class FakePipeline:
    """Remembers what it was asked and answers with gliding people; a text with ``impossible`` is refused."""

    def __init__(self) -> None:
        self.calls: list[SimpleNamespace] = []
        self.notes: list[str] = []
        self.after_call: Callable[[], None] = lambda: None
        self.styles = [SimpleNamespace(name="elderly", clips=275, synonyms=("old", "aged"))]
        self.contents = [SimpleNamespace(name="walk", clips=188, synonyms=("a person walks",))]

    def describe(self, text, style):
        return list(self.notes)

    def generate(self, texts, styles=None, seconds=None, seeds=None, *, strength=1.0, steps=None, clean_feet=True,
                 progress=None, **sampling):  # fmt: skip
        self.calls.append(
            SimpleNamespace(
                texts=list(texts), styles=styles, seconds=seconds, seeds=list(seeds), strength=strength,
                clean_feet=clean_feet, steps=steps, **sampling,
            )
        )  # fmt: skip
        if any("impossible" in text for text in texts):
            raise RequestError("this text cannot be met")
        if any("buggy" in text for text in texts):
            raise ZeroDivisionError("a bug")
        lengths = seconds if isinstance(seconds, Sequence) else [seconds] * len(texts)
        if progress:
            progress(len(texts), len(texts))
        motions = [walk(length or 2.0, seed) for length, seed in zip(lengths, seeds, strict=True)]
        self.after_call()
        return motions


@pytest.fixture(name="walk")
def walk_fixture() -> Callable[..., Motion]:
    """The maker of synthetic clips: ``walk(seconds, seed, fps)``."""
    return walk


@pytest.fixture
def pipeline(monkeypatch) -> FakePipeline:
    fake = FakePipeline()
    monkeypatch.setitem(motifmix.__dict__, "load", lambda weights=None: fake)
    return fake
