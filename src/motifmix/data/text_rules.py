"""How far a caption reaches. Half of the captioned takes are longer than ten seconds; a caption speaks of the whole take.

The rule, for one take with its captions and the description from the recording's index:

1. Up to ten seconds the model sees the take whole: every caption holds for the whole (``whole``). If every caption is
   also of one continuous action, any window inherits it (``window``); not so a jump or a kick, which a window may miss.
2. Beyond ten seconds a caption is kept only if it and the description speak of one continuous action, and the caption
   tells no course of events: no count, no angle, no order of things, no way there and back. Then any window of at
   least two seconds (gaits) or four seconds (other actions) inherits it (``window``).
3. Otherwise the take trains without text (``none``).
4. Where such a take is tagged as sitting or standing up, its motion tells when that happens: each time is cut out as a
   clip of its own with a text (``whole``); see ``events.py``. This file knows words only.

Where a description lists several other actions nobody recorded where one ends, so no segment is guessed.
"""

import re
from collections.abc import Sequence

from motifmix.data.actions import CONTINUOUS, GAITS, ONCE_IN_A_SHORT_TAKE, main_actions
from motifmix.data.sample import TextRule

LONGEST_WHOLE_SECONDS = 10.0
GAIT_SECONDS = 2.0
OTHER_SECONDS = 4.0

# Words that tell a course of events: true of the whole take, not of a part of it.
_COURSE = re.compile(
    r"\b(then|after\w*|before|first|second|finally|again|once|twice|thrice|times|while|until|start\w*|beg[ia]n\w*|stop\w*|"
    r"finish\w*|slow(?:s|ing)? down|end(?:s|ing)?|continu\w*|repeat\w*|return\w*|approximately|about \d|degrees?|meters?|cm|centimeters?|"
    r"two|three|four|five|six|seven|eight|nine|ten|several|multiple|\d+|"
    r"turn(?:s|ing|ed)? (?:a?round|right|left|back)|back(?: to| again|$|\.)|up and down|back and forth|to and fro|"
    r"forwards? and backwards?|backwards? and forwards?|left and right|right and left|sequence|various|different|"
    r"sometimes|at the end|step by step|to the (?:left|right),? (?:and|then)|stand(?:s|ing)? up|get(?:s|ting)? up|pause\w*|"
    r"steps? (?:forward|back|to|up|down|over|on)|an? (?:\w+ )?(?:jump|kick|punch|leap|hop|step|turn|spin|pose)|whole|"
    r"squad|push-up|(?:forwards?|backwards?|sideways),? (?:and |or )?(?:forwards?|backwards?|sideways|diagonal\w*)|"
    r"jumps? (?:off|over|up to|forward))\b",
    re.IGNORECASE,
)
_DIRECTIONS = re.compile(r"forward, backward", re.IGNORECASE)
_LIST = re.compile(r"[,;]|\band\b|\bor\b|/", re.IGNORECASE)


def is_one_continuous_action(text: str) -> bool:
    """Tell whether a sentence names exactly one action that looks alike from any of its windows."""
    if _COURSE.search(text):
        return False
    tags = main_actions(text)
    return len(tags) == 1 and tags[0] in CONTINUOUS and not _several(_LIST.split(text), tags)


def lists_several_actions(description: str) -> bool:
    """Tell whether a line of the recording's index lists more than one action."""
    text = re.sub(r"\([^)]*\)", " ", description)
    if re.search(r"\b(then|and back|turn around|vignettes|sequence)\b", text, re.IGNORECASE) or ";" in text:
        return True
    return _several(re.split(r",|\band\b", text), main_actions(text)) or bool(_DIRECTIONS.search(text))


def text_rule(
    seconds: float, captions: Sequence[str], description: str | None
) -> tuple[TextRule, tuple[str, ...], float]:
    """Return how far the captions of a take reach, the captions that are kept, and the shortest window in seconds."""
    one_action = [
        caption
        for caption in captions
        if is_one_continuous_action(caption) and not (description and lists_several_actions(description))
    ]
    shortest = max((_shortest_window(caption) for caption in one_action), default=0.0)
    if seconds <= LONGEST_WHOLE_SECONDS:
        once = any(set(main_actions(caption)) & ONCE_IN_A_SHORT_TAKE for caption in captions)
        if captions and len(one_action) == len(captions) and not once:
            return "window", tuple(captions), min(shortest, seconds)
        return ("whole" if captions else "none"), tuple(captions), seconds if captions else 0.0
    if one_action:
        return "window", tuple(one_action), shortest
    return "none", (), 0.0


def _shortest_window(text: str) -> float:
    return GAIT_SECONDS if set(main_actions(text)) <= GAITS else OTHER_SECONDS


def _several(parts: Sequence[str], main: Sequence[str]) -> bool:
    """Tell whether the parts of a list name different actions; words of manner beside the main action do not count."""
    named = {frozenset(main_actions(part)) for part in parts}
    return len({part for part in named if part and (part & set(main) or not main)}) > 1 or len(main) > 1
