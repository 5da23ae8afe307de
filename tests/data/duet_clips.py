"""Made-up single clips out of which pairs are put together: people who wave, walk, walk backwards or run."""

import json
from pathlib import Path

import numpy as np
import yaml

from motifmix.data.prepared import Prepared
from motifmix.data.sample import Clip
from motifmix.motion import rotations as rot
from motifmix.motion.skeleton import JOINT_NAMES

SHOULDERS = [JOINT_NAMES.index(f"{side}_shoulder") for side in ("left", "right")]


def gesture(frames, hand=1):
    """A standing person whose one arm goes from the side to above the head and back."""
    raised = np.interp(np.arange(frames), [0, 15, frames - 15, frames - 1], [0.0, 1.0, 1.0, 0.0])
    rotations = np.tile(rot.IDENTITY, (frames, len(JOINT_NAMES), 1))
    for side, joint in enumerate(SHOULDERS):
        sign = -1.0 if side == 0 else 1.0  # from the T-pose down, or up
        angle = 1.3 * sign - 2.3 * sign * raised * (side == hand)
        rotations[:, joint] = rot.from_rotvec(angle[:, None] * np.array([0, 0, 1.0]))
    return rotations, np.tile([0.0, 0.92, 0.0], (frames, 1))


def stride(frames, speed):
    """A person with hanging arms who glides ahead (or back) at ``speed`` metres a second."""
    rotations, root = gesture(frames, hand=2)
    root[:, 2] = np.arange(frames) / 30.0 * speed
    return rotations, root


def prepared_people(folder: Path, clips: int = 6) -> Prepared:
    """A prepared style set: ``clips`` of waving, walking and running on either side, and styles that no pair may show."""
    lines, rotations, root = [], [], []
    kinds = {
        "wave-right-hand": lambda n: gesture(130 + n), "walk": lambda n: stride(130, 1.2 + 0.02 * n),
        "run": lambda n: stride(125, 3.0 + 0.05 * n), "raise-up-both-hands": lambda n: gesture(60),
    }  # fmt: skip
    for split in ("train", "test"):
        for style in ("normal", "elderly"):
            for content, make in kinds.items():
                for number in range(clips if style == "normal" else 2):
                    turned, path = make(number)
                    lines.append(
                        Clip(
                            id=f"bandai-2/{content}_{style}_{split}{number}", source="bandai-2", role="style", split=split,
                            split_group=split, subject="one", frames=len(path), start=sum(map(len, root)), content=content,
                            style=style,
                        ).as_line()
                    )  # fmt: skip
                    rotations.append(turned)
                    root.append(path)
    folder.mkdir(parents=True)
    np.save(folder / "rotations.npy", np.concatenate(rotations).astype(np.float32))
    np.save(folder / "root.npy", np.concatenate(root).astype(np.float32))
    (folder / "clips.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    card = {"credit": "nobody", "licence": "none", "fingerprint": folder.name}
    (folder / "card.yaml").write_text(yaml.safe_dump(card))
    return Prepared(folder)
