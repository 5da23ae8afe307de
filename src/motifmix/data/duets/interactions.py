"""What two people do together: who plays which part, where they stand, and when each does it.

Distances are metres between pelvises unless the layout says otherwise (``staging.py``).
"""

from dataclasses import dataclass
from typing import Literal

from motifmix.data.duets.staging import Range

Together = Literal["same_clip", "mirror_image"] | None


@dataclass(frozen=True)
class Interaction:
    """One type. ``first`` and ``second`` name pools of ``parts.py``, ``layout`` a function of ``staging.py``.

    ``delay``: seconds from the first person's event to the second's, who reacts. ``keep_pace``: the second's clip is
    played as fast as it takes to go as fast as the first. ``together``: both play one clip at one time, as it is or as
    its mirror image. ``faster``: the second must go at least this many times as fast. ``type``: whose captions say it,
    where that is another one's (a variant's).
    """

    name: str
    first: str
    second: str
    layout: str
    distance: Range
    delay: Range = (0.0, 0.0)
    aside: Range = (0.0, 0.0)
    keep_pace: bool = False
    together: Together = None
    faster: float = 0.0
    type: str = ""

    @property
    def told_as(self) -> str:
        """The type whose captions describe it."""
        return self.type or self.name


_REPLY = (0.3, 1.0)

INTERACTIONS: tuple[Interaction, ...] = (
    Interaction("wave-back", "wave", "wave", "face_to_face", (1.5, 3.5), _REPLY, (0.0, 0.3)),
    Interaction("bow-to-each-other", "bow", "bow", "face_to_face", (1.5, 2.4), (0.0, 0.5)),
    Interaction("wave-and-bow", "wave", "bow", "face_to_face", (1.5, 3.0), _REPLY, (0.0, 0.2)),
    Interaction("say-goodbye", "bye", "bye", "face_to_face", (1.3, 3.0), (0.0, 0.8), (0.0, 0.3)),
    Interaction("see-off", "bye", "walk", "leaving", (0.9, 2.0), aside=(0.0, 0.3)),
    Interaction("welcome", "wave", "walk", "arriving", (0.9, 1.7), aside=(0.0, 0.3)),
    Interaction("receive-with-a-bow", "bow", "walk", "arriving", (1.3, 2.2), aside=(0.0, 0.2)),
    Interaction("greet-in-passing", "wave", "walk", "before_the_eyes", (1.0, 2.2)),
    Interaction("cheer-a-runner", "wave", "run", "before_the_eyes", (1.3, 2.8)),
    Interaction("show-the-way", "guide", "walk", "shown_the_way", (1.0, 1.8)),
    Interaction("answer-a-wave", "wave", "respond", "face_to_face", (1.5, 3.0), _REPLY, (0.0, 0.3)),
    Interaction("approach", "walk", "walk", "towards_each_other", (0.8, 1.5)),
    Interaction("run-together", "run", "run", "towards_each_other", (1.0, 2.0)),
    Interaction("part", "walk", "walk", "apart", (0.6, 1.2)),
    Interaction("run-apart", "run", "run", "apart", (0.7, 1.5)),
    Interaction("walk-side-by-side", "walk", "walk", "side_by_side", (0.6, 1.0), keep_pace=True),
    Interaction("run-side-by-side", "run", "run", "side_by_side", (0.7, 1.2), keep_pace=True),
    Interaction("follow", "walk", "walk", "one_behind", (0.9, 1.8), keep_pace=True),
    Interaction("chase", "run", "run", "one_behind", (1.2, 2.6), keep_pace=True),
    Interaction("cross-paths", "walk", "walk", "across", (0.7, 1.3)),
    Interaction("pass-each-other", "walk", "walk", "past_each_other", (0.6, 1.1)),
    Interaction("overtake", "walk", "run", "side_by_side", (0.7, 1.2), faster=1.4),
    Interaction("back-away", "walk", "walk-back", "driven_back", (1.0, 1.6), keep_pace=True),
    Interaction("punch-and-step-back", "punch", "walk-back", "before_a_fist", (0.2, 0.6)),
    Interaction("kick-and-step-back", "kick", "walk-back", "before_a_fist", (0.2, 0.6)),
    Interaction("box", "box", "box", "face_to_face", (0.9, 1.5)),
    Interaction("kick-fight", "kick", "kick", "within_reach", (0.3, 0.9), (0.3, 1.0)),
    Interaction("punch-and-run-away", "punch", "run", "before_a_fist", (0.6, 1.4)),
    Interaction("kick-and-run-away", "kick", "run", "before_a_fist", (0.6, 1.4)),
    Interaction("mirror-a-wave", "wave", "wave", "face_to_face", (1.2, 2.4), together="mirror_image"),
    Interaction("mirror-a-dance", "dance", "dance", "face_to_face", (1.3, 2.6), together="mirror_image"),
    Interaction("dance-together", "dance", "dance", "face_to_face", (1.2, 2.4)),
    Interaction("dance-in-unison", "dance", "dance", "shoulder_to_shoulder", (1.2, 2.4), together="same_clip"),
    Interaction("watch-a-dance", "dance", "stand", "face_to_face", (1.8, 3.0)),
    Interaction("shake-hands", "handshake", "handshake", "hand_in_hand", (0.12, 0.22)),
)
BY_NAME = {interaction.name: interaction for interaction in INTERACTIONS}
