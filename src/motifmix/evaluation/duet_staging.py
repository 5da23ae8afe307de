"""Whether two people stand and go as an interaction asks, and do what they should, told by geometry: no network has a say.

One check for each layout of ``data/duets/staging.py``, whatever either of them does meanwhile; what each does is told by
``deeds.py``. Limits are wide: they were set on pairs of the training side, of which nearly all pass, and a scene fails that
nobody would call by its name. Who goes first in a layout is the first person.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from motifmix.data.duets.interactions import BY_NAME
from motifmix.evaluation.deeds import does
from motifmix.evaluation.metrics import facing_yaw
from motifmix.features.interhuman import InterHumanSpace, joint_positions

GOES, STAYS = 0.6, 0.7  # metres from the first frame to the last, at least and at most
SAME, OPPOSITE = 40.0, 140.0  # degrees between two ways
LOOKS = 45.0  # degrees by which somebody who looks at the other may look past him, mean over frames
FIGHTS = 65.0  # the same of who kicks or dances, which turns the body
BEHIND, ASIDE = 0.5, 0.4  # metres
NEARER = 0.4  # metres by which people who meet or part come nearer or get further
CLOSE, FAR = 0.3, 5.0  # metres between pelvises of people who have to do with each other


@dataclass(frozen=True)
class Stands:
    """What the checks read: ``ways`` [2, 2] on the floor (x, z) from first to last frame, ``apart`` [T] between pelvises,
    ``past`` [2] degrees by which each looks past the other, ``facing`` [2, T] radians, ``places`` [2, T, 2].
    """

    places: np.ndarray
    facing: np.ndarray

    @classmethod
    def of(cls, joints: np.ndarray) -> "Stands":
        """Read two people's joints ``[2, T, 22, 3]``."""
        return cls(joints[:, :, 0][..., [0, 2]], np.stack([facing_yaw(own) for own in joints]))

    @property
    def ways(self) -> np.ndarray:
        """Where each gets to."""
        return self.places[:, -1] - self.places[:, 0]

    @property
    def gone(self) -> np.ndarray:
        """How far each gets, [2]."""
        return np.linalg.norm(self.ways, axis=-1)

    @property
    def apart(self) -> np.ndarray:
        """How far they are from each other, [T]."""
        return np.linalg.norm(self.places[0] - self.places[1], axis=-1)

    @property
    def past(self) -> np.ndarray:
        """By how many degrees each looks past the other, mean over frames, [2]."""
        towards = self.places[::-1] - self.places
        off = self.facing - np.arctan2(towards[..., 0], towards[..., 1])
        return np.degrees(np.abs((off + np.pi) % (2 * np.pi) - np.pi)).mean(axis=-1)

    @property
    def looking(self) -> np.ndarray:
        """Where the first looks, mean over frames, [2]; shorter than 1 where he turns."""
        return np.array([np.sin(self.facing[0]).mean(), np.cos(self.facing[0]).mean()])

    @property
    def middle(self) -> int:
        """The frame in the middle."""
        return self.places.shape[1] // 2

    def between_ways(self) -> float:
        """Degrees between the two ways; not-a-number where somebody stays."""
        if self.gone.min() < GOES:
            return float("nan")
        one, other = self.ways / self.gone[:, None]
        return float(np.degrees(np.arccos(np.clip(one @ other, -1.0, 1.0))))

    def beside(self, frame: int, ahead: np.ndarray) -> tuple[float, float]:
        """How far the second is ahead of the first, and aside, in a frame; ``ahead`` [2] is what counts as forward."""
        ahead = ahead / max(float(np.linalg.norm(ahead)), 1e-9)
        gap = self.places[1, frame] - self.places[0, frame]
        return float(gap @ ahead), float(abs(gap @ np.array([-ahead[1], ahead[0]])))


DEED_OF = {
    "bow": "bow",
    "byebye": "wave",
    "dash": "run",
    "kick": "kick",
    "march": "walk",
    "raise-up-both-hands": "raise both hands",
    "run": "run",
    "walk": "walk",
    "walk-back": "walk backwards",
    "wave-left-hand": "wave",
    "wave-right-hand": "wave",
}
"""Which check of ``deeds.py`` tells of a content of people in pairs whether it was done.

Others have none that nearly all real people of the training side pass.
"""


def staged(interaction: str, people: np.ndarray) -> bool:
    """Tell whether two people ``[2, T, 262]`` stand and go as an interaction type asks.

    Raises ``KeyError`` for a type that there is not.
    """
    return LAYOUTS[BY_NAME[interaction].layout](Stands.of(joint_positions(people.astype(np.float64))))


def done(contents: Sequence[str], people: np.ndarray) -> np.ndarray:
    """Tell of each person of ``[P, T, 262]`` whether he does his content, 1 or 0; not-a-number where no check tells."""
    return np.array(
        [
            float(does(DEED_OF[content], InterHumanSpace().decode(own))) if content in DEED_OF else float("nan")
            for content, own in zip(contents, people.astype(np.float64), strict=True)
        ]
    )


def _near(stands: Stands) -> bool:
    return bool(CLOSE < np.median(stands.apart) < FAR)


def _face_to_face(stands: Stands) -> bool:
    return _near(stands) and bool(stands.past.max() < FIGHTS)


def _within_reach(stands: Stands) -> bool:
    """Who kicks turns about himself."""
    return _near(stands) and bool(stands.past.min() < FIGHTS)


def _shoulder_to_shoulder(stands: Stands) -> bool:
    ahead, aside = stands.beside(stands.middle, stands.looking)
    turned = np.degrees(np.abs(np.angle(np.exp(1j * (stands.facing[0] - stands.facing[1])))).mean())
    return bool(turned < SAME and aside > ASIDE and aside > abs(ahead))


def _side_by_side(stands: Stands) -> bool:
    ahead, aside = stands.beside(stands.middle, stands.ways[0])
    return stands.between_ways() < SAME and aside > ASIDE and aside > abs(ahead)


def _one_behind(stands: Stands) -> bool:
    ahead, aside = stands.beside(stands.middle, stands.ways[0])
    return stands.between_ways() < SAME and ahead < -BEHIND and aside < -ahead


def _driven_back(stands: Stands) -> bool:
    ahead, aside = stands.beside(stands.middle, stands.ways[0])
    return stands.between_ways() < SAME and ahead > BEHIND and aside < ahead


def _towards_each_other(stands: Stands) -> bool:
    return stands.between_ways() > OPPOSITE and bool(stands.apart[0] - stands.apart[-1] > NEARER)


def _apart(stands: Stands) -> bool:
    return stands.between_ways() > OPPOSITE and bool(stands.apart[-1] - stands.apart[0] > NEARER)


def _past_each_other(stands: Stands) -> bool:
    first, last = (stands.beside(frame, stands.ways[0])[0] for frame in (0, -1))
    return stands.between_ways() > OPPOSITE and first > 0 > last


def _across(stands: Stands) -> bool:
    return SAME < stands.between_ways() < OPPOSITE and bool(stands.apart.min() < 0.5 * FAR)


def _before_a_fist(stands: Stands) -> bool:
    goes = stands.apart[-1] - stands.apart[0] > NEARER and stands.gone[1] > GOES
    return bool(goes and stands.gone[1] > stands.gone[0])


def _watched(stands: Stands, way: float) -> bool:
    """Whether the second comes or gets away by ``way`` metres, and the first stays and looks at him."""
    moves = way > NEARER and stands.gone[1] > GOES and stands.gone[0] < STAYS
    return bool(moves and stands.past[0] < LOOKS)


def _arriving(stands: Stands) -> bool:
    return _watched(stands, stands.apart[0] - stands.apart[-1])


def _leaving(stands: Stands) -> bool:
    return _watched(stands, stands.apart[-1] - stands.apart[0])


def _before_the_eyes(stands: Stands) -> bool:
    if stands.gone[1] < GOES or stands.gone[0] > STAYS:
        return False
    looking = stands.looking
    ahead = [stands.beside(frame, looking)[0] for frame in (0, stands.middle, -1)]
    way = stands.ways[1] / stands.gone[1]
    return bool(max(ahead) > 0 and abs(way @ looking) < np.linalg.norm(looking) * np.cos(np.radians(SAME)))


def _shown_the_way(stands: Stands) -> bool:
    return bool(stands.gone[1] > GOES > stands.gone[0] and stands.apart.min() < 0.5 * FAR)


LAYOUTS: dict[str, Callable[[Stands], bool]] = {
    "face_to_face": _face_to_face,
    "within_reach": _within_reach,
    "hand_in_hand": _face_to_face,
    "shoulder_to_shoulder": _shoulder_to_shoulder,
    "side_by_side": _side_by_side,
    "one_behind": _one_behind,
    "driven_back": _driven_back,
    "towards_each_other": _towards_each_other,
    "apart": _apart,
    "past_each_other": _past_each_other,
    "across": _across,
    "before_a_fist": _before_a_fist,
    "arriving": _arriving,
    "leaving": _leaving,
    "before_the_eyes": _before_the_eyes,
    "shown_the_way": _shown_the_way,
}
"""The check of every layout."""
