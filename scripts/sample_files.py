"""Write small files of every kind for the checks that need other programs: ``python sample_files.py FOLDER``.

A made-up walk of two seconds, alone and by two people; no weights and no data are needed.
"""

import sys
from pathlib import Path

import numpy as np

from motifmix.files import write
from motifmix.motion import MOTIFMIX, Motion, Scene
from motifmix.motion import rotations as rot

FPS, FRAMES, SPEED = 30.0, 60, 1.2  # metres a second


def walk() -> Motion:
    """Return a plain walk along +Z with swinging arms, feet near the floor."""
    swing = np.sin(np.linspace(0.0, 4.0 * np.pi, FRAMES))
    lift = np.cos(np.linspace(0.0, 4.0 * np.pi, FRAMES))
    turns = {
        "left_hip": (-0.45 * swing, 0.0),
        "right_hip": (0.45 * swing, 0.0),
        "left_knee": (0.1 + 0.6 * np.clip(lift, 0.0, 1.0), 0.0),
        "right_knee": (0.1 + 0.6 * np.clip(-lift, 0.0, 1.0), 0.0),
        "left_shoulder": (0.4 * swing, -1.3),
        "right_shoulder": (-0.4 * swing, 1.3),
    }
    rotations = np.tile(rot.IDENTITY, (FRAMES, len(MOTIFMIX), 1))
    for name, (about_x, about_z) in turns.items():
        pitch = rot.from_rotvec(np.stack([about_x, 0.0 * swing, 0.0 * swing], axis=-1))
        rotations[:, MOTIFMIX.index(name)] = rot.multiply(pitch, rot.from_rotvec(np.array([0.0, 0.0, about_z])))
    time = np.arange(FRAMES) / FPS
    root = np.stack([0.0 * time, np.full(FRAMES, 0.93), SPEED * time], axis=-1)
    labels = {"text": "a person walks forward", "style": "plain", "credit": "made up for a check"}
    motion = Motion(MOTIFMIX, rotations, root, FPS, labels)
    lowest = motion.joints[:, [MOTIFMIX.index("left_foot"), MOTIFMIX.index("right_foot")], 1].min(axis=1)
    return motion.moved(np.stack([0.0 * time, 0.028 - lowest, 0.0 * time], axis=-1))


def main(folder: Path) -> None:
    """Write the samples and print their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    alone = walk()
    other = alone.turned(np.pi).moved(np.array([0.8, 0.0, 2.6])).cropped(0, 40)
    for name in ("walk.bvh", "walk.glb"):
        print(*write(folder / name, alone, force=True))
    print(*write(folder / "two.glb", Scene((alone, other)), force=True))
    print(*write(folder / "still.glb", alone.cropped(0, 1), force=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
