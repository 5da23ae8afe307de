"""Tiny datasets in the published layouts, written from scratch: the tests need no download."""

import io
import json
import tarfile
import warnings
from pathlib import Path

import numpy as np

BANDAI_JOINTS = (
    ("joint_Root", -1, (0, 0, 0)), ("Hips", 0, (3, 93, -2)), ("Spine", 1, (15.7, 0, 0)), ("Chest", 2, (9, 0, 0)),
    ("Neck", 3, (16.4, 0, 0)), ("Head", 4, (6.5, 0, 0)), ("Shoulder_L", 3, (13, 0, 5)), ("UpperArm_L", 6, (5.3, 0, 0)),
    ("LowerArm_L", 7, (24.3, 0, 0)), ("Hand_L", 8, (22.3, 0, 0)), ("Shoulder_R", 3, (13, 0, -5)),
    ("UpperArm_R", 10, (-5.3, 0, 0)), ("LowerArm_R", 11, (-24.3, 0, 0)), ("Hand_R", 12, (-22.3, 0, 0)),
    ("UpperLeg_L", 1, (-2.2, -6.5, 0)), ("LowerLeg_L", 14, (39.1, 0, 0)), ("Foot_L", 15, (41, 0, 0)),
    ("Toes_L", 16, (11.8, 0, 0)), ("UpperLeg_R", 1, (-2.2, 6.5, 0)), ("LowerLeg_R", 18, (-39.1, 0, 0)),
    ("Foot_R", 19, (-41, 0, 0)), ("Toes_R", 20, (-11.8, 0, 0)),
)  # fmt: skip
CMU_JOINTS = (
    ("root", -1, (0, 0, 0)), ("lhip", 0, (0.059, -0.082, -0.018)), ("lknee", 1, (0.043, -0.386, 0.008)),
    ("lankle", 2, (-0.015, -0.427, -0.037)), ("ltoe", 3, (0.041, -0.06, 0.122)), ("rhip", 0, (-0.06, -0.091, -0.014)),
    ("rknee", 5, (-0.043, -0.384, -0.005)), ("rankle", 6, (0.019, -0.42, -0.035)), ("rtoe", 7, (-0.035, -0.062, 0.13)),
    ("lowerback", 0, (0.004, 0.124, -0.038)), ("upperback", 9, (0.004, 0.138, 0.027)), ("chest", 10, (-0.002, 0.056, 0.003)),
    ("lowerneck", 11, (-0.013, 0.212, -0.033)), ("upperneck", 12, (0.01, 0.089, 0.05)),
    ("lclavicle", 11, (0.072, 0.114, -0.019)), ("lshoulder", 14, (0.123, 0.045, -0.019)),
    ("lelbow", 15, (0.255, -0.016, -0.023)), ("lwrist", 16, (0.266, 0.013, -0.007)),
    ("rclavicle", 11, (-0.083, 0.112, -0.024)), ("rshoulder", 18, (-0.113, 0.047, -0.008)),
    ("relbow", 19, (-0.26, -0.014, -0.031)), ("rwrist", 20, (-0.269, 0.007, -0.006)),
)  # fmt: skip


def bvh(joints, channels, rows, frame_time):
    """Write a hierarchy with ``channels(joint number)`` and rows of numbers as BVH bytes."""
    lines = ["HIERARCHY"]

    def write(joint: int, depth: int) -> None:
        name, parent, offset = joints[joint]
        pad = "\t" * depth
        names = channels(joint)
        lines.extend([f"{pad}{'ROOT' if parent < 0 else 'JOINT'} {name}", pad + "{"])
        lines.append(f"{pad}\tOFFSET {' '.join(map(str, offset))}")
        lines.append(f"{pad}\tCHANNELS {len(names)} {' '.join(names)}")
        children = [c for c, (_, p, _) in enumerate(joints) if p == joint]
        for child in children:
            write(child, depth + 1)
        if not children:
            lines.extend([f"{pad}\tEnd Site", pad + "\t{", f"{pad}\t\tOFFSET 0 0 0", pad + "\t}"])
        lines.append(pad + "}")

    write(0, 0)
    lines += ["MOTION", f"Frames:\t{len(rows)}", f"Frame Time:\t{frame_time}"]
    lines += [" ".join(f"{value:.6f}" for value in row) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def bandai_bvh(frames=40, heading=0.0, start=(0.0, 0.0), lift=0.0, speed=0.0):
    """A standing person of the Bandai-Namco skeleton, ``heading`` degrees from +Z, ``lift`` cm above the floor."""
    names = ("Xposition", "Yposition", "Zposition", "Zrotation", "Xrotation", "Yrotation")
    world = _bandai_world()
    rows = np.zeros((frames, len(BANDAI_JOINTS) * 6))
    for joint, (name, _, offset) in enumerate(BANDAI_JOINTS):
        rows[:, 6 * joint : 6 * joint + 3] = offset
        rows[:, 6 * joint + 3 : 6 * joint + 6] = world[name]
    ahead = np.array([np.sin(np.radians(heading)), np.cos(np.radians(heading))])
    path = np.asarray(start)[None] + np.arange(frames)[:, None] / 30.0 * speed * 100.0 * ahead
    rows[:, 6], rows[:, 7], rows[:, 8] = path[:, 0], 93.0 + lift, path[:, 1]
    rows[:, 9:12] = _turned_hips(heading)
    return bvh(BANDAI_JOINTS, lambda _: names, rows, "0.0333333")


def _bandai_world():
    """Zrotation, Xrotation, Yrotation of each joint that make it stand in a T-pose along +Z (R = Rz Rx Ry)."""
    from scipy.spatial.transform import Rotation

    half = np.sqrt(0.5)
    trunk = Rotation.from_quat([0.5, 0.5, 0.5, 0.5])
    axes = {"joint_Root": Rotation.identity(), "Hips": Rotation.from_quat([0, 0, half, half])}
    axes |= dict.fromkeys(("Spine", "Chest", "Neck", "Head"), trunk)
    for side, arm, leg, foot in (
        ("L", [0, 0, 0, 1], [0, 0, half, -half], [0.415, 0.415, 0.573, -0.573]),
        ("R", [1, 0, 0, 0], [half, half, 0, 0], [0.573, 0.573, -0.415, 0.415]),
    ):
        axes |= dict.fromkeys(
            (f"Shoulder_{side}", f"UpperArm_{side}", f"LowerArm_{side}", f"Hand_{side}"), Rotation.from_quat(arm)
        )
        axes |= dict.fromkeys((f"UpperLeg_{side}", f"LowerLeg_{side}"), Rotation.from_quat(leg))
        axes |= dict.fromkeys((f"Foot_{side}", f"Toes_{side}"), Rotation.from_quat(foot))
    local = {}
    for name, parent, _ in BANDAI_JOINTS:
        above = axes[BANDAI_JOINTS[parent][0]] if parent >= 0 else Rotation.identity()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # quarter turns split at gimbal lock as well as anywhere
            local[name] = (above.inv() * axes[name]).as_euler("ZXY", degrees=True)
    return local


def _turned_hips(heading):
    from scipy.spatial.transform import Rotation

    half = np.sqrt(0.5)
    return (Rotation.from_euler("Y", heading, degrees=True) * Rotation.from_quat([0, 0, half, half])).as_euler(
        "ZXY", degrees=True
    )


def bandai_files(clips):
    """Map paths to bytes for a dataset with ``clips``: {"dataset-2_walk_active_001": keywords of bandai_bvh}."""
    from motifmix.data.labels import SET_1_CONTENTS, SET_1_STYLES, SET_2_CONTENTS, SET_2_STYLES

    files = {}
    for number, contents, styles in ((1, SET_1_CONTENTS, SET_1_STYLES), (2, SET_2_CONTENTS, SET_2_STYLES)):
        folder = f"Bandai-Namco-Research-Motiondataset/dataset/Bandai-Namco-Research-Motiondataset-{number}"
        for kind, labels in (("content", contents), ("style", styles)):
            files[f"{folder}/cfg/{kind}_label.txt"] = "\n".join(
                f"dataset-{number}_{label}" for label in labels
            ).encode()
        for stem, keywords in clips.items():
            if not stem.startswith(f"dataset-{number}_"):
                continue
            _, content, style, _ = stem.split("_")
            entry = {"content": contents.index(content), "style": styles.index(style)}
            files[f"{folder}/data/{stem}.json"] = json.dumps(entry).encode()
            if keywords is not None:
                files[f"{folder}/data/{stem}.bvh"] = bandai_bvh(**keywords)
    return files


def cmu_bvh(frames=60, heading=0.0, start=(1.0, -2.0), lift=0.0, speed=1.0, flip_at=None, heights=0.0):
    """A person of the CMU archive's skeleton who glides ahead in a Z-up world; ``flip_at`` flips a wrist from then on.

    ``heights`` (metres, one a frame or one) are added to those of the whole body.
    """
    from scipy.spatial.transform import Rotation

    # The usual Y-up world is (x, z, -y) of this one; a heading of 0 looks along +Z there, -Y here.
    upright = Rotation.from_euler("X", 90, degrees=True) * Rotation.from_euler("Y", heading, degrees=True)
    rows = np.zeros((frames, 69))
    ahead = upright.apply([0.0, 0.0, 1.0])
    rows[:, :3] = np.array([*start, 1.0 + lift]) + np.arange(frames)[:, None] / 30.0 * speed * ahead
    rows[:, 2] += heights
    rows[:, 3:6] = upright.as_euler("ZYX", degrees=True)
    if flip_at is not None:
        rows[flip_at:, 6 + 3 * 16] = 170.0
    names = ("Zrotation", "Yrotation", "Xrotation")
    root = ("Xposition", "Yposition", "Zposition", *names)
    return bvh(CMU_JOINTS, lambda joint: names if joint else root, rows, "0.033333")


def cmu_entry(
    clip,
    text="a person walks forward",
    *,
    seconds=2.0,
    description="walk",
    source="cmu_rule",
    kit_id=None,
    flags=(),
    partner=None,
):
    """One entry of captions.json."""
    texts = [text] if isinstance(text, str) else list(text)
    kit = [{"id": kit_id or f"99999_{i}", "text": t, "start_s": 0.0, "end_s": seconds} for i, t in enumerate(texts)]
    return {
        "clip": clip, "file": f"bvh/{clip.split('_')[0]}/{clip}.bvh", "subject": clip.split("_")[0], "trial": int(clip.split("_")[1]),
        "frames": round(seconds * 30), "seconds": seconds, "cmu_description": description, "kit": kit if source == "kit" else [],
        "humanml3d": [], "two_person": partner, "same_recording": [], "flags": list(flags), "numbers": {},
        "texts": [{"text": t, "start_s": 0.0, "end_s": seconds, "source": source} for t in texts],
    }  # fmt: skip


def cmu_files(entries, motions=None):
    """Map paths to bytes for a dataset with these entries; ``motions`` gives keywords of cmu_bvh by clip."""
    files = {"cmu-mocap-30fps/captions.json": json.dumps({"about": "", "clips": entries, "not_included": []}).encode()}
    files["cmu-mocap-30fps/pairs.json"] = json.dumps({"about": "", "pairs": []}).encode()
    for entry in entries:
        keywords = {"frames": entry["frames"], **(motions or {}).get(entry["clip"], {})}
        files[f"cmu-mocap-30fps/{entry['file']}"] = cmu_bvh(**keywords)
    return files


def write_folder(files, folder: Path) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def write_archive(files, path: Path) -> Path:
    with tarfile.open(path, "w:xz", preset=0) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path
