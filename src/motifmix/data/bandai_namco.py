"""The Bandai-Namco-Research-Motiondataset (CC BY-NC 4.0), our style set: two sets of clips with content and style labels.

Published layout: ``dataset/Bandai-Namco-Research-Motiondataset-{1,2}/data/dataset-<set>_<content>_<style>_<number>.bvh``
with a JSON beside each that repeats the two labels as line numbers of ``cfg/{content,style}_label.txt``. Centimetres,
Y up, 30 fps, one skeleton. What is wrong with single clips was measured on the files; it stands in the tables below.
"""

import json
from dataclasses import replace

import numpy as np

from motifmix.data.labels import ClipName, parse_clip_name
from motifmix.data.sample import FPS, Catalogue, Clip, Take
from motifmix.data.source import Source
from motifmix.data.split import split_bandai
from motifmix.errors import DataError, MotifmixError
from motifmix.motion import Motion, Skeleton
from motifmix.motion.anatomy import find_joints
from motifmix.motion.kinematics import local_rotations
from motifmix.motion.retargeting import canonical_rotations

MARKER = "dataset/Bandai-Namco-Research-Motiondataset-2/cfg/content_label.txt"
WHAT = "Bandai-Namco-Research-Motiondataset"

# The body turns the other way than the label says, by at least 79 degrees: the label is mended.
MENDED_CONTENTS = {
    "bandai-2/walk-turn-left_masculine_006": "walk-turn-right",
    "bandai-2/walk-turn-left_masculine_007": "walk-turn-right",
    "bandai-2/walk-turn-right_masculine_007": "walk-turn-left",
    "bandai-2/walk-turn-right_normal_004": "walk-turn-left",
    "bandai-2/walk-turn-right_normal_032": "walk-turn-left",
}
EXCLUDED = {
    "bandai-2/walk-turn-right_normal_033": "turns 52 degrees to the left where the label says right: no clear label",
    "bandai-2/walk-turn-left_normal_031": "several turns in one clip (235 degrees); its rows are in number 027 as well",
    "bandai-2/walk-turn-left_normal_032": "several turns in one clip (233 degrees); its rows are in number 028 as well",
    "bandai-2/walk-turn-left_normal_033": "several turns in one clip (194 degrees); its rows are in number 029 as well",
}
CURVED = {
    "run_normal_006", "run_youthful_021", "walk_active_009", "walk_active_015", "walk_active_021", "walk_exhausted_010"
}  # fmt: skip
# Clips cut from the same rows of the recording: none may stand on another side than its twin.
SHARED_ROWS = (
    *((f"walk-turn-left_normal_{a:03d}", f"walk-turn-left_normal_{a + 4:03d}") for a in (27, 28, 29, 30)),
    *((f"walk-turn-right_normal_{a:03d}", f"walk-turn-right_normal_{a + 4:03d}") for a in (28, 29, 30, 31)),
    ("walk-turn-left_normal_028", "walk-turn-right_normal_032"),
    ("walk-turn-left_normal_005", "walk-turn-right_normal_004"),
)

CARD = {
    "name": WHAT,
    "role": "style",
    "version": "sets 1 and 2, commit 74ead3ba1ae4",
    "licence": "CC BY-NC 4.0",
    "credit": (
        "Bandai-Namco-Research-Motiondataset, (c) 2022 Bandai Namco Research Inc., CC BY-NC 4.0. Kobayashi, Liao, Inoue, "
        "Yojima, Takahashi: Motion Capture Dataset for Practical Use of AI-based Motion Editing and Stylization, "
        "arXiv:2306.08861, 2023."
    ),
    "use": "non-commercial, with attribution; holds for whatever is trained on it",
}


def catalogue(source: Source) -> Catalogue:
    """List the clips with their labels, split and exclusions. Raises ``DataError`` where name and JSON disagree."""
    stems = {name: name.rsplit("/", 1)[-1].removesuffix(".bvh") for name in source.names if name.endswith(".bvh")}
    if not stems:
        raise DataError(f"{source.path}: no .bvh file inside; give the complete {WHAT}")
    _check_labels(source)
    takes, excluded = [], []
    for member, stem in sorted(stems.items(), key=lambda item: item[1]):
        try:
            name = parse_clip_name(stem)
        except MotifmixError as error:
            raise DataError(f"{source.path}: {error}") from error
        clip = _clip(stem, name)
        if clip.id in EXCLUDED:
            excluded.append((clip.id, EXCLUDED[clip.id]))
        takes.append(Take(member, replace(clip, reason=EXCLUDED.get(clip.id))))
    without = [
        name for name in source.names
        if name.endswith(".json") and name.removesuffix(".json") + ".bvh" not in stems and "/data/" in name
    ]  # fmt: skip
    for name in without:
        excluded.append(
            ("bandai-" + name.rsplit("/", 1)[-1][8:-5].replace("_", "/", 1), "labelled, but its motion is missing")
        )
    takes = split_bandai(takes)
    return Catalogue("bandai", tuple(takes), tuple(excluded), NOTES, dict(CARD), up="y", units="cm")


NOTES = (
    "Split: in every cell (set 2's contents x styles) the last 12 % of the numbers are the test side, and the one clip before "
    "them is dropped, because neighbours were cut from one take. walk-turn-left and -right of style normal use their first "
    "numbers instead: their last ones share rows with earlier clips and with each other.",
    "Set 1 has one clip a cell; the second walk of each style is the test side (not for normal, whose second walk is an edited "
    "gait loop).",
    "Walking clips that turn against their label were given the label of the turn that they show (flag label_mended).",
    "Start position, start heading and the height of the feet, which tell content and style in the raw files, are taken out "
    "of every clip; the hips' OFFSET, which tells the actor, is never read into the data.",
)


def _clip(stem: str, name: ClipName) -> Clip:
    identity = f"bandai-{name.set_number}/{stem.split('_', 1)[1]}"
    content = MENDED_CONTENTS.get(identity, name.content)
    flags = []
    if content != name.content:
        flags.append("label_mended")
    if name.set_number == 2 and stem.split("_", 1)[1] in CURVED:
        flags.append("curved")
    if name.set_number == 1 and stem.split("_", 1)[1] in ("walk_normal_002", "dash_normal_001", "run_normal_001"):
        flags.append("loop")
    return Clip(
        id=identity, source=f"bandai-{name.set_number}", role="style", split="train", split_group="",
        subject=f"{name.published_style} of set {name.set_number}", frames=0, fps=FPS, content=content, style=name.style,
        flags=tuple(flags), whole_take=False,
    )  # fmt: skip


def _check_labels(source: Source) -> None:
    tables: dict[str, list[str]] = {}
    labels: dict[str, tuple[int, int]] = {}
    for name, data in source.read_all(lambda n: n.endswith("_label.txt") or ("/data/" in n and n.endswith(".json"))):
        try:
            if name.endswith(".txt"):
                tables[name] = [line.strip() for line in data.decode("utf-8").splitlines() if line.strip()]
            else:
                entry = json.loads(data)
                labels[name] = (int(entry["content"]), int(entry["style"]))
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{source.path}: {name} is damaged ({error}); take a fresh copy of the dataset") from error
    for name, (content, style) in labels.items():
        folder = name.split("/data/")[0]
        stem = name.rsplit("/", 1)[-1].removesuffix(".json")
        try:
            prefix = stem.split("_")[0]
            expected = (
                tables[f"{folder}/cfg/content_label.txt"][content].removeprefix(prefix + "_"),
                tables[f"{folder}/cfg/style_label.txt"][style].removeprefix(prefix + "_"),
            )
        except (KeyError, IndexError) as error:
            raise DataError(f"{source.path}: {name} points outside its label files; take a fresh copy") from error
        if tuple(stem.split("_")[1:3]) != expected:
            raise DataError(
                f"{source.path}: {name} is labelled {' '.join(expected)} inside; take a fresh copy of the dataset"
            )


def rest_axes(skeleton: Skeleton) -> dict[str, np.ndarray]:
    """Return the joints' axes in the T-pose, by role.

    Bones lie along the joints' +X on the left and -X on the right, so the rest pose does not stand and no clip holds a
    T-pose: the quarter turns that make one are written down here, once for all clips. (Found clip by clip, a raised or
    twisted hand would decide its own axes.)
    """
    half = np.sqrt(0.5)
    trunk = (0.5, 0.5, 0.5, 0.5)
    turns = {"pelvis": (0.0, 0.0, half, half), "spine2": trunk, "spine3": trunk, "neck": trunk, "head": trunk}
    for side, arm, leg, foot in (
        ("left", (0.0, 0.0, 0.0, 1.0), (0.0, 0.0, half, -half), (0.5, 0.5, 0.5, -0.5)),
        ("right", (1.0, 0.0, 0.0, 0.0), (half, half, 0.0, 0.0), (0.5, 0.5, -0.5, 0.5)),
    ):
        turns |= {f"{side}_{joint}": arm for joint in ("collar", "shoulder", "elbow", "wrist")}
        turns |= {f"{side}_{joint}": leg for joint in ("hip", "knee")}
        turns |= {f"{side}_{joint}": foot for joint in ("ankle", "foot")}
    world = np.tile([0.0, 0.0, 0.0, 1.0], (1, len(skeleton), 1))
    for role, joint in find_joints(skeleton).items():
        if role in turns:
            world[0, joint] = turns[role]
    pose = Motion(skeleton, local_rotations(skeleton, world), np.zeros((1, 3)), FPS)
    return canonical_rotations(skeleton, pose)


def floor_group(clip: Clip) -> str:
    """Return the recording session whose clips share one floor: set and style (the styles were played one by one)."""
    return f"{clip.source} {clip.subject}"
