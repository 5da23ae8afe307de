"""Figures of two-person motion, one a scene: alignment with texts, adaptability of weights, contact, facing, feet.

Random draws come from a generator that is handed down, so that every method is asked with the same pools.
"""

from collections.abc import Sequence

import numpy as np

from motifmix.evaluation.duet_staging import Stands
from motifmix.evaluation.metrics import euclidean_distances, foot_skate_ratio
from motifmix.features.interhuman import joint_positions
from motifmix.motion import Motion
from motifmix.motion.capsules import clearance

POOL = 20
DRAWS = 60
FPS = 30.0


def pooled_hits(
    texts: np.ndarray,
    motions: np.ndarray,
    labels: Sequence[str],
    generator: np.random.Generator,
    *,
    size: int = POOL,
    draws: int = DRAWS,
) -> np.ndarray:
    """Return for each text [n, E] how often its own motion is the nearest of a pool, [n] in 0 to 1.

    A pool holds the own motion and one of each of ``size - 1`` other labels (all others where there are fewer), drawn
    ``draws`` times. Raises ``ValueError`` for fewer than two labels.
    """
    names = np.array(labels)
    kinds = list(dict.fromkeys(labels))
    if len(kinds) < 2:
        raise ValueError("retrieval needs two labels or more")
    members = [np.flatnonzero(names == kind) for kind in kinds]
    own_kind = np.array([kinds.index(kind) for kind in labels])
    rows = np.arange(len(names))
    distances = euclidean_distances(texts, motions)
    others = min(size, len(kinds)) - 1
    hits = np.zeros(len(names))
    for _ in range(draws):
        # One member of each label stands for it in this draw; each text leaves its own label out.
        drawn = np.array([own[int(generator.integers(len(own)))] for own in members])
        order = generator.random((len(names), len(kinds)))
        order[rows, own_kind] = 2.0  # last
        pool = drawn[np.argsort(order, axis=1)[:, :others]]
        hits += np.take_along_axis(distances, pool, axis=1).min(axis=1) >= np.diag(distances)
    return hits / draws


def hits_in(texts: np.ndarray, motions: np.ndarray, pools: np.ndarray) -> np.ndarray:
    """Return for each text whether its motion is the nearest of its pool [P, size], not-a-number for who is in none."""
    hits = np.full(len(texts), np.nan)
    for pool in pools:
        distances = euclidean_distances(texts[pool], motions[pool])
        hits[pool] = distances.min(axis=1) >= np.diag(distances)
    return hits


def harmonic_mean(first: np.ndarray | float, second: np.ndarray | float) -> np.ndarray:
    """Return the harmonic mean, 0 where both are; not-a-number where one is not."""
    total = np.asarray(first, dtype=np.float64) + second
    return np.divide(2.0 * np.asarray(first) * second, total, out=np.zeros_like(total), where=total != 0)


def adaptability(weights: Sequence[np.ndarray]) -> float:
    """Return the standard deviation over samples of the weight at equal step, frame and joint, averaged over those.

    ``weights``: one [steps, P, T or 1, parts or 1] a sample, of any lengths. 0 for constants and for pure schedules. The
    paper's code has no definition of its adaptability; this one is ours. People count as samples.
    """
    return _spread(weights)[0]


def step_dependence(weights: Sequence[np.ndarray]) -> float:
    """Return the standard deviation over steps of the mean weight over samples, averaged over frames and joints."""
    return _spread(weights)[1]


def early_and_late(weights: Sequence[np.ndarray]) -> tuple[float, float]:
    """Return the mean weight over samples, frames and joints in the first third of the steps, and in the last."""
    third = max(1, weights[0].shape[0] // 3)
    means = np.array([one.astype(np.float64).mean(axis=(1, 2, 3)) for one in weights]).mean(axis=0)
    return float(means[:third].mean()), float(means[-third:].mean())


def _spread(weights: Sequence[np.ndarray]) -> tuple[float, float]:
    frames = max(one.shape[2] for one in weights)
    shape = (weights[0].shape[0], frames, weights[0].shape[3])
    count, total, squares = np.zeros((1, frames, 1)), np.zeros(shape), np.zeros(shape)
    for one in weights:
        own = one.astype(np.float64)
        count[:, : own.shape[2]] += own.shape[1]
        total[:, : own.shape[2]] += own.sum(axis=1)
        squares[:, : own.shape[2]] += (own**2).sum(axis=1)
    known = count[0, :, 0] >= 2
    if not known.any():
        return float("nan"), float("nan")
    mean = total[:, known] / count[:, known]
    deviation = np.sqrt(np.maximum(squares[:, known] / count[:, known] - mean**2, 0.0))
    return float(deviation.mean()), float(mean.std(axis=0).mean())


def closest_approach(one: Motion, other: Motion) -> float:
    """Return the least distance of two people's capsules over a scene, metres; negative where they touch and more."""
    return float(clearance(one, other).min())


def turned_away(people: np.ndarray) -> np.ndarray:
    """Return how far each of two people [P, T, 262] looks past the other, mean over frames in degrees, [P]."""
    return Stands.of(joint_positions(people.astype(np.float64))).past


def pelvis_distance(people: np.ndarray) -> float:
    """Return the mean horizontal distance of two people's pelvises, metres."""
    joints = joint_positions(people)
    return float(np.linalg.norm((joints[0, :, 0] - joints[1, :, 0])[:, [0, 2]], axis=-1).mean())


def skating(people: np.ndarray) -> float:
    """Return the share of steps in which a foot slides, mean of both people."""
    return float(np.mean([foot_skate_ratio(joint_positions(one), FPS) for one in people]))
