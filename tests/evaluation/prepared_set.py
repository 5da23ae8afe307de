"""A prepared folder of made-up clips: every cell, both sides, a few captioned takes."""

import json
from pathlib import Path

import numpy as np
import yaml

from motifmix.data.labels import SET_2_CONTENTS, SET_2_STYLES
from motifmix.data.prepared import Prepared
from motifmix.data.sample import Clip

DEEDS = (
    "jumps over a box", "plays the violin", "swims", "drinks coffee", "kicks a ball", "opens a door", "dances salsa",
    "washes a window",
)  # fmt: skip


def made_up_sets(folder: Path) -> tuple[Prepared, Prepared]:
    rng = np.random.default_rng(0)
    style_clips = [
        ("bandai-2", content, style, split, number)
        for content in SET_2_CONTENTS
        for style in SET_2_STYLES
        for split, number in (("train", 1), ("train", 2), ("test", 3))
        if (content, style) != ("run", "elderly")
    ]
    style_clips += [("bandai-1", c, s, "train", 1) for c in ("walk", "bow") for s in ("sad", "proud")]
    style_clips += [("bandai-1", "walk", s, "test", 2) for s in ("sad", "proud")]
    bandai = [
        dict(
            id=f"{source}/{content}_{style}_{number:03d}", source=source, role="style", split=split, split_group="g",
            subject="?", content=content, style=style,
        )
        for source, content, style, split, number in style_clips
    ]  # fmt: skip
    cmu = [
        dict(
            id=f"cmu/{i:02d}", source="cmu", role="content", split="test" if i % 2 else "train", split_group="g",
            subject=str(i), captions=(f"a person {DEEDS[i % len(DEEDS)]} {i} times",), text_rule="whole", actions=("jump",),
        )
        for i in range(80)
    ]  # fmt: skip
    return (written(folder / "bandai", bandai, rng), written(folder / "cmu", cmu, rng))


def written(folder: Path, lines: list[dict], rng: np.random.Generator) -> Prepared:
    folder.mkdir(parents=True)
    start, rows = 0, []
    for line in lines:
        frames = int(rng.integers(32, 48))
        rows.append(Clip(**line, start=start, frames=frames).as_line())
        start += frames
    rotations = rng.normal(scale=0.05, size=(start, 22, 4)) + np.array([0, 0, 0, 1.0])
    rotations /= np.linalg.norm(rotations, axis=-1, keepdims=True)
    np.save(folder / "rotations.npy", rotations.astype(np.float32))
    root = np.array([0, 0.95, 0]) + rng.normal(scale=0.01, size=(start, 3)).cumsum(axis=0) * np.array([1, 0, 1])
    np.save(folder / "root.npy", root.astype(np.float32))
    (folder / "clips.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "card.yaml").write_text(yaml.safe_dump({"credit": "nobody", "fingerprint": folder.name}))
    return Prepared(folder)
