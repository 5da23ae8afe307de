"""Figures of merit as pure numpy functions: embeddings, retrieval, feet, jerk, speed, joint errors, intervals.

Joint positions are ``[frames, joints, 3]`` in metres with Y up; embeddings are ``[samples, dimensions]``. Random draws
(pairs, pools) are arguments: a caller makes them once from one seed. The figures of the published text-to-motion
protocol (Guo et al. 2022, in the words of MLD's ``TM2TMetrics``) equal the published code's numbers; foot skating and
jerk have a definition of our own beside the published one, and each docstring says which it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import stats

from motifmix.motion.skeleton import LEFT_TOE, RIGHT_TOE

TOES = (LEFT_TOE, RIGHT_TOE)
FLOOR_PERCENTILE = 5.0  # of the heights of both toes over a clip: robust against one deep frame
NEAR_FLOOR = 0.03  # metres above that height: a toe that carries weight
SLIDING_SPEED = 0.25  # metres per second
NORMAL_QUANTILE = 1.96


class Moments(NamedTuple):
    """Mean ``[D]`` and covariance ``[D, D]`` of a set of embeddings."""

    mean: np.ndarray
    covariance: np.ndarray


def moments(embeddings: np.ndarray, ddof: int = 1) -> Moments:
    """Return mean and covariance; ``ddof`` 1 (the published choice) divides by n - 1, 0 by n."""
    values = np.asarray(embeddings, dtype=np.float64)
    if len(values) < 2:
        raise ValueError(f"a covariance needs two embeddings or more, not {len(values)}")
    return Moments(values.mean(axis=0), np.atleast_2d(np.cov(values, rowvar=False, ddof=ddof)))


def frechet_distance(first: np.ndarray | Moments, second: np.ndarray | Moments, ddof: int = 1) -> float:
    """Return the Fréchet (inception) distance of two sets of embeddings, FID, in squared units of the embedding.

    ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^1/2)`` with n - 1 covariances. The trace of the square root is taken from the
    eigenvalues of the symmetric ``C1^1/2 C2 C1^1/2``, which C1 C2 shares, so that it stays real when a covariance is
    singular. It depends on the number of clips: sets of 70 read far higher than sets of 700.
    """
    a = first if isinstance(first, Moments) else moments(first, ddof)
    b = second if isinstance(second, Moments) else moments(second, ddof)
    values, vectors = np.linalg.eigh(a.covariance)
    root = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    shared = np.linalg.eigvalsh(root @ b.covariance @ root)
    trace_of_root = np.sqrt(np.clip(shared, 0.0, None)).sum()
    offset = a.mean - b.mean
    return float(offset @ offset + np.trace(a.covariance) + np.trace(b.covariance) - 2.0 * trace_of_root)


def euclidean_distances(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return all distances ``[R, C]`` between ``rows [R, D]`` and ``columns [C, D]``."""
    a, b = np.asarray(rows, dtype=np.float64), np.asarray(columns, dtype=np.float64)
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2.0 * a @ b.T
    return np.sqrt(np.clip(squared, 0.0, None))


def consecutive_pools(count: int, size: int = 32) -> np.ndarray:
    """Cut ``0 .. count`` into complete pools ``[pools, size]``; an incomplete last one is dropped (published rule)."""
    pools = count // size
    return np.arange(pools * size).reshape(pools, size)


def distinct_pools(captions: Sequence[str], generator: np.random.Generator, size: int = 32) -> np.ndarray:
    """Draw pools ``[pools, size]`` of sample indices in which no caption occurs twice, each sample at most once.

    With "walk" twenty-six times among the captions, a pool drawn blindly asks a retrieval to tell equal texts apart.
    Samples are dealt to the first pool that lacks their caption, the most frequent captions first.
    """
    captions = list(captions)
    order: list[int] = generator.permutation(len(captions)).tolist()
    counts: dict[str, int] = {}
    for caption in captions:
        counts[caption] = counts.get(caption, 0) + 1
    pools: list[list[int]] = [[] for _ in range(len(captions) // size)]
    texts: list[set[str]] = [set() for _ in pools]
    for index in sorted(order, key=lambda i: -counts[captions[i]]):
        open_pools = [p for p in range(len(pools)) if len(pools[p]) < size and captions[index] not in texts[p]]
        if open_pools:
            pool = min(open_pools, key=lambda p: len(pools[p]))
            pools[pool].append(index)
            texts[pool].add(captions[index])
    full = [generator.permutation(pool) for pool in pools if len(pool) == size]
    return np.array(full, dtype=np.int64).reshape(len(full), size)


def r_precision(texts: np.ndarray, motions: np.ndarray, pools: np.ndarray, top: int = 3) -> np.ndarray:
    """Return the shares ``[top]`` of texts whose own motion is among the nearest 1 .. ``top`` of its pool.

    ``texts`` and ``motions`` are paired embeddings ``[n, D]``, ``pools`` sample indices ``[P, size]``. The rank of the
    own motion is the number of strictly nearer ones, so that a tie never counts against it.
    """
    _require_pools(pools)
    ranks = []
    for pool in pools:
        distances = euclidean_distances(texts[pool], motions[pool])
        ranks.append((distances < np.diag(distances)[:, None]).sum(axis=1))
    return np.array([(np.concatenate(ranks) < k).mean() for k in range(1, top + 1)])


def multimodal_distance(texts: np.ndarray, motions: np.ndarray, pools: np.ndarray | None = None) -> float:
    """Return the mean distance between a text and its motion (MM-Dist), over ``pools`` only where they are given."""
    chosen = np.arange(len(texts)) if pools is None else np.asarray(pools).reshape(-1)
    offsets = np.asarray(texts, dtype=np.float64)[chosen] - np.asarray(motions, dtype=np.float64)[chosen]
    return float(np.linalg.norm(offsets, axis=1).mean())


def random_pairs(count: int, pairs: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw two lists of ``pairs`` indices below ``count``, each without replacement (the published draw)."""
    pairs = min(pairs, count)
    return generator.choice(count, pairs, replace=False), generator.choice(count, pairs, replace=False)


def diversity(embeddings: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """Return the mean distance between the samples of two index lists (published: 300 pairs)."""
    values = np.asarray(embeddings, dtype=np.float64)
    return float(np.linalg.norm(values[first] - values[second], axis=1).mean())


def multimodality(embeddings: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """Return the mean distance between repeats of one prompt.

    ``embeddings`` are ``[prompts, repeats, D]``; the two index lists name repeats and are shared by all prompts.
    """
    values = np.asarray(embeddings, dtype=np.float64)
    return float(np.linalg.norm(values[:, first] - values[:, second], axis=2).mean())


def top_k_accuracy(logits: np.ndarray, labels: np.ndarray, top: Sequence[int] = (1,)) -> np.ndarray:
    """Return for each k the share (0 to 1) of rows whose label is among the k largest of ``logits [n, classes]``."""
    order = np.argsort(-np.asarray(logits), axis=1, kind="stable")
    hits = order == np.asarray(labels)[:, None]
    return np.array([hits[:, :k].any(axis=1).mean() for k in top])


def toe_floor(joints: np.ndarray) -> float:
    """Return the clip's floor as its toes show it: the 5th percentile of the heights of both toe joints, metres."""
    return float(np.percentile(joints[:, TOES, 1], FLOOR_PERCENTILE))


def foot_skate_ratio(joints: np.ndarray, fps: float) -> float:
    """Return the share of frame steps in which a toe on the floor slides (0 to 1).

    A step skates when one toe lies within 3 cm of the clip's floor (:func:`toe_floor`) in both of its frames and moves
    faster than 0.25 m/s over the ground. Own definition: it needs no absolute floor, unlike the published one.
    """
    if len(joints) < 2:
        return 0.0
    toes = joints[:, TOES]
    down = toes[..., 1] < toe_floor(joints) + NEAR_FLOOR
    speed = np.linalg.norm(np.diff(toes[..., [0, 2]], axis=0), axis=-1) * fps
    return float((down[1:] & down[:-1] & (speed > SLIDING_SPEED)).any(axis=1).mean())


def published_skating_ratio(
    joints: np.ndarray,
    fps: float = 20.0,
    height_threshold: float = 0.05,
    velocity_threshold: float = 0.5,
    average_window: int = 5,
    foot_joints: tuple[int, int] = TOES,
) -> tuple[float, np.ndarray]:
    """Return SMooDi's skating ratio of one clip and the averaged speed of feet in contact ``[2, frames - 1]`` (m/s).

    A foot is in contact in a step when both heights are below ``height_threshold`` metres above y = 0; it skates when
    its speed and the speed's centred average (zeros beyond the clip) exceed ``velocity_threshold`` m/s. The published
    ``foot_joints`` are the toes.
    """
    feet = np.asarray(joints, dtype=np.float64)[:, list(foot_joints)]
    speed = np.linalg.norm(np.diff(feet[..., [0, 2]], axis=0), axis=-1) * fps
    box = np.ones(average_window) / average_window
    averaged = np.stack([np.convolve(speed[:, foot], box, mode="full") for foot in range(2)], axis=1)
    begin = (average_window - 1) // 2
    averaged = averaged[begin : begin + len(speed)]
    low = feet[..., 1] < height_threshold
    contact = low[1:] & low[:-1]
    skating = contact & (speed > velocity_threshold) & (averaged > velocity_threshold)
    return float(skating.any(axis=1).mean()), np.where(contact, averaged, 0.0).T


def mean_jerk(joints: np.ndarray, fps: float) -> float:
    """Return the mean length of the third derivative of all joint positions in the world, m/s^3; 0 below 4 frames."""
    if len(joints) < 4:
        return 0.0
    return float(np.linalg.norm(np.diff(joints, n=3, axis=0), axis=-1).mean() * fps**3)


def mean_speed(joints: np.ndarray, fps: float) -> float:
    """Return the mean speed of all joints in the world, m/s: how much a clip moves, limbs and travel together."""
    if len(joints) < 2:
        return 0.0
    return float(np.linalg.norm(np.diff(joints, axis=0), axis=-1).mean() * fps)


def facing_yaw(joints: np.ndarray) -> np.ndarray:
    """Return the heading of the body per frame in radians (0 = +Z, positive to +X), from hips and shoulders."""
    across = joints[:, 1] - joints[:, 2] + joints[:, 16] - joints[:, 17]
    return np.arctan2(-across[:, 2], across[:, 0])


def in_root_frame(joints: np.ndarray) -> np.ndarray:
    """Return positions relative to the root and turned into the body's heading, ``[frames, joints, 3]``."""
    yaw = facing_yaw(joints)
    local = joints - joints[:, :1]
    cosine, sine = np.cos(yaw)[:, None], np.sin(yaw)[:, None]
    x = cosine * local[..., 0] - sine * local[..., 2]
    z = sine * local[..., 0] + cosine * local[..., 2]
    return np.stack([x, local[..., 1], z], axis=-1)


def from_first_frame(joints: np.ndarray) -> np.ndarray:
    """Return a clip moved and turned so that its first frame stands over the origin and looks along +Z."""
    yaw = facing_yaw(joints[:1])[0]
    moved = joints - joints[:1, :1] * np.array([1.0, 0.0, 1.0])
    cosine, sine = np.cos(yaw), np.sin(yaw)
    x, z = cosine * moved[..., 0] - sine * moved[..., 2], sine * moved[..., 0] + cosine * moved[..., 2]
    return np.stack([x, moved[..., 1], z], axis=-1)


@dataclass(frozen=True)
class JointError:
    """Mean errors of one rebuilt clip in metres: pose alone, pose and path, and the root's distance at the end."""

    local: float
    world: float
    end_drift: float


def joint_error(rebuilt: np.ndarray, real: np.ndarray) -> JointError:
    """Compare two clips frame by frame, ``[frames, joints, 3]`` each.

    ``local`` is the mean distance of the joints without the root, in each body's own heading relative to its root;
    ``world`` the mean distance of all joints as they stand. Extra frames of the longer clip are left out.
    """
    frames = min(len(rebuilt), len(real))
    a, b = rebuilt[:frames], real[:frames]
    return JointError(
        local=float(np.linalg.norm(in_root_frame(a)[:, 1:] - in_root_frame(b)[:, 1:], axis=-1).mean()),
        world=float(np.linalg.norm(a - b, axis=-1).mean()),
        end_drift=float(np.linalg.norm(a[-1, 0] - b[-1, 0])),
    )


@dataclass(frozen=True)
class Interval:
    """A figure with the half width of its 95 % confidence interval; ``values`` are those of the repeats."""

    mean: float
    half_width: float
    values: tuple[float, ...] = ()


def over_repeats(values: Sequence[float], published: bool = False) -> Interval:
    """Return mean and 95 % interval of the mean over repeats, by Student's t with the sample's deviation.

    ``published`` gives the papers' half width instead: 1.96 times the population deviation over sqrt(n), which is 1.6
    times too narrow for five repeats, and 0 for a single one, of which nothing is known.
    """
    sample = np.asarray(values, dtype=np.float64)
    if len(sample) < 2 and not published:
        return Interval(float(sample.mean()), float("nan"), tuple(sample.tolist()))
    if published:
        half = NORMAL_QUANTILE * sample.std() / np.sqrt(len(sample))
    else:
        half = stats.t.ppf(0.975, len(sample) - 1) * sample.std(ddof=1) / np.sqrt(len(sample))
    return Interval(float(sample.mean()), float(half), tuple(sample.tolist()))


def share_bounds(hits: int, count: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share: 280 hits of 280 are no proof of 100 % but of 98.6 % or more."""
    if count == 0:
        return 0.0, 1.0
    share, q = hits / count, NORMAL_QUANTILE**2 / count
    middle = (share + q / 2) / (1 + q)
    half = NORMAL_QUANTILE * np.sqrt(share * (1 - share) / count + q / (4 * count)) / (1 + q)
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))


def bootstrap(values: np.ndarray, generator: np.random.Generator, draws: int = 1000) -> Interval:
    """Return the mean of ``values`` and half the width of its 95 % bootstrap interval over the samples."""
    sample = np.asarray(values, dtype=np.float64)
    means = sample[generator.integers(0, len(sample), (draws, len(sample)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(sample.mean()), float(high - low) / 2)


def _require_pools(pools: np.ndarray) -> None:
    if np.ndim(pools) != 2 or len(pools) == 0:
        raise ValueError("retrieval needs at least one complete pool: fewer samples (or captions) than a pool is wide")
