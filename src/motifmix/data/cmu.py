"""The CMU motion capture database at 30 fps, our content set: takes with captions that people wrote, or made by rule.

Layout: ``cmu-mocap-30fps/bvh/<subject>/<subject>_<trial>.bvh``, ``captions.json`` (one entry a take: texts, flags,
description) and ``pairs.json``. Metres, **Z up** (the rest pose alone stands along +Y), one 22-joint skeleton.
"""

import json
import re
from dataclasses import replace
from typing import Any

import numpy as np

from motifmix.data.actions import actions
from motifmix.data.reserved import is_reserved
from motifmix.data.sample import FPS, Catalogue, Clip, Take
from motifmix.data.source import Source
from motifmix.data.split import cmu_side, subject_group
from motifmix.data.text_rules import text_rule
from motifmix.errors import DataError
from motifmix.motion import Skeleton
from motifmix.motion.anatomy import find_joints
from motifmix.motion.retargeting import canonical_rotations

MARKER = "captions.json"
WHAT = "cmu-mocap-30fps archive"

# Kept for content; nothing that asks about floor or contacts may look at them.
NO_CONTACT_FLAGS = frozenset({"floor_not_flat", "floor_offset", "no_floor", "upside_down"})
SHORTEST_SECONDS = 1.0
# Takes without text in which sitting down and standing up are looked for.
EVENT_TAGS = frozenset({"sit", "stand up"})
_MIRROR_X = np.array([-1.0, 1.0, 1.0])
NO_CAPTIONS = {
    ("13_07", "kit"): "its caption is an advertisement",
    ("56_06", "kit"): "its caption breaks off after three words",
    ("91_06", "kit"): "its caption speaks of a heavy bar; the clip is the calibration pose",
}

CARD = {
    "name": "CMU Graphics Lab Motion Capture Database at 30 fps, with KIT Motion-Language captions",
    "role": "content",
    "version": "cmu-mocap-30fps, 1,489 takes",
    "licence": "CMU: free use, no resale of the data, also not in converted form; skeleton fits: research, non-commercial",
    "credit": (
        "The data used in this project was obtained from mocap.cs.cmu.edu. The database was created with funding from "
        "NSF EIA-0196217. Skeleton fits from the CMU part of AMASS (Mahmood, Ghorbani, Troje, Pons-Moll, Black, ICCV "
        "2019). Captions marked kit: KIT Motion-Language Dataset (Plappert, Mandery, Asfour, Big Data 4(4), 2016)."
    ),
    "use": "research, non-commercial",
}
NOTES = (
    "Split: the test side is whole subjects, with the partners they were recorded with; so a two-person take, its single files "
    "and its copy among the salsa pairs stand on one side, and so do all takes of one description within a subject. Subject "
    "numbers are those of the database; it does not say whether one person has two numbers.",
    "Takes that stand on something, hang, swim or turn upside down are kept for content with contacts = false: losses on "
    "floor and contacts leave them out.",
    "Cuts: a take in which a joint flips (more than 100 degrees between two frames) is cut there; pieces of a second or longer "
    "are clips of their own. A caption that speaks of the whole take is not given to such a piece.",
    "Segments: in a take without text whose words name sitting or standing up, each sitting down and standing up is found by "
    "the height of the pelvis. It stands beside the take, on its side and in its group, as a clip of its own (CLIP.sit-down-FRAME), "
    "with sentences of ours that hold for the whole of it.",
)


def catalogue(source: Source) -> Catalogue:
    """List the takes with captions, flags, split and exclusions. Raises ``DataError`` for another layout."""
    entries = _entries(source)
    members = set(source.names)
    takes, excluded = [], []
    for entry in sorted(entries, key=lambda e: e["clip"]):
        try:
            take, why = _take(entry)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"{source.path}: captions.json lacks something for a take ({error!r}); take a fresh copy"
            ) from error
        if take.member not in members:
            raise DataError(f"{source.path}: {take.member} is missing; take a fresh copy of the {WHAT}")
        if why:
            excluded.append((take.clip.id, why))
        takes.append(take)
    return Catalogue("cmu", tuple(takes), tuple(excluded), NOTES, dict(CARD), up="z", units="m")


def _entries(source: Source) -> list[dict[str, Any]]:
    for _, data in source.read_all(lambda name: name == "captions.json"):
        try:
            entries = json.loads(data)["clips"]
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{source.path}: captions.json is damaged ({error!r}); take a fresh copy of the {WHAT}"
            ) from error
        if isinstance(entries, list) and entries and all(isinstance(e, dict) and "clip" in e for e in entries):
            return entries
    raise DataError(f"{source.path}: captions.json lists no clips; take a fresh copy of the {WHAT}")


def _take(entry: dict[str, Any]) -> tuple[Take, str | None]:
    name, subject, seconds = str(entry["clip"]), str(entry["subject"]), float(entry["seconds"])
    description = entry["cmu_description"]
    kit_ids = {caption["text"]: caption["id"] for caption in entry["kit"]}
    texts = [(text["text"], text["source"]) for text in entry["texts"] if (name, text["source"]) not in NO_CAPTIONS]
    captions = tuple(dict.fromkeys(as_typed(text, source) for text, source in texts))
    rule, kept, shortest = text_rule(seconds, captions, description)
    flags = tuple(entry["flags"])
    partner = entry["two_person"]
    side, why = cmu_side(subject), None
    if seconds < SHORTEST_SECONDS:
        why = "shorter than 1 s, the shortest motion that the model makes"
    elif side == "train" and any(
        is_reserved(kit_ids.get(t["text"]), t["text"]) for t in (*entry["kit"], *entry["texts"])
    ):
        why = "its caption is a public test prompt"
    clip = Clip(
        id=f"cmu/{name}", source="cmu", role="content", split="dropped" if why else side, split_group=subject_group(subject),
        subject=subject, frames=0, fps=FPS, captions=kept, text_rule=rule, text_seconds=round(shortest, 3),
        actions=take_actions(description, [text for text, _ in texts]), flags=flags,
        partner=f"cmu/{partner}" if partner and partner != "partner_missing" else None,
        contacts=not NO_CONTACT_FLAGS & set(flags), reason=why,
    )  # fmt: skip
    cuts = "rotation_flip" in flags or "glitch" in flags
    finds_events = rule == "none" and bool(EVENT_TAGS & set(clip.actions))
    return Take(entry["file"], clip, cuts=cuts, finds_events=finds_events), why


def as_typed(text: str, source: str) -> str:
    """Return a caption as it is stored: people's as they wrote it, ours in the form "a person ..."."""
    text = text.strip()
    if source == "kit":
        return text
    text = re.sub(
        r"^(?:someone|somebody|a human|a man|a woman|the person|person)\b", "a person", text, flags=re.IGNORECASE
    )
    return text if text.casefold().startswith("a person") else f"a person {text[:1].lower()}{text[1:]}"


def take_actions(description: str | None, texts: list[str]) -> tuple[str, ...]:
    """Return the action tags of a take: those of its captions; where these name none, of its description."""
    tags = dict.fromkeys(tag for text in texts for tag in actions(text))
    return tuple(tags) or actions(description or "")


def rest_axes(skeleton: Skeleton) -> dict[str, np.ndarray]:
    """Return the joints' axes in the T-pose, by role: those of the rest pose, which stands and looks along +Z.

    The fitted body is a little lopsided: the line through its hips and shoulders is 1.1 degrees off. Taken for the
    heading, all walks would drift to one side; so the axes are found on the body made symmetric.
    """
    roles = find_joints(skeleton)
    offsets = skeleton.offsets.copy()
    offsets[[joint for role, joint in roles.items() if not role.startswith(("left_", "right_"))], 0] = 0.0
    for role, left in roles.items():
        if role.startswith("left_"):
            right = roles["right_" + role.removeprefix("left_")]
            mean = 0.5 * (offsets[left] + offsets[right] * _MIRROR_X)
            offsets[left], offsets[right] = mean, mean * _MIRROR_X
    return canonical_rotations(replace(skeleton, offsets=offsets))


def floor_group(clip: Clip) -> str:
    """Return the clip itself: the publisher shifted every file in height by its own lowest frame."""
    return clip.id
