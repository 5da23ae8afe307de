"""`describe`: the contents x styles table, the lengths and the words of a prepared folder, drawn and told."""

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from motifmix.data.captions import captions
from motifmix.data.prepared import Prepared
from motifmix.data.sample import Clip
from motifmix.drawing.charts import heat_table

_SECONDS = (0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 60, 200)
_MOST_ROWS = 40
_SMALL_WORDS = frozenset(
    {
        "a",
        "an",
        "the",
        "of",
        "to",
        "in",
        "on",
        "with",
        "and",
        "or",
        "is",
        "are",
        "his",
        "her",
        "its",
        "their",
        "while",
        "as",
    }
    | {"by", "at", "from", "for", "it", "he", "she"}
)


def describe(folder: Path | str, out: Path | str | None = None) -> str:
    """Draw ``table.png``, ``lengths.png`` and ``words.png`` into ``out`` (the folder itself) and return the figures as text.

    Mirrored twins and dropped clips are not counted. Raises ``DataError`` when the folder is no prepared data.
    """
    data = Prepared(folder)
    out = Path(out) if out else data.folder
    out.mkdir(parents=True, exist_ok=True)
    clips = data.select(split=None, mirrored=False)
    pictures = [_table(clips, out), _lengths(clips, out), _words(clips, out)]
    lines = [f"{data.card.get('name', data.folder.name)}"]
    for side in ("train", "test"):
        those = [clip for clip in clips if clip.split == side]
        hours = sum(clip.seconds for clip in those) / 3600
        named = sum(bool(clip.captions or clip.content) for clip in those)
        lines.append(f"{side:8}{len(those):6} clips {hours:7.2f} h {named:6} with a caption or a label")
    dropped = sum(clip.split == "dropped" and clip.mirror_of is None for clip in data.clips)
    lines.append(f"{'left out':8}{dropped:6} clips, see {data.folder / 'report.md'}")
    seconds = np.array([clip.seconds for clip in clips] or [0.0])
    lines.append(
        "seconds a clip: median {:.1f}, 5 % below {:.1f}, 5 % above {:.1f}".format(*np.percentile(seconds, (50, 5, 95)))
    )
    lines.append("known: " + ", ".join(f"{name} {n}" for name, n in data.content_counts(None).items()))
    lines += [f"drawn: {picture}" for picture in pictures]
    return "\n".join(lines)


def _table(clips: Sequence[Clip], out: Path) -> Path:
    """Contents x styles for a style set; for a content set, actions x (train, test, with text)."""
    if any(clip.style for clip in clips):
        rows = sorted({clip.content or "" for clip in clips})
        columns = sorted({clip.style or "" for clip in clips})
        count = Counter((clip.content or "", clip.style or "") for clip in clips)
        values = np.array([[count.get((row, column), np.nan) for column in columns] for row in rows], dtype=float)
        return heat_table(values, rows, columns, out / "table.png", title="clips: contents x styles")
    total: Counter[str] = Counter(tag for clip in clips for tag in clip.actions)
    rows = [tag for tag, _ in total.most_common(_MOST_ROWS)]
    columns = ["train", "test", "with text"]
    values = np.zeros((len(rows), 3))
    for clip in clips:
        for tag in clip.actions:
            if tag in rows:
                values[rows.index(tag)] += [clip.split == "train", clip.split == "test", bool(clip.captions)]
    return heat_table(values, rows, columns, out / "table.png", title="clips: actions")


def _lengths(clips: Sequence[Clip], out: Path) -> Path:
    kind = Counter(label for clip in clips for label in _labels(clip))
    rows = [label for label, _ in kind.most_common(_MOST_ROWS)]
    columns = [f"{a}-{b} s" for a, b in itertools.pairwise(_SECONDS)]
    values = np.zeros((len(rows), len(columns)))
    for clip in clips:
        place = min(int(np.searchsorted(_SECONDS, clip.seconds, side="right")) - 1, len(columns) - 1)
        for label in _labels(clip):
            if label in rows:
                values[rows.index(label), place] += 1
    return heat_table(np.where(values, values, np.nan), rows, columns, out / "lengths.png", title="clips by length")


def _words(clips: Sequence[Clip], out: Path) -> Path:
    counts: dict[str, Counter[str]] = {"train": Counter(), "test": Counter()}
    for clip in clips:
        texts = clip.captions or (
            captions(clip.content, clip.content_mirrored) if clip.role == "style" and clip.content else ()
        )
        words = {word for text in texts for word in re.findall(r"[a-z']+", text.casefold())} - _SMALL_WORDS
        counts[clip.split].update(words)
    rows = [word for word, _ in (counts["train"] + counts["test"]).most_common(_MOST_ROWS)]
    values = np.array([[counts[side][word] for side in ("train", "test")] for word in rows], dtype=float).reshape(-1, 2)
    if not rows:
        rows, values = ["(no text)"], np.zeros((1, 2))
    return heat_table(values, rows, ["train", "test"], out / "words.png", title="words of the captions (clips)")


def _labels(clip: Clip) -> tuple[str, ...]:
    return (clip.content,) if clip.content else clip.actions
