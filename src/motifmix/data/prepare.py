"""`prepare`: from a published dataset to the arrays that training reads. Can be interrupted and run again.

Every clip is retargeted to the motifmix skeleton, brought to 30 fps, put with its feet on the floor and moved so that
it starts at the origin looking along +Z: bone lengths, start position, start heading and the height of the feet, which
tell actor, content or style in the raw files, are the same for all. Finished shards stay in ``OUT/.shards`` until the
arrays are written; a second run takes them up. The same source gives the same bytes.
"""

import hashlib
import json
import shutil
import zipfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import yaml

from motifmix.atomic import replacing
from motifmix.data.canonical import canonical, shared_floors, sound_pieces
from motifmix.data.captions import mirror_words
from motifmix.data.events import ACTIONS, event_captions, seat_events
from motifmix.data.labels import ContentLabel, mirrored_content, mirrored_style
from motifmix.data.registry import preparer
from motifmix.data.report import report_text
from motifmix.data.reserved import is_reserved
from motifmix.data.sample import FPS, MIRRORED_SUFFIX, Catalogue, Clip, Take
from motifmix.data.source import Source
from motifmix.errors import DataError, MotifmixError
from motifmix.files.bvh import read_bvh
from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion.contacts import floor_height
from motifmix.motion.retargeting import retarget

LAYOUT_VERSION = 4  # to be raised whenever the same source would give other arrays
SHARD_CLIPS = 64
SHORTEST_FRAMES = 30

Progress = Callable[[int, int], None]


def prepare(
    dataset: str,
    source: Path,
    out: Path,
    *,
    progress: Progress | None = None,
    mirrored: bool = True,
) -> str:
    """Prepare a dataset from its archive or folder into the folder ``out``; return what came of it in a few lines.

    ``progress`` is called with (clips done, clips in all). Raises ``DataError`` when the source is not that dataset, or
    ``out`` holds something else.
    """
    reader = preparer(dataset)
    out = Path(out)
    files = Source(Path(source), reader.MARKER, reader.WHAT)
    catalogue = reader.catalogue(files)
    fingerprint = _fingerprint(files, catalogue)
    if _is_finished(out, fingerprint, mirrored):
        return summary(out)
    shards = _shard_folder(out, fingerprint)
    _write_shards(files, catalogue, shards, progress)
    clips, excluded = _assemble(catalogue, shards, out)
    if mirrored:
        clips = [*clips, *(mirror_line(clip) for clip in clips)]
    card = {
        **catalogue.card, "dataset": catalogue.dataset, "layout": LAYOUT_VERSION, "skeleton": "motifmix", "fps": FPS,
        "source": {"file": files.path.name, "sha256": files.sha256, "is_archive": files.is_archive},
        "fingerprint": fingerprint, "mirrored": mirrored,
    }  # fmt: skip
    _write_text(out / "report.md", report_text(catalogue, clips, excluded))
    _write_text(out / "clips.jsonl", "".join(json.dumps(clip.as_line(), ensure_ascii=False) + "\n" for clip in clips))
    _write_text(out / "card.yaml", yaml.safe_dump(card, sort_keys=False, allow_unicode=True, width=120))
    shutil.rmtree(shards)
    return summary(out)


def summary(out: Path) -> str:
    """Return the figures at the head of the report of a prepared folder."""
    text = (out / "report.md").read_text("utf-8")
    table = [line for line in text.split("## Rules")[0].splitlines() if line.startswith("| ") or "mirrored" in line]
    return "\n".join([*table, f"report: {out / 'report.md'}"])


def mirror_line(clip: Clip) -> Clip:
    """Return the line of a clip's mirror image: same rows, swapped words and labels, on the same side of the split."""
    label = mirrored_content(ContentLabel(clip.content, clip.content_mirrored)) if clip.content else None
    return replace(
        clip,
        id=clip.id + MIRRORED_SUFFIX,
        mirror_of=clip.id,
        content=label.content if label else None,
        content_mirrored=label.mirrored if label else False,
        captions=tuple(mirror_words(caption) for caption in clip.captions),
        partner=clip.partner + MIRRORED_SUFFIX if clip.partner else None,
        style=mirrored_style(clip.style) if clip.style else None,
    )


def _fingerprint(files: Source, catalogue: Catalogue) -> str:
    digest = hashlib.sha256(f"{LAYOUT_VERSION} {files.sha256}".encode())
    for take in catalogue.takes:
        span = f" {take.span}" if take.span else ""
        finds = " seat events" if take.finds_events else ""
        digest.update(f"{take.member}{span}{finds} {json.dumps(take.clip.as_line())}\n".encode())
    return digest.hexdigest()


def _is_finished(out: Path, fingerprint: str, mirrored: bool) -> bool:
    try:
        card = yaml.safe_load((out / "card.yaml").read_text("utf-8"))
    except (OSError, yaml.YAMLError):
        return False
    return isinstance(card, dict) and card.get("fingerprint") == fingerprint and card.get("mirrored") == mirrored


def _shard_folder(out: Path, fingerprint: str) -> Path:
    if out.exists() and not out.is_dir():
        raise DataError(f"{out}: is a file; give a folder for the prepared data")
    known = {"clips.jsonl", "rotations.npy", "root.npy", "report.md", "card.yaml", ".shards", "rotations", "root"}
    strange = (
        [p.name for p in sorted(out.iterdir()) if p.name.removesuffix(".part") not in known] if out.exists() else []
    )
    if strange and not (out / "card.yaml").exists() and not (out / ".shards").exists():
        raise DataError(f"{out}: holds other files ({strange[0]}); give an empty or a new folder for the prepared data")
    shards = out / ".shards"
    mark = shards / "fingerprint"
    try:
        if shards.exists() and (not mark.exists() or mark.read_text() != fingerprint):
            shutil.rmtree(shards)
        shards.mkdir(parents=True, exist_ok=True)
        _write_text(mark, fingerprint)
    except OSError as error:
        raise DataError(f"{out}: cannot be written ({error.strerror}); choose another folder") from error
    return shards


def _write_shards(files: Source, catalogue: Catalogue, shards: Path, progress: Progress | None) -> None:
    """Read all motions in one pass over the source; a shard is a run of clips in the order in which they lie there."""
    reader = preparer(catalogue.dataset)
    takes: dict[str, list[Take]] = defaultdict(list)
    for take in catalogue.takes:
        takes[take.member].append(take)
    order = [name for name in files.order if name in takes]
    shard_of = {name: i // SHARD_CLIPS for i, name in enumerate(order)}
    finished = {i for i in set(shard_of.values()) if _read_shard(shards / f"{i:04d}.npz") is not None}
    done = sum(i in finished for i in shard_of.values())
    pending: dict[str, np.ndarray] = {}
    axes: dict[bytes, dict[str, np.ndarray]] = {}
    left = {i: sum(j == i for j in shard_of.values()) for i in set(shard_of.values()) - finished}
    if progress:
        progress(done, len(order))
    for name, data in files.read_all(lambda n: shard_of.get(n, -1) in left) if left else ():
        index = shard_of[name]
        try:
            motion = read_bvh(data, up=catalogue.up, units=catalogue.units, name=name).people[0]
            body = motion.skeleton.offsets[2:].tobytes()
            if body not in axes:
                axes[body] = reader.rest_axes(motion.skeleton)
            for take in takes[name]:
                carried, _ = retarget(_spanned(motion, take.span), MOTIFMIX, canonical=axes[body])
                carried = carried.resampled(FPS)
                pending[f"{take.clip.id}|rotations"] = carried.rotations.astype(np.float32)
                pending[f"{take.clip.id}|root"] = carried.root.astype(np.float32)
                pending[f"{take.clip.id}|floor"] = np.array(floor_height(carried))
        except (MotifmixError, ValueError) as error:
            raise DataError(
                f"{files.path}: {name} cannot be used: {error}; take a fresh copy of the dataset"
            ) from error
        left[index] -= 1
        if left[index] == 0:
            _write_shard(shards / f"{index:04d}.npz", pending)
            pending = {}
        done += 1
        if progress:
            progress(done, len(order))


def _spanned(motion: Motion, span: tuple[int, int] | None) -> Motion:
    """Return the frames of a span; the last piece of a recording may end a little early. Raises ``ValueError``."""
    if span is None:
        return motion
    first, end = span[0], min(span[1], motion.frames)
    if end - first < (span[1] - span[0]) / 2:
        raise ValueError(f"it has {motion.frames} frames, and the dataset's table names {span[0]} to {span[1]}")
    return motion.cropped(first, end)


def _assemble(catalogue: Catalogue, shards: Path, out: Path) -> tuple[list[Clip], list[tuple[str, str]]]:
    """Write the arrays, clip after clip in the catalogue's order; return the lines and all exclusions."""
    reader = preparer(catalogue.dataset)
    motions: dict[str, np.ndarray] = {}
    for path in sorted(shards.glob("*.npz")):
        motions |= _read_shard(path) or {}
    clips = [take.clip for take in catalogue.takes]
    floors = shared_floors(
        [reader.floor_group(clip) for clip in clips], [float(motions[f"{clip.id}|floor"]) for clip in clips]
    )
    excluded = list(catalogue.excluded)
    lines: list[Clip] = []
    rotations: list[np.ndarray] = []
    roots: list[np.ndarray] = []
    row = 0
    for take, floor in zip(catalogue.takes, floors, strict=True):
        clip = take.clip
        turned, path = motions[f"{clip.id}|rotations"], motions[f"{clip.id}|root"]
        pieces = sound_pieces(turned, SHORTEST_FRAMES) if take.cuts else [(0, len(turned))]
        if not pieces:
            excluded.append((clip.id, "no second without a flip of a joint"))
        for number, (first, end) in enumerate(pieces, 1):
            line = clip if (first, end) == (0, len(turned)) else _piece(clip, number)
            if end - first < SHORTEST_FRAMES and not line.reason:
                why = "shorter than 1 s, the shortest motion that the model makes"
                line = replace(line, split="dropped", reason=why)
                excluded.append((line.id, why))
            a, b = canonical(turned[first:end], path[first:end], floor)
            parts = [(replace(line, frames=end - first), a, b)]
            if take.finds_events and line.text_rule == "none" and line.split != "dropped":
                parts += _segments(line, a, b)
            for part, a, b in parts:
                lines.append(replace(part, start=row))
                rotations.append(a)
                roots.append(b)
                row += part.frames
    _write_array(out / "rotations.npy", np.concatenate(rotations))
    _write_array(out / "root.npy", np.concatenate(roots))
    return lines, excluded


def _piece(clip: Clip, number: int) -> Clip:
    """Return the line of a piece of a take: what is said of the whole take does not hold for it."""
    keeps_text = clip.text_rule == "window"
    return replace(
        clip, id=f"{clip.id}.{number}", whole_take=False, partner=None, captions=clip.captions if keeps_text else (),
        text_rule="window" if keeps_text else "none", text_seconds=clip.text_seconds if keeps_text else 0.0,
    )  # fmt: skip


def _segments(clip: Clip, rotations: np.ndarray, root: np.ndarray) -> list[tuple[Clip, np.ndarray, np.ndarray]]:
    """Return what a clip without text does, each as a clip of its own with rows of its own; the clip itself stays."""
    result = []
    for event in seat_events(Motion(MOTIFMIX, rotations, root, FPS).joints):
        identity = f"{clip.id}.{event.deed.replace(' ', '-')}-{event.first}"
        captions = tuple(text for text in event_captions(event, identity) if not is_reserved(None, text))
        if clip.split == "test":
            captions = captions[:1]  # evaluation shows a clip once for each of its captions
        frames = event.end - event.first
        line = replace(
            clip, id=identity, frames=frames, whole_take=False, partner=None, captions=captions, text_rule="whole",
            text_seconds=round(frames / FPS, 3), actions=ACTIONS[event.deed],
        )  # fmt: skip
        span = slice(event.first, event.end)
        result.append((line, *canonical(rotations[span], root[span], 0.0)))
    return result


def _read_shard(path: Path) -> dict[str, np.ndarray] | None:
    try:
        with np.load(path) as file:
            return {key: file[key] for key in file.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError):
        return None


def _write_shard(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with replacing(path, force=True) as beside:
        np.savez(beside, **arrays)  # pyright: ignore[reportArgumentType]


def _write_array(path: Path, array: np.ndarray) -> None:
    with replacing(path, force=True) as beside:
        np.save(beside, array)


def _write_text(path: Path, text: str) -> None:
    with replacing(path, force=True) as beside:
        beside.write_text(text, "utf-8")
