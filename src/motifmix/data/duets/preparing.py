"""`prepare_duets`: choreographed and recorded pairs as a folder in InterHuman's published layout, with card and report.

Beside the layout stand ``duets.jsonl`` (a line a pair: clips, side, what is held out, where and when), ``card.yaml``,
``report.md``, ``sheet.png``, and mean and deviation of the training side. The same data and seed give the same pairs, bit for bit.
"""

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from motifmix.data.duets.choreography import Choreographer, Duet, Side
from motifmix.data.duets.interactions import INTERACTIONS, Interaction
from motifmix.data.duets.parts import Pool, takes
from motifmix.data.duets.recorded import recorded_pairs
from motifmix.data.duets.reporting import card_of, draw_sheet, report_of
from motifmix.data.duets.words import content_words, interaction_words
from motifmix.data.interhuman_export import pair_contents, pair_paths
from motifmix.data.prepared import Prepared
from motifmix.errors import DataError
from motifmix.features.interhuman import extract_pair, load_person, stored_person
from motifmix.motion import Scene
from motifmix.motion.capsules import clearance

LAYOUT_VERSION = 1
CAPTIONS = 3
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Counts:
    """Pairs of every type on every side."""

    train: int = 100
    val: int = 4
    test: int = 10


FOREIGN_COUNTS = Counts(train=6, val=1, test=3)  # of every variant
STYLED_COUNTS = Counts(train=40, val=4, test=6)


@dataclass
class _Written:
    """What has been written: ids by list, lines, sums for mean and deviation, scenes for the sheet."""

    lists: dict[str, list[str]] = field(default_factory=lambda: {"train": [], "val": [], "test": []})
    lines: list[dict[str, Any]] = field(default_factory=list)
    rows: list[np.ndarray] = field(default_factory=list)
    shown: list[tuple[str, Scene]] = field(default_factory=list)


def prepare_duets(
    out: Path,
    *,
    sets: Sequence[Path],
    recordings: Sequence[Path] = (),
    counts: Counts | None = None,
    interactions: Sequence[Interaction] = INTERACTIONS,
    pools: dict[str, Pool] | None = None,
    note: str = "",
    seed: int = 0,
    force: bool = False,
    progress: Progress | None = None,
) -> str:
    """Choreograph pairs out of the prepared ``sets``, add the recorded ones, and write the folder ``out``.

    Returns the head of its report. The folder appears when all is written. Raises ``DataError`` when a set is not
    prepared, when ``out`` holds something (``force`` replaces pairs that were prepared before), or when a type yields
    no pair for training or test; variants of a type (``foreign.py``, ``styled.py``) may yield none. ``pools``: what plays the
    parts; ``note``: what is special in these pairs, for their card.
    """
    counts, out = counts or Counts(), Path(out)
    _check_place(out, force)
    prepared = [Prepared(folder) for folder in sets]
    choreographer = Choreographer(takes(prepared, pools))
    for interaction in interactions:
        missing = [part for part in (interaction.first, interaction.second) if not choreographer.takes.get(part)]
        if missing:
            raise DataError(
                f"{interaction.name}: no clip of the prepared sets can play {missing[0]!r}; prepare whole sets"
            )
    beside = out.with_name(f".{out.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        _make_folders(beside, out)
        report = _fill(beside, choreographer, prepared, recordings, interactions, counts, seed, progress, note)
        shutil.rmtree(out, ignore_errors=True)
        beside.rename(out)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    head = [line for line in report.split("## Types")[0].splitlines() if line.startswith("| ")]
    return "\n".join([*head, f"report: {out / 'report.md'}", f"pictures: {out / 'sheet.png'}"])


def _make_folders(beside: Path, out: Path) -> None:
    try:
        for part in ("motions_processed", "annots_individual"):
            for person in ("person1", "person2"):
                (beside / part / person).mkdir(parents=True)
        for part in ("annots", "split"):
            (beside / part).mkdir()
    except OSError as error:
        raise DataError(f"{out}: cannot be written ({error.strerror}); choose another folder") from error


def _fill(
    beside: Path,
    choreographer: Choreographer,
    prepared: Sequence[Prepared],
    recordings: Sequence[Path],
    interactions: Sequence[Interaction],
    counts: Counts,
    seed: int,
    progress: Progress | None,
    note: str,
) -> str:
    """Write everything and return the report."""
    began, written = time.monotonic(), _Written()
    for number, interaction in enumerate(interactions):
        if progress:
            progress(number, len(interactions) + 1)
        _write_type(beside, choreographer, interaction, counts, seed, written)
    for archive in recordings:
        _write_recorded(beside, archive, written)
    # Shuffled, so that whoever looks at the first of a list sees all types.
    rng = np.random.default_rng([seed, 7])
    for name, ids in written.lists.items():
        mixed = [ids[int(i)] for i in rng.permutation(len(ids))]
        (beside / "split" / f"{name}.txt").write_text("".join(f"{each}\n" for each in mixed), "utf-8")
    rows = np.concatenate(written.rows).astype(np.float64)
    np.save(beside / "global_mean.npy", rows.mean(axis=0).astype(np.float32))
    np.save(beside / "global_std.npy", np.maximum(rows.std(axis=0), 1e-3).astype(np.float32))
    lines = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in written.lines)
    (beside / "duets.jsonl").write_text(lines, "utf-8")
    card = card_of(prepared, written.lines, seed, LAYOUT_VERSION, note)
    (beside / "card.yaml").write_text(yaml.safe_dump(card, sort_keys=False, allow_unicode=True, width=120), "utf-8")
    draw_sheet(written.shown, beside / "sheet.png")
    report = report_of(written.lines, choreographer, interactions, prepared, time.monotonic() - began, note)
    (beside / "report.md").write_text(report, "utf-8")
    return report


def _check_place(out: Path, force: bool) -> None:
    if not out.exists():
        return
    if not out.is_dir() or (any(out.iterdir()) and not (out / "duets.jsonl").exists()):
        raise DataError(f"{out}: holds something else; give a new or an empty folder for the pairs")
    if any(out.iterdir()) and not force:
        raise DataError(
            f"{out}: holds prepared pairs, which are kept; choose another folder, or --force to replace them"
        )


def _write_type(
    folder: Path, choreographer: Choreographer, interaction: Interaction, counts: Counts, seed: int, written: _Written
) -> None:
    sides: tuple[tuple[Side, int], ...] = (("train", counts.train), ("val", counts.val), ("test", counts.test))
    for side, count in sides:
        rng = np.random.default_rng([seed, *interaction.name.encode(), *side.encode()])
        drawn = 0
        for number in range(count):
            duet = choreographer.draw(interaction, side, rng)
            if duet is None:
                break
            _write_duet(folder, f"{interaction.name}_{side}_{number:03d}", interaction.told_as, duet, rng, written)
            drawn += 1
        if not drawn and count and side != "val" and not interaction.type:
            raise DataError(
                f"{interaction.name}: the prepared sets give no pair for {side} "
                f"({', '.join(f'{why} {n} times' for why, n in choreographer.rejected.items())}); prepare whole sets"
            )


def _write_duet(folder: Path, name: str, told_as: str, duet: Duet, rng: np.random.Generator, written: _Written) -> None:
    unseen = duet.side != "train"
    texts = interaction_words(told_as).drawn(rng, CAPTIONS, unseen=unseen)
    alone = [content_words(take.content).drawn(rng, CAPTIONS, unseen=unseen) for take in duet.takes]
    _write_pair(folder, name, duet.scene, texts, alone, written, train=duet.side == "train")
    written.lists[duet.side].append(name)
    if duet.side == "train" and sum(title.startswith(f"{told_as}:") for title, _ in written.shown) < 2:
        written.shown.append((f"{told_as}: {texts[0]}", duet.scene))
    written.lines.append(
        {
            "id": name, "interaction": told_as, "kind": "choreographed", "split": duet.side,
            "held_out": duet.held_out, "clips": [take.clip for take in duet.takes],
            "mirrored": [take.mirrored for take in duet.takes], "contents": [take.content.content for take in duet.takes],
            "unseen_captions": unseen, **duet.facts,
        }
    )  # fmt: skip


def _write_recorded(folder: Path, archive: Path, written: _Written) -> None:
    """Recorded takes of the training side stand in ``train``, those of the test side in a list of their own."""
    for pair in recorded_pairs(archive):
        name = f"recorded_{pair.id}"
        training = pair.split == "train"
        alone = [[text] for text in pair.individual_texts]
        _write_pair(folder, name, pair.scene, [pair.text], alone, written, train=training)
        written.lists.setdefault("train" if training else "recorded_test", []).append(name)
        one, other = pair.scene
        apart = np.linalg.norm((one.root - other.root)[:, [0, 2]], axis=-1)
        written.shown += [(f"{name}: {pair.text}", pair.scene)] if len(written.shown) < 200 else []
        written.lines.append(
            {
                "id": name, "interaction": "recorded", "kind": "recorded", "split": pair.split,
                "clips": list(pair.clips), "frames": one.frames,
                "least_air_m": round(float(clearance(one, other).min()), 4),
                "pelvis_distance_m": [round(float(f(apart)), 3) for f in (np.min, np.median, np.max)],
            }
        )  # fmt: skip


def _write_pair(
    folder: Path, name: str, scene: Scene, texts: list[str], alone: list[list[str]], written: _Written, *, train: bool
) -> None:
    stored = [stored_person(person) for person in scene]
    for path, content in zip(pair_paths(name), pair_contents(stored, texts, alone), strict=True):
        (folder / path).write_bytes(content)
    if train:
        pair = extract_pair(*(load_person(array) for array in stored))
        written.rows += [pair.first.features.astype(np.float32), pair.placed.astype(np.float32)]
