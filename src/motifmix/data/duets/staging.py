"""Two people in one world: where each stands, which way they look, what lies between them.

Every layout takes two motions of equal length as they were captured, turns and shifts each *as a whole*, and returns
them placed. Headings are radians, 0 = +Z; the first person's event happens at the origin, looking along +Z.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from motifmix.data.duets.parts import heading
from motifmix.motion import Motion
from motifmix.motion.skeleton import JOINT_NAMES

_RIGHT_WRIST = JOINT_NAMES.index("right_wrist")
HAND = 0.08  # metres from the middle of a hand to that of the hand that it holds
Range = tuple[float, float]
Placed = tuple[Motion, Motion]


@dataclass(frozen=True)
class Stage:
    """Frames of both events, and the generator from which a layout draws within its ranges (metres, radians)."""

    first_event: int
    second_event: int
    rng: np.random.Generator
    distance: Range
    aside: Range = (0.0, 0.0)
    turn: float = 0.12

    def drawn(self, limits: Range) -> float:
        """Draw a value."""
        return float(self.rng.uniform(*limits))

    def sign(self) -> float:
        """Draw a side."""
        return 1.0 if self.rng.random() < 0.5 else -1.0

    def jitter(self) -> float:
        """Draw a small turn."""
        return float(self.rng.uniform(-self.turn, self.turn))


Layout = Callable[[Motion, Motion, Stage], Placed]
LAYOUTS: dict[str, Layout] = {}


def layout(function: Layout) -> Layout:
    """Register a layout by its name."""
    LAYOUTS[function.__name__] = function
    return function


def facing_at(motion: Motion, frame: int) -> float:
    """Return where somebody looks in a frame, in radians."""
    x, z = heading(motion.joints[frame])
    return float(np.arctan2(x, z))


def way_of(motion: Motion) -> float:
    """Return the direction from the first frame's place to the last one's, in radians."""
    x, z = (motion.root[-1] - motion.root[0])[[0, 2]]
    return float(np.arctan2(x, z))


def put(motion: Motion, at: tuple[float, float], frame: int, turn: float) -> Motion:
    """Turn a motion by ``turn`` and put its pelvis above ``at`` (x, z) in a frame."""
    turned = motion.turned(turn)
    x, _, z = turned.root[frame]
    return turned.moved(np.array([at[0] - x, 0.0, at[1] - z]))


def looking(motion: Motion, at: tuple[float, float], frame: int, towards: float) -> Motion:
    """Put a motion so that it looks ``towards`` in a frame."""
    return put(motion, at, frame, towards - facing_at(motion, frame))


def going(motion: Motion, at: tuple[float, float], frame: int, towards: float) -> Motion:
    """Put a motion so that its way leads ``towards``."""
    return put(motion, at, frame, towards - way_of(motion))


def _last(motion: Motion) -> int:
    return motion.frames - 1


def _middle(motion: Motion) -> int:
    return motion.frames // 2


@layout
def face_to_face(first: Motion, second: Motion, stage: Stage) -> Placed:
    """Both stand and look at each other when it counts."""
    there = (stage.sign() * stage.drawn(stage.aside), stage.drawn(stage.distance))
    return (
        looking(first, (0.0, 0.0), stage.first_event, stage.jitter()),
        looking(second, there, stage.second_event, np.pi + stage.jitter()),
    )


@layout
def shoulder_to_shoulder(first: Motion, second: Motion, stage: Stage) -> Placed:
    """Both stand side by side and look the same way."""
    there = (stage.sign() * stage.drawn(stage.distance), stage.drawn((-0.15, 0.15)))
    return (
        looking(first, (0.0, 0.0), stage.first_event, 0.0),
        looking(second, there, stage.second_event, stage.jitter()),
    )


@layout
def side_by_side(first: Motion, second: Motion, stage: Stage) -> Placed:
    """Both go the same way, abreast in the middle of the scene."""
    middle = _middle(first)
    there = (stage.sign() * stage.drawn(stage.distance), stage.drawn((-0.2, 0.2)))
    return going(first, (0.0, 0.0), middle, 0.0), going(second, there, middle, stage.jitter() / 3)


@layout
def one_behind(first: Motion, second: Motion, stage: Stage) -> Placed:
    """The first goes ahead, the second comes after."""
    middle = _middle(first)
    there = (stage.drawn((-0.15, 0.15)), -stage.drawn(stage.distance))
    return going(first, (0.0, 0.0), middle, 0.0), going(second, there, middle, stage.jitter() / 3)


@layout
def towards_each_other(first: Motion, second: Motion, stage: Stage) -> Placed:
    """Both come from afar and end before each other."""
    there = (stage.drawn((-0.1, 0.1)), stage.drawn(stage.distance))
    return (
        going(first, (0.0, 0.0), _last(first), stage.jitter() / 2),
        going(second, there, _last(second), np.pi + stage.jitter() / 2),
    )


@layout
def apart(first: Motion, second: Motion, stage: Stage) -> Placed:
    """Both begin back to back and go away from each other."""
    there = (stage.drawn((-0.2, 0.2)), stage.drawn(stage.distance))
    return going(first, (0.0, 0.0), 0, np.pi + stage.jitter()), going(second, there, 0, stage.jitter())


@layout
def past_each_other(first: Motion, second: Motion, stage: Stage) -> Placed:
    """Both go opposite ways and meet in the middle of the scene."""
    middle = _middle(first)
    there = (stage.sign() * stage.drawn(stage.distance), stage.drawn((-0.4, 0.4)))
    return going(first, (0.0, 0.0), middle, 0.0), going(second, there, middle, np.pi + stage.jitter() / 2)


@layout
def across(first: Motion, second: Motion, stage: Stage) -> Placed:
    """The second one's way crosses the first one's, before or behind him."""
    middle = _middle(first)
    there = (0.0, stage.sign() * stage.drawn(stage.distance))
    across_way = stage.sign() * np.pi / 2 + 3 * stage.jitter()
    return going(first, (0.0, 0.0), middle, 0.0), going(second, there, middle, across_way)


@layout
def before_a_fist(first: Motion, second: Motion, stage: Stage) -> Placed:
    """The first strikes; the second faces him out of reach and goes backwards."""
    struck = looking(first, (0.0, 0.0), stage.first_event, 0.0)
    reach = float(struck.joints[stage.first_event, :, 2].max())
    there = (stage.drawn((-0.1, 0.1)), reach + stage.drawn(stage.distance))
    return struck, going(second, there, stage.first_event, stage.jitter())


@layout
def within_reach(first: Motion, second: Motion, stage: Stage) -> Placed:
    """Both fight face to face, at the reach of the first one's furthest limb."""
    struck = looking(first, (0.0, 0.0), stage.first_event, 0.0)
    reach = float(struck.joints[stage.first_event, :, 2].max())
    there = (stage.drawn((-0.1, 0.1)), reach + stage.drawn(stage.distance))
    return struck, looking(second, there, stage.second_event, np.pi + stage.jitter())


@layout
def driven_back(first: Motion, second: Motion, stage: Stage) -> Placed:
    """The first walks on, the second walks backwards before him."""
    middle = _middle(first)
    there = (stage.drawn((-0.1, 0.1)), stage.drawn(stage.distance))
    return going(first, (0.0, 0.0), middle, 0.0), going(second, there, middle, stage.jitter() / 2)


@layout
def hand_in_hand(first: Motion, second: Motion, stage: Stage) -> Placed:
    """Both stand opposite each other, and their right hands meet when it counts."""
    one = looking(first, (0.0, 0.0), stage.first_event, 0.0)
    other = looking(second, (0.0, 1.0), stage.second_event, np.pi + stage.jitter() / 2)
    hand, other_hand = (m.joints[f, _RIGHT_WRIST] for m, f in ((one, stage.first_event), (other, stage.second_event)))
    # Palms lie beside each other: the second one's is on the inner side of the first one's.
    gap = stage.drawn(stage.distance)
    return one, other.moved(np.array([hand[0] - other_hand[0] + HAND, 0.0, hand[2] + gap - other_hand[2]]))


@layout
def arriving(first: Motion, second: Motion, stage: Stage) -> Placed:
    """The first stands; the second comes towards him and ends before him."""
    there = (stage.sign() * stage.drawn(stage.aside), stage.drawn(stage.distance))
    return (
        looking(first, (0.0, 0.0), stage.first_event, stage.jitter()),
        going(second, there, _last(second), np.pi + stage.jitter() / 2),
    )


@layout
def leaving(first: Motion, second: Motion, stage: Stage) -> Placed:
    """The first stands and looks after the second, who goes away."""
    there = (stage.sign() * stage.drawn(stage.aside), stage.drawn(stage.distance))
    return looking(first, (0.0, 0.0), stage.first_event, stage.jitter()), going(second, there, 0, stage.jitter())


@layout
def before_the_eyes(first: Motion, second: Motion, stage: Stage) -> Placed:
    """The first stands; the second goes past before his eyes."""
    there = (0.0, stage.drawn(stage.distance))
    return (
        looking(first, (0.0, 0.0), stage.first_event, stage.jitter()),
        going(second, there, min(stage.first_event, _last(second)), stage.sign() * np.pi / 2 + stage.jitter()),
    )


@layout
def shown_the_way(first: Motion, second: Motion, stage: Stage) -> Placed:
    """The first holds out a hand; the second goes past before him, to where the hand points."""
    shows = looking(first, (0.0, 0.0), stage.first_event, 0.0)
    joints = shows.joints[stage.first_event]
    hands = [joints[wrist] - joints[0] for wrist in (_RIGHT_WRIST - 1, _RIGHT_WRIST)]
    hand = max(hands, key=lambda offset: float(np.hypot(offset[0], offset[2])))
    way = float(np.arctan2(np.sign(hand[0]) * max(abs(hand[0]), 0.3), 0.15))
    there = (0.0, stage.drawn(stage.distance))
    return shows, going(second, there, _middle(second), way + stage.jitter())
