"""Whether a motion does what was asked, told by geometry: no network has a say.

Each deed is a check of joints ``[T, 22, 3]`` (metres, Y up, floor at 0, motifmix skeleton) at ``FPS``. Its limits were
chosen on clips of the training side whose text or label names the deed; ``benchmarks/actions.py`` prints how many real
clips of either side pass, and how many real walks do.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from motifmix.data.events import SEATED
from motifmix.evaluation.metrics import facing_yaw
from motifmix.motion import Motion
from motifmix.motion.contacts import floor_height
from motifmix.motion.skeleton import LEFT_ANKLE, LEFT_TOE, MOTIFMIX, RIGHT_ANKLE, RIGHT_TOE

FPS = 20.0
HELD = 8  # frames, 0.4 s: a height that is kept, not passed through
STANDING_PELVIS = 0.95  # metres, on the motifmix skeleton
_SIDES = ("left", "right")
_SHOULDERS, _WRISTS = ([MOTIFMIX.index(f"{side}_{joint}") for side in _SIDES] for joint in ("shoulder", "wrist"))
_ANKLES, _TOES = [LEFT_ANKLE, RIGHT_ANKLE], [LEFT_TOE, RIGHT_TOE]
_HEAD = MOTIFMIX.index("head")
_ARM = sum(float(np.linalg.norm(MOTIFMIX.offsets[MOTIFMIX.index(name)])) for name in ("left_elbow", "left_wrist"))


@dataclass(frozen=True)
class Deed:
    """Something that can be asked for: how a page says what is checked, the check, and the deed that is its opposite."""

    said: str
    done: Callable[[np.ndarray], bool]
    opposite: str | None = None


def standing_joints(motion: Motion) -> np.ndarray:
    """Return joints ``[T, 22, 3]`` of a motion on the motifmix skeleton at ``FPS``, its floor at 0."""
    motion = motion.resampled(FPS)
    return motion.joints - np.array([0.0, floor_height(motion), 0.0])


def does(deed: str, motion: Motion) -> bool:
    """Tell whether a motion on the motifmix skeleton does the deed of that name (a key of ``DEEDS``)."""
    return DEEDS[deed].done(standing_joints(motion))


def facing(joints: np.ndarray) -> np.ndarray:
    """Return where hips and shoulders face, unit vectors on the floor ``[T, 3]``."""
    yaw = facing_yaw(joints)
    return np.stack([np.sin(yaw), np.zeros(len(yaw)), np.cos(yaw)], axis=-1)


def lowering(heights: np.ndarray) -> float:
    """Return by how many metres a height ``[T]`` that is held sinks to a later one that is held."""
    if len(heights) < 2 * HELD:
        return 0.0
    parts = np.lib.stride_tricks.sliding_window_view(heights, HELD)
    before = np.maximum.accumulate(parts.min(axis=1))[:-HELD]
    return float((before - parts.max(axis=1)[HELD:]).max())


def swings(sideways: np.ndarray, counted: np.ndarray, least: float = 0.03) -> int:
    """Return how many strokes of ``least`` metres or more, there or back, a path ``[T]`` takes while ``counted`` is True."""
    strokes, direction, low, high = 0, 0, np.inf, -np.inf
    for place, counts in zip(sideways, counted, strict=True):
        if not counts:
            direction, low, high = 0, np.inf, -np.inf
            continue
        low, high = min(low, place), max(high, place)
        if direction >= 0 and high - place > least:
            strokes, direction, low, high = strokes + 1, -1, place, place
        elif direction <= 0 and place - low > least:
            strokes, direction, low, high = strokes + 1, 1, place, place
    return strokes


def _speed(places: np.ndarray) -> np.ndarray:
    """Metres a second of ``[T, 3]``, at each frame the fastest of the last quarter second."""
    return _lately(np.linalg.norm(np.diff(places, axis=0), axis=-1) * FPS)


def _lately(changes: np.ndarray) -> np.ndarray:
    """Return at each of ``T`` frames the largest of the ``T - 1`` changes of the last quarter second, 0 or more."""
    window = int(FPS / 4) + 1
    padded = np.concatenate([np.zeros(window), changes])
    return np.lib.stride_tricks.sliding_window_view(padded, window).max(axis=1)


def _travelled(joints: np.ndarray) -> float:
    return float(np.linalg.norm((joints[:, 0] - joints[0, 0])[:, [0, 2]], axis=-1).max())


def _jumps(joints: np.ndarray) -> bool:
    return bool(joints[:, _TOES, 1].min(axis=1).max() > 0.15)


def _sits_down(joints: np.ndarray) -> bool:
    """Who gets up again has not stayed; who leans on something high does not sit."""
    pelvis = joints[:, 0, 1]
    if len(pelvis) < 2 * HELD:
        return False
    last = pelvis[-HELD:].max()
    held = np.lib.stride_tricks.sliding_window_view(pelvis, HELD).min(axis=1).max()
    return bool(held - last > 0.15 and last < SEATED)


def _stands_up(joints: np.ndarray) -> bool:
    pelvis = joints[:, 0, 1]
    if len(pelvis) < 2 * HELD:
        return False
    held = np.lib.stride_tricks.sliding_window_view(pelvis, HELD).max(axis=1).min()
    return bool(pelvis[-HELD:].min() - held > 0.15 and held < SEATED)


def _kicks(joints: np.ndarray) -> bool:
    """Behind the body a heel rises in a run, too; a ball is kicked low, but from a slow body."""
    forward, slow = facing(joints), _speed(joints[:, 0]) < 2.5
    for ankle in _ANKLES:
        own = joints[:, ankle] - joints[:, 0]
        ahead, speed = (own * forward).sum(axis=-1) > 0.0, _speed(own)
        if (ahead & ((joints[:, ankle, 1] > 0.4) & (speed > 3.0) | slow & (speed > 5.0))).any():
            return True
    return False


def _punches(joints: np.ndarray) -> bool:
    """The arm stretches in a punch; in a walk it swings."""
    forward = facing(joints)
    for shoulder, wrist in zip(_SHOULDERS, _WRISTS, strict=True):
        arm = joints[:, wrist] - joints[:, shoulder]
        ahead = (arm * forward).sum(axis=-1) > 0.3 * _ARM
        stretched = np.linalg.norm(arm[:, [0, 2]], axis=-1) > 0.8 * _ARM
        if (ahead & stretched & (_lately(np.diff(np.linalg.norm(arm, axis=-1)) * FPS) > 1.5)).any():
            return True
    return False


def _bows(joints: np.ndarray) -> bool:
    head, ankles = joints[:, _HEAD, 1], joints[:, _ANKLES][..., [0, 2]]
    still = np.linalg.norm(ankles - ankles[:1], axis=-1).max() < 0.3
    return bool(still and head[:6].mean() - head.min() > 0.15 and lowering(joints[:, 0, 1]) < 0.15)


def _walks(joints: np.ndarray) -> bool:
    return _travelled(joints) > 1.0


def _runs(joints: np.ndarray) -> bool:
    half = min(int(FPS / 2), len(joints) - 1)
    way = np.linalg.norm((joints[half:, 0] - joints[:-half, 0])[:, [0, 2]], axis=-1)
    return bool(way.max() * FPS / half > 2.0)


def _waves(joints: np.ndarray) -> bool:
    forward = facing(joints)
    left = np.stack([forward[:, 2], np.zeros(len(forward)), -forward[:, 0]], axis=-1)
    arms = [joints[:, wrist] - joints[:, shoulder] for shoulder, wrist in zip(_SHOULDERS, _WRISTS, strict=True)]
    return any(swings((arm * left).sum(axis=-1), arm[:, 1] > -0.15) >= 3 for arm in arms)


def _turns_around(joints: np.ndarray) -> bool:
    heading = np.unwrap(facing_yaw(joints))
    return bool(np.degrees(np.abs(heading - heading[0]).max()) > 120.0)


def _crouches(joints: np.ndarray) -> bool:
    return bool(joints[:, 0, 1].min() < 0.8 * STANDING_PELVIS)


def _raises_both_hands(joints: np.ndarray) -> bool:
    over = joints[:, _WRISTS, 1].min(axis=1) - joints[:, _SHOULDERS, 1].mean(axis=1)
    return bool(over.max() > -0.1)


def _picks_up(joints: np.ndarray) -> bool:
    return bool(joints[:, _WRISTS, 1].min() < 0.5)


def _walks_backwards(joints: np.ndarray) -> bool:
    return bool((np.diff(joints[:, 0], axis=0) * facing(joints)[1:]).sum() < -1.0)


DEEDS = {
    "jump": Deed("both toes are more than 15 cm above the floor", _jumps),
    "sit down": Deed(
        "the pelvis sinks by more than 15 cm and is as low as on a seat at the end", _sits_down, "stand up"
    ),
    "stand up": Deed(
        "the pelvis rises from a seat or lower by more than 15 cm and is up at the end", _stands_up, "sit down"
    ),
    "kick": Deed(
        "an ankle not behind the body is above 40 cm and faster than 3 m/s, or faster than 5 m/s while the body is slow",
        _kicks,
    ),
    "punch": Deed("an arm stretches forward faster than 1.5 m/s, to 80 % of its length", _punches),
    "bow": Deed("the head lowers by more than 15 cm, feet and pelvis stay", _bows),
    "walk": Deed("the pelvis travels more than 1 m", _walks),
    "walk backwards": Deed("the pelvis travels more than 1 m against the way it faces", _walks_backwards),
    "run": Deed("the pelvis is faster than 2 m/s over half a second", _runs),
    "wave": Deed("a wrist no lower than 15 cm below its shoulder swings sideways three times", _waves),
    "turn around": Deed("hips and shoulders turn by more than 120 degrees", _turns_around),
    "crouch": Deed("the pelvis is below 80 % of its height in standing", _crouches),
    "raise both hands": Deed("both wrists are no lower than 10 cm below the shoulders at once", _raises_both_hands),
    "pick up": Deed("a wrist is less than 50 cm above the floor", _picks_up),
}
"""All deeds by name."""
