"""A walk that needs no data, and a writer of BVH texts in every manner that people's exporters have."""

from dataclasses import dataclass

import numpy as np

from motifmix.motion import rotations as rot
from motifmix.motion.kinematics import global_rotations, local_rotations
from motifmix.motion.motion import Motion
from motifmix.motion.skeleton import MOTIFMIX, Skeleton

Z_UP = rot.from_rotvec(np.array([np.pi / 2, 0.0, 0.0]))  # (x, y, z) of a Y-up world to (x, -z, y)


def walk(frames: int = 45, fps: float = 30.0) -> Motion:
    """Somebody who walks along +Z with swinging, hanging arms and turns a little."""
    time = np.arange(frames) / fps
    swing = np.sin(2 * np.pi * time)
    angles = np.zeros((frames, len(MOTIFMIX), 3))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        angles[:, MOTIFMIX.index(f"{side}_hip"), 0] = -0.5 * sign * swing
        angles[:, MOTIFMIX.index(f"{side}_knee"), 0] = 0.4 + 0.4 * sign * np.cos(2 * np.pi * time)
        angles[:, MOTIFMIX.index(f"{side}_shoulder"), 2] = -sign * 1.3
        angles[:, MOTIFMIX.index(f"{side}_shoulder"), 0] = 0.4 * sign * swing
        angles[:, MOTIFMIX.index(f"{side}_elbow"), 1] = -sign * 0.3
    angles[:, 0, 1] = 0.2 * time + 0.1 * swing
    angles[:, MOTIFMIX.index("head"), 1] = 0.3 * swing
    root = np.stack([0.2 * time, 0.93 + 0.02 * np.cos(4 * np.pi * time), 1.2 * time], axis=-1)
    return Motion(MOTIFMIX, rot.from_rotvec(angles), root, fps)


@dataclass
class Manner:
    """How an exporter writes."""

    order: str = "ZXY"
    orders: tuple[str, ...] = ()
    root_channels: str = ""
    positions_everywhere: bool = False
    end_sites: bool = True
    separator: str = " "
    newline: str = "\n"
    number: str = "%.6f"
    frame_time: str = ""
    unit: float = 1.0
    names: tuple[str, ...] = MOTIFMIX.names
    blank_lines: bool = False
    byte_order_mark: bool = False
    whole_turns: bool = False
    frames_line: str = "Frames: {}"


def z_up(motion: Motion, rest_too: bool) -> Motion:
    """The same motion in a Z-up world; ``rest_too`` lays the rest pose along Z as well."""
    world = rot.multiply(Z_UP, global_rotations(motion.skeleton, motion.rotations))
    skeleton = motion.skeleton
    if rest_too:
        ends = {j: tuple(rot.rotate(Z_UP, np.array(end))) for j, end in skeleton.end_offsets.items()}
        skeleton = Skeleton(skeleton.names, skeleton.parents, rot.rotate(Z_UP, skeleton.offsets), ends)
        world = rot.multiply(world, rot.inverse(Z_UP))
    return Motion(skeleton, local_rotations(skeleton, world), rot.rotate(Z_UP, motion.root), motion.fps)


def bvh_text(*people: Motion, manner: Manner | None = None) -> str:
    """Write people as a BVH text, one root each."""
    manner = manner or Manner()
    lines, columns = ["HIERARCHY"], []
    for motion in people:
        _hierarchy(lines, columns, motion, manner, 0, 0)
    rows = np.concatenate(columns, axis=1)
    frame_time = manner.frame_time or f"{1 / people[0].fps:.7f}"
    lines += ["MOTION", manner.frames_line.format(len(rows)), f"Frame Time:{manner.separator}{frame_time}"]
    for row in rows:
        lines.append(manner.separator.join(manner.number % value for value in row))
        lines += [" "] if manner.blank_lines else []
    text = manner.newline.join(lines) + manner.newline
    return "\ufeff" + text if manner.byte_order_mark else text


def _hierarchy(lines: list[str], columns: list[np.ndarray], motion: Motion, manner: Manner, joint: int, depth: int):
    skeleton, tab = motion.skeleton, "\t" * depth
    order = manner.orders[joint % len(manner.orders)] if manner.orders else manner.order
    offset = manner.separator.join(manner.number % v for v in skeleton.offsets[joint] / manner.unit)
    channels = [f"{axis}rotation" for axis in order]
    if joint == 0:
        channels = manner.root_channels.split() or ["Xposition", "Yposition", "Zposition", *channels]
    elif manner.positions_everywhere:
        channels = ["Xposition", "Yposition", "Zposition", *channels]
    lines += [f"{tab}{'JOINT' if joint else 'ROOT'} {manner.names[joint]}", tab + "{"]
    lines += [f"{tab}\tOFFSET {offset}", f"{tab}\tCHANNELS {len(channels)} {' '.join(channels)}"]
    order = "".join(channel[0] for channel in channels if channel.endswith("rotation"))
    angles = rot.to_euler(order, motion.rotations[:, joint])
    if manner.whole_turns:
        angles = angles + 360.0 * np.random.default_rng(joint).integers(-2, 3, size=angles.shape)
    path = motion.root if joint == 0 else np.tile(skeleton.offsets[joint], (motion.frames, 1))
    for channel in channels:
        if channel.endswith("position"):
            columns.append(path[:, "XYZ".index(channel[0]), None] / manner.unit)
        else:
            columns.append(angles[:, order.index(channel[0]), None])
    if not skeleton.children[joint] and manner.end_sites:
        end = manner.separator.join(
            manner.number % (v / manner.unit) for v in skeleton.end_offsets.get(joint, (0, 0, 0))
        )
        lines += [f"{tab}\tEnd Site", tab + "\t{", f"{tab}\t\tOFFSET {end}", tab + "\t}"]
    for child in skeleton.children[joint]:
        _hierarchy(lines, columns, motion, manner, child, depth + 1)
    lines.append(tab + "}")
