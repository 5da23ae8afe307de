"""What a judge can call a motion: the style set's labels, and actions that only the content set shows.

Kick, punch and dance have one or two clips in the style set; the content set's takes join them there. A take of the
content set gets a class only when its words name one action and nothing that changes its course.
"""

import re

from motifmix.data.labels import CONTENTS, STYLES
from motifmix.data.sample import Clip

# Action tag of the content set (data/actions.py) to a label of the style set.
SHARED_ACTIONS = {
    "walk": "walk",
    "run": "run",
    "kick": "kick",
    "punch": "punch",
    "box": "punch",
    "dance": "dance-short",
    "bow": "bow",
}
OWN_ACTIONS = (
    "jump", "hop", "march", "step", "turn", "swim", "stretch", "drink", "wash", "sweep", "pick up", "golf", "dribble",
    "balance", "stand up", "cartwheel", "karate", "lunge", "imitate", "gesture", "play music", "work", "hit", "yoga",
    "stand", "search",
)  # fmt: skip
CONTENT_CLASSES = tuple(name for name in CONTENTS if name != "dance-long") + OWN_ACTIONS
STYLE_CLASSES = STYLES

# A walk that turns, goes sideways or changes is not the straight walk of the style set.
_OTHER_COURSE = re.compile(
    r"turn|circl|curv|bend|left|right|side|veer|zig|eight|around|about|stairs|sneak|creep|stop|start|run|jump|lunge|crouch|"
    r"limp|stagger|stumbl|drunk|obstacle|uneven|over|slalom|corner|angle|hop|march|skip|sway|"
    r"like|as if|guid|bump|injur|hurt|wild|shape|tiptoe|tips|clumsy",
    re.IGNORECASE,
)
_BACKWARDS = re.compile(r"backward", re.IGNORECASE)


def content_class(clip: Clip) -> str | None:
    """Return the class of a prepared clip, or None where its words do not say one thing."""
    if clip.role == "style":
        # A goodbye with the other hand is neither the recorded goodbye nor a wave: it has no class.
        return clip.content if clip.content in CONTENT_CLASSES and not clip.content_mirrored else None
    if len(clip.actions) != 1 or clip.text_rule == "none":
        return None
    action = clip.actions[0]
    if action in ("walk", "run"):
        words = " ".join(clip.captions)
        if _OTHER_COURSE.search(words.replace("run", "")) or (action == "walk" and "run" in words):
            return None
        if _BACKWARDS.search(words):
            return "walk-back" if action == "walk" else None
    if action in SHARED_ACTIONS:
        return SHARED_ACTIONS[action]
    return action if action in OWN_ACTIONS else None
