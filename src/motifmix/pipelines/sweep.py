"""From one style to another in even steps: one text, one noise and one length, so that the figures move in step.

A step between styles a and b is their blend (1 - t) a + t b of style vectors, as in ``--style a:0.7 --style b:0.3``. The
arc between the vectors (slerp) is no smoother than this line, by whose shares any figure can be made again. What a denoiser
does along either is not even: most of the change can lie in a third of it. So the shares are moved to where the figures,
not the vectors, lie equally far apart (``benchmarks/sweeps.py``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from motifmix.errors import RequestError
from motifmix.motion import Motion
from motifmix.pipelines.text_to_motion import LONGEST, SHORTEST, style_name
from motifmix.style.references import StyleReference, resolve

FEWEST, MOST = 2, 32
ROUNDS = 4  # of moving the shares; each makes all figures again
DIGITS = 4  # of a share: what labels say makes the same figure again
EVEN_ENOUGH = 1.25  # the largest distance between neighbours over the mean, at which no further round is made

Make = Callable[[Sequence[float]], list[Motion]]


class Model(Protocol):
    """What a sweep needs of ``motifmix.load()``."""

    @property
    def generate(self) -> Callable[..., list[Motion]]:
        """Takes texts, styles, seconds, seeds and options; returns one motion a text."""
        ...


@dataclass(frozen=True)
class Sweep:
    """The figures, where they stand between the two styles (0 the first, 1 the second), and how far apart they are."""

    motions: tuple[Motion, ...]
    shares: tuple[float, ...]
    distances: tuple[float, ...]

    @property
    def unevenness(self) -> float:
        """The largest distance between neighbours over the mean: 1 is perfectly even, above 2 is a jump."""
        mean = float(np.mean(self.distances))
        return float(np.max(self.distances)) / mean if mean > 1e-9 else 1.0


def sweep(
    model: Model,
    text: str,
    styles: Sequence[StyleReference],
    figures: int = 7,
    seconds: float | None = None,
    seed: int = 0,
    *,
    even: bool = True,
    progress: Callable[[int, int], None] = lambda done, total: None,
    **options: Any,
) -> Sweep:
    """Return ``figures`` motions of a text from the first of two styles to the second, ends included.

    ``seconds`` is the length of all of them, by default the middle of what suits the ends; ``even`` moves the shares
    until neighbours lie equally far apart; ``options`` are those of ``generate`` (``strength``, ``clean_feet``, ...).
    Raises ``RequestError`` for another number of styles or figures, and for what ``generate`` and ``resolve`` refuse.
    """
    if len(styles) != 2:
        raise RequestError(f"a sweep goes from one style to another; give two styles, not {len(styles)}")
    if not FEWEST <= figures <= MOST:
        raise RequestError(f"a sweep of {figures} steps is out of range; give {FEWEST} to {MOST}")
    # Files are read once, not once a step.
    ends = [[(part.reference, part.weight) for part in resolve(style)] for style in styles]
    if seconds is None:
        lengths = [own.seconds for own in model.generate([text] * 2, ends, None, [seed] * 2, **options)]
        seconds = min(max(sum(lengths) / 2, SHORTEST), LONGEST)

    def make(shares: Sequence[float]) -> list[Motion]:
        blends = [_between(ends[0], ends[1], share) for share in shares]
        made = model.generate([text] * len(blends), blends, seconds, [seed] * len(blends), **options)
        named = [_name(styles, share) for share in shares]
        return [motion.with_labels(style=name) for motion, name in zip(made, named, strict=True)]

    return _evened(make, figures, ROUNDS if even else 0, progress)


def distance(first: Motion, second: Motion) -> float:
    """Return how far two motions of one length are apart: metres between the same joints, mean over joints and frames."""
    if first.frames != second.frames:
        raise ValueError(f"{first.frames} and {second.frames} frames cannot be compared one by one")
    return float(np.linalg.norm(first.joints - second.joints, axis=-1).mean())


def _evened(make: Make, steps: int, rounds: int, progress: Callable[[int, int], None]) -> Sweep:
    """Make figures at even shares, then at shares where the way along all figures seen so far is even."""
    shares = tuple(round(float(share), DIGITS) for share in np.linspace(0.0, 1.0, steps))
    seen: dict[float, Motion] = {}
    best: Sweep | None = None
    for done in range(rounds + 1):
        missing = [share for share in shares if share not in seen]
        seen.update(zip(missing, make(missing) if missing else [], strict=True))
        motions = tuple(seen[share] for share in shares)
        distances = tuple(distance(a, b) for a, b in pairwise(motions))
        own = Sweep(motions, shares, distances)
        best = own if best is None or own.unevenness < best.unevenness else best
        progress(done + 1, rounds + 1)
        if best.unevenness <= EVEN_ENOUGH or not missing:
            break
        shares = _even_shares(seen, steps)
    assert best is not None  # the first round always makes one
    progress(rounds + 1, rounds + 1)
    return best


def _even_shares(seen: dict[float, Motion], steps: int) -> tuple[float, ...]:
    known = sorted(seen)
    gaps = [distance(seen[a], seen[b]) for a, b in pairwise(known)]
    way = np.concatenate([[0.0], np.cumsum(np.maximum(gaps, 1e-9))])
    inner = np.interp(np.linspace(0.0, way[-1], steps)[1:-1], way, known)
    return (0.0, *(round(float(share), DIGITS) for share in inner), 1.0)


def _between(first: list[Any], second: list[Any], share: float) -> list[tuple[Any, float]]:
    blend = [(part, weight * (1.0 - share)) for part, weight in first]
    return [*blend, *((part, weight * share) for part, weight in second)]


def _name(styles: Sequence[StyleReference], share: float) -> str:
    first, second = (style_name(style) for style in styles)
    if share in (0.0, 1.0):
        return second if share else first
    return f"{first}:{round(1.0 - share, DIGITS):g} + {second}:{share:g}"
