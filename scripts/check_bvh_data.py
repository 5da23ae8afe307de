"""Read every BVH of the archives without being told unit or axis, check the person, carry it over, write and read it.

    python scripts/check_bvh_data.py ../shared/data [--every 1] [--only salsa]

Prints a line per archive and every clip that fails; exits with 1 when one does. About 15 minutes on one core.
"""

import argparse
import json
import sys
import tarfile
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from motifmix.files.bvh import read_bvh, write_bvh
from motifmix.motion import rotations as rot
from motifmix.motion.anatomy import bone_height, require_person
from motifmix.motion.motion import Motion
from motifmix.motion.retargeting import LIMBS, retarget
from motifmix.motion.skeleton import LEFT_TOE, MOTIFMIX, RIGHT_TOE

# Archive: the up axis of its files, and the units that are right for them.
ARCHIVES = {
    "bandai-namco-motiondataset": ("y", {"cm"}),
    "cmu-mocap-30fps": ("z", {"m"}),
    "cmu-salsa-pairs": ("y", {"normalised"}),
    "cmu-sample": ("y", {"cm"}),
    "misc-clips": ("y", {"cm", "cmu", "normalised"}),
}
# Degrees between source and result of a retargeting: the lines of a body bend inside it, limbs do not.
MOST_DEGREES = {"hips": 15.0, "shoulders": 15.0, "trunk": 20.0, "limbs": 1.0}
TOES = (-0.03, 0.06)  # metres above the floor, after grounding
# Takes without a flat floor: by the flags of an archive's captions.json, and one whose description says so.
NO_FLOOR_FLAGS = {"no_floor", "floor_not_flat", "floor_offset", "upside_down"}
NO_FLOOR = {"003_02.bvh"}  # "walk on uneven terrain"
Z_UP = ("dab.bvh", "wave_hello.bvh")  # the two of misc-clips whose world is Z up


@dataclass
class Tally:
    clips: int = 0
    failures: list[str] = field(default_factory=list)
    heights: list[float] = field(default_factory=list)
    forward: list[float] = field(default_factory=list)
    lead_ins: int = 0
    worst_millimetres: float = 0.0
    worst_degrees: float = 0.0
    worst_carried: dict[str, tuple[float, str]] = field(default_factory=dict)
    toes: dict[str, float] = field(default_factory=dict)
    rates: Counter[float] = field(default_factory=Counter)


def check(data: bytes, name: str, up: str, units: set[str], tally: Tally) -> None:
    motion = read_bvh(data, name=name).people[0]
    source = motion.labels["source"]
    roles = require_person(motion.skeleton, name)
    height = bone_height(motion.skeleton, roles) or 0.0
    tally.clips += 1
    tally.rates[round(motion.fps, 3)] += 1
    tally.heights.append(height)
    tally.lead_ins += "t_pose_frames" in motion.labels
    if source["up"] != up:
        tally.failures.append(f"{name}: up is {source['up']}, not {up} {source['warnings']}")
    if source["units"] not in units or not 1.4 <= height <= 2.0:
        tally.failures.append(f"{name}: {height:.2f} m tall in {source['units']}")
    toes, along = facing(motion, roles)
    if toes is not None and toes < -0.3:  # a sprinter's toes point down; turned about they would read -1.5
        tally.failures.append(f"{name}: the toes point backwards ({toes:.2f})")
    if along is not None:
        tally.forward.append(along)
        if (is_straight_walk(name) and along < 0.7) or ("walk-back" in name and along > -0.5):
            tally.failures.append(f"{name}: moves the wrong way ({along:.2f} of the way ahead)")
    millimetres, degrees = round_trip(motion)
    tally.worst_millimetres = max(tally.worst_millimetres, millimetres)
    tally.worst_degrees = max(tally.worst_degrees, degrees)
    check_carried(motion, roles, name, tally)
    if millimetres > 1.0 or degrees > 0.1:
        tally.failures.append(
            f"{name}: written and read again it is off by {millimetres:.2f} mm, {degrees:.3f} degrees"
        )


def check_carried(motion: Motion, roles: dict[str, int], name: str, tally: Tally) -> None:
    """Retarget to the motifmix skeleton: the body's lines keep their directions, and grounding puts the toes down."""
    carried, _ = retarget(motion)
    ours = {role: MOTIFMIX.index(role) for role in roles if role in MOTIFMIX.names}
    before = body_lines(motion.joints, roles)
    after = body_lines(carried.joints, ours)
    first = len(motion.labels.get("t_pose_frames", ()))
    for line, most in MOST_DEGREES.items():
        cosines = np.clip((before[line] * after[line]).sum(-1), -1.0, 1.0)
        degrees = float(np.degrees(np.arccos(cosines))[:, first:].max())
        tally.worst_carried[line] = max(tally.worst_carried.get(line, (0.0, "")), (degrees, Path(name).name))
        if degrees > most:
            tally.failures.append(f"{name}: carried over, the {line} are off by {degrees:.1f} degrees")
    toes = carried.grounded().joints[first:, [LEFT_TOE, RIGHT_TOE], 1].min(axis=1)
    tally.toes[Path(name).name] = float(np.percentile(toes, 5))


def check_toes(tally: Tally, no_floor: set[str]) -> str:
    """Say how high the toes of a grounded take are at worst; takes without a flat floor say nothing."""
    heights = {name: height for name, height in tally.toes.items() if name not in no_floor}
    for name, height in heights.items():
        if not TOES[0] <= height <= TOES[1]:
            tally.failures.append(f"{name}: carried over and grounded, the toes are {100.0 * height:.1f} cm high")
    worst = sorted(heights.items(), key=lambda item: item[1])
    return ", ".join(f"{100.0 * height:.1f} cm ({name})" for name, height in (worst[0], worst[-1])) if worst else "-"


def body_lines(joints: np.ndarray, roles: dict[str, int]) -> dict[str, np.ndarray]:
    """Unit vectors ``[lines, T, 3]`` of the hips, the shoulders, the trunk and all limbs."""

    def between(upper: str, lower: str) -> np.ndarray:
        line = joints[:, roles[lower]] - joints[:, roles[upper]]
        return line / np.maximum(np.linalg.norm(line, axis=-1, keepdims=True), 1e-9)

    trunk = joints[:, roles["neck"]] - 0.5 * (joints[:, roles["left_hip"]] + joints[:, roles["right_hip"]])
    return {
        "hips": between("right_hip", "left_hip")[None],
        "shoulders": between("right_shoulder", "left_shoulder")[None],
        "trunk": (trunk / np.linalg.norm(trunk, axis=-1, keepdims=True))[None],
        "limbs": np.stack([between(upper, lower) for upper, lower in LIMBS.items()]),
    }


def is_straight_walk(name: str) -> bool:
    return any(f"_{content}_" in name for content in ("walk", "run", "dash"))


def facing(motion: Motion, roles: dict[str, int]) -> tuple[float | None, float | None]:
    """How far toes point ahead of the body (median cosine), and which part of the way the body goes ahead."""
    joints = motion.joints[len(motion.labels.get("t_pose_frames", ())) :]
    left = joints[:, roles["left_hip"]] - joints[:, roles["right_hip"]]
    up = joints[:, roles["neck"]] - 0.5 * (joints[:, roles["left_hip"]] + joints[:, roles["right_hip"]])
    ahead = np.cross(left, up)
    ahead /= np.maximum(np.linalg.norm(ahead, axis=-1, keepdims=True), 1e-9)
    toes = None
    if {"left_foot", "right_foot"} <= roles.keys():
        feet = [joints[:, roles[f"{s}_foot"]] - joints[:, roles[f"{s}_ankle"]] for s in ("left", "right")]
        lengths = [np.linalg.norm(foot, axis=-1).clip(1e-9) for foot in feet]
        cosines = sum((f * ahead).sum(-1) / n for f, n in zip(feet, lengths, strict=True))
        standing = up[:, 1] > 0.8 * np.linalg.norm(up, axis=-1)
        toes = float(np.median(cosines[standing])) if standing.any() else None
    steps = np.diff(joints[:, roles["pelvis"]], axis=0)[:, [0, 2]]
    way = float(np.linalg.norm(steps, axis=-1).sum())
    straight = float(np.linalg.norm(steps.sum(0)))
    if way < 1.5 or straight < 0.8 * way:
        return toes, None
    return toes, float((steps * ahead[1:, [0, 2]]).sum() / way)


def round_trip(motion: Motion) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        (path,) = write_bvh(Path(folder) / "again.bvh", motion, fps=None)
        again = read_bvh(path).people[0]
    same = (again.skeleton.names, again.skeleton.parents, again.frames) == (
        motion.skeleton.names,
        motion.skeleton.parents,
        motion.frames,
    )
    if not same or abs(again.fps - motion.fps) > 0.01:
        return np.inf, np.inf
    millimetres = 1000.0 * float(np.linalg.norm(again.joints - motion.joints, axis=-1).max())
    return millimetres, float(np.degrees(rot.angle_between(again.rotations, motion.rotations).max()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1, help="check every n-th file")
    parser.add_argument("--only", default="", help="archives whose name contains this")
    options = parser.parse_args()
    failed = False
    for archive, (up, units) in ARCHIVES.items():
        if options.only not in archive:
            continue
        tally, seen, no_floor = Tally(), 0, set(NO_FLOOR)
        with tarfile.open(options.folder / f"{archive}.tar.xz", "r|xz") as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isfile() else None
                if content is not None and member.name.endswith("/captions.json"):
                    entries = json.load(content)["clips"]
                    no_floor |= {f"{entry['clip']}.bvh" for entry in entries if NO_FLOOR_FLAGS & set(entry["flags"])}
                if not member.name.endswith(".bvh"):
                    continue
                seen += 1
                if content is not None and seen % options.every == 0:
                    axis = "z" if member.name.endswith(Z_UP) else up
                    check(content.read(), member.name, axis, units, tally)
        toes = check_toes(tally, no_floor)
        ahead = np.array(tally.forward or [np.nan])
        print(
            f"{archive}: {tally.clips} clips, {len(tally.failures)} failures; {min(tally.heights):.2f} to "
            f"{max(tally.heights):.2f} m tall; {tally.lead_ins} with a T-pose in front; {len(tally.forward)} travel, "
            f"{(ahead > 0).sum()} of them ahead; again: {tally.worst_millimetres:.4f} mm, "
            f"{tally.worst_degrees:.5f} degrees; rates {dict(tally.rates)}",
            flush=True,
        )
        print(
            "  carried over, at worst:",
            "; ".join(f"{line} {worst:.1f} degrees ({clip})" for line, (worst, clip) in tally.worst_carried.items())
            + f"; toes at {toes}",
            flush=True,
        )
        print(*(f"  {failure}" for failure in tally.failures), sep="\n", end="\n" if tally.failures else "")
        failed |= bool(tally.failures)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
