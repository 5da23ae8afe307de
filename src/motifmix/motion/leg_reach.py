"""Feet that rest where they should: legs of the motifmix skeleton bent so that toes reach given places.

Thigh and shin are two bones of known length, so hip and knee follow in closed form; the foot keeps its direction in
the world. What lies beyond a stretched leg is not reached, and the leg stays a little bent.
"""

from dataclasses import replace

import numpy as np

from motifmix.motion import kinematics
from motifmix.motion import rotations as rot
from motifmix.motion.easing import eased, softened
from motifmix.motion.motion import Motion
from motifmix.motion.skeleton import JOINT_NAMES

_LEGS = tuple(
    tuple(JOINT_NAMES.index(f"{side}_{name}") for name in ("hip", "knee", "ankle", "foot"))
    for side in ("left", "right")
)
_LONGEST_REACH = 0.995  # of the leg's length
LONGEST_SHIFT = 0.25  # m; a foot that would have to go further is left where it is
_EASE = 0.25  # s over which a foot leaves its place
_FLOATS = 0.02  # m above where he should be: nobody floats
_BEARS = 0.05  # m above the lower foot: this one bears nothing
_LIFTS = 0.06  # s over which a lift comes and goes, as a deviation of a bell
_STRIDE = 0.5  # s in which either foot comes down: a step of a slow walk


def planted(motion: Motion, resting: np.ndarray, furthest: float = LONGEST_SHIFT, smooth: float = 0.0) -> Motion:
    """Hold each foot's toes still over every run of ``resting`` [T, 2] (left, right; True where they rest).

    Along the floor only: a foot still rolls over them. Between the runs the shift fades within a quarter second. A run in
    which they slide further than ``furthest`` metres from its middle stays as it is. Where runs follow each other quickly a foot
    is torn from one place to the next; with ``smooth`` seconds (the deviation of a bell) it goes over, and slides a little.
    """
    resting = np.asarray(resting, dtype=bool)
    shifts = [_shift(motion.joints[:, leg[-1]], resting[:, n], motion.fps, furthest) for n, leg in enumerate(_LEGS)]
    if smooth > 0.0:
        shifts = [softened(own, smooth * motion.fps) for own in shifts]
    return _stepping(motion, shifts)


def grounded(motion: Motion, content: Motion) -> Motion:
    """Raise or lower somebody as a whole, so that he comes as near to the floor as ``content`` does within every stride.

    What is compared is the lowest that either foot gets within half a second, so that who runs still leaves the floor. Both
    motions are on one clock and stand on one floor.
    """
    from scipy.ndimage import gaussian_filter1d  # a twentieth of a second, which only people in a style need

    frames = min(motion.frames, content.frames)
    window = 2 * round(0.5 * _STRIDE * motion.fps) + 1
    lowest = [_lowest(own.joints[:frames], window) for own in (content, motion)]
    shift = gaussian_filter1d(lowest[0] - lowest[1], window / 6.0, mode="nearest")
    root = motion.root.copy()
    root[:, 1] += np.concatenate([shift, np.full(motion.frames - frames, shift[-1])])
    return replace(motion, root=root)


def _lowest(joints: np.ndarray, window: int) -> np.ndarray:
    """Return the height of the lowest toe or ankle [T, 22, 3] within ``window`` frames around each."""
    from scipy.ndimage import minimum_filter1d

    feet = [joint for leg in _LEGS for joint in leg[-2:]]
    return minimum_filter1d(joints[:, feet, 1].min(axis=1), window, mode="nearest")


def lifted(motion: Motion, content: Motion) -> Motion:
    """Lift toes that are lower than those of ``content`` at that time to their height, by bending the legs.

    A foot that swung there does not drag over the floor here. Where both feet would be in the air, as his steps come at other
    times, the foot that bore him there comes down. Both motions are on one clock and stand on one floor.
    """
    from scipy.ndimage import gaussian_filter1d

    frames = min(motion.frames, content.frames)
    toes = [leg[-1] for leg in _LEGS]
    wanted, own = (each.joints[:frames, toes, 1] for each in (content, motion))  # [T, 2]
    high = np.maximum(own, wanted)
    floating = np.clip((high.min(axis=1) - wanted.min(axis=1)) / _FLOATS, 0.0, 1.0)
    bears = np.clip(1.0 - (wanted - wanted.min(axis=1, keepdims=True)) / _BEARS, 0.0, 1.0)
    height = high - floating[:, None] * bears * (high - wanted)
    shifts = np.zeros((2, motion.frames, 3))
    # Steps that come at other times than his swap which foot is lifted, from one frame to the next.
    shifts[:, :frames, 1] = gaussian_filter1d(height - own, _LIFTS * motion.fps, axis=0, mode="nearest").T
    return _stepping(motion, list(shifts))


def _stepping(motion: Motion, shifts: list[np.ndarray]) -> Motion:
    """Bend the left and the right leg so that their feet are ``shifts`` [T, 3] away from where they were."""
    joints = motion.joints
    rotations = motion.world_rotations.copy()
    for (hip, knee, ankle, _), shift in zip(_LEGS, shifts, strict=True):
        target = joints[:, ankle] + shift
        bent_hip, bent_knee = two_bones_reaching(joints[:, [hip, knee, ankle]], target)
        rotations[:, hip] = rot.multiply(bent_hip, rotations[:, hip])
        rotations[:, knee] = rot.multiply(bent_knee, rotations[:, knee])
    local = kinematics.local_rotations(motion.skeleton, rotations)
    return Motion(motion.skeleton, rot.continuous(local), motion.root, motion.fps, motion.labels)


def _shift(path: np.ndarray, rests: np.ndarray, fps: float, furthest: float) -> np.ndarray:
    """How far toes [T, 3] must move along the floor in every frame."""
    shift, reach = np.zeros_like(path), max(1, round(_EASE * fps))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], rests.astype(int), [0]]))).reshape(-1, 2)
    weights = np.zeros(len(path))
    frames = np.arange(len(path))
    for start, stop in edges:
        held = np.median(path[start:stop], axis=0) - path[start:stop]
        held[:, 1] = 0.0
        if stop - start < 2 or np.linalg.norm(held, axis=-1).max() > furthest:
            continue
        distance = np.maximum(np.maximum(start - frames, frames - (stop - 1)), 0)
        weight = eased(1.0 - distance / (reach + 1))
        weight[rests & (distance > 0)] = 0.0  # another run's place is its own
        own = held[np.clip(frames, start, stop - 1) - start]
        shift += weight[:, None] * own
        weights += weight
    return shift / np.maximum(weights, 1.0)[:, None]


def two_bones_reaching(leg: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return world rotations [T, 4] of thigh and shin that bring the ankle of ``leg`` [T, 3, 3] to ``target``.

    The same holds for arms. A limb's own stretch, or nearly all of its length, is the most that it reaches.
    """
    hip, knee, ankle = leg[:, 0], leg[:, 1], leg[:, 2]
    thigh, shin = np.linalg.norm(knee - hip, axis=-1), np.linalg.norm(ankle - knee, axis=-1)
    line = target - hip
    far = np.linalg.norm(line, axis=-1)
    longest = np.maximum(_LONGEST_REACH * (thigh + shin), np.linalg.norm(ankle - hip, axis=-1))
    reach = np.clip(far, np.abs(thigh - shin) + 1e-4, longest)
    ahead = line / np.maximum(far, 1e-9)[:, None]
    swung = rot.rotate(rot.shortest_arc(ankle - hip, line), knee - hip)
    bend = swung - (swung * ahead).sum(-1, keepdims=True) * ahead
    bend = bend / np.maximum(np.linalg.norm(bend, axis=-1, keepdims=True), 1e-9)
    along = (thigh**2 - shin**2 + reach**2) / (2.0 * reach)
    aside = np.sqrt(np.maximum(thigh**2 - along**2, 0.0))
    new_knee = along[:, None] * ahead + aside[:, None] * bend
    new_shin = reach[:, None] * ahead - new_knee
    return rot.shortest_arc(knee - hip, new_knee), rot.shortest_arc(ankle - knee, new_shin)
