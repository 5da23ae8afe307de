"""The report of a preparation: what is in the folder, what was left out, and why."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from motifmix.data.sample import Catalogue, Clip


def report_text(catalogue: Catalogue, clips: Sequence[Clip], excluded: Sequence[tuple[str, str]]) -> str:
    """Return the report as markdown. ``clips`` are all lines; mirrored twins are counted apart."""
    own = [clip for clip in clips if clip.mirror_of is None]
    lines = [f"# Prepared: {catalogue.card.get('name', catalogue.dataset)}", ""]
    lines += [catalogue.card.get("credit", ""), "", f"Licence: {catalogue.card.get('licence', '')}.", ""]
    lines += ["## How much", "", "| side | clips | hours | frames | groups |", "|---|---|---|---|---|"]
    for side in ("train", "test", "dropped"):
        those = [clip for clip in own if clip.split == side]
        frames = sum(clip.frames for clip in those)
        groups = len({clip.split_group for clip in those})
        lines.append(f"| {side} | {len(those)} | {frames / 30 / 3600:.2f} | {frames} | {groups} |")
    lines += ["", f"{len(clips) - len(own)} mirrored clips stand beside them, on the side of their twins.", ""]
    if any(clip.role == "content" for clip in own):
        lines += _text_lines(own)
    lines += ["## Rules", "", *(f"- {note}" for note in catalogue.notes), ""]
    lines += _excluded_lines(own, excluded)
    return "\n".join(lines).rstrip() + "\n"


def _text_lines(own: Sequence[Clip]) -> list[str]:
    lines = ["## Captions", "", "| rule | clips | hours | captions |", "|---|---|---|---|"]
    for rule in ("whole", "window", "none"):
        those = [clip for clip in own if clip.text_rule == rule and clip.split != "dropped"]
        hours = sum(clip.seconds for clip in those) / 3600
        lines.append(f"| {rule} | {len(those)} | {hours:.2f} | {sum(len(clip.captions) for clip in those)} |")
    without = [clip for clip in own if not clip.contacts and clip.split != "dropped"]
    lines += [
        "",
        f"{len(without)} clips are kept without contacts (they stand on something, hang, swim or turn over).",
        "",
    ]
    counts: dict[str, Counter[str]] = {side: Counter() for side in ("train", "test")}
    for clip in own:
        if clip.split in counts:
            counts[clip.split].update(clip.actions)
    lines += ["Actions named (clips, train / test): ", ""]
    lines += [", ".join(f"{tag} {n} / {counts['test'][tag]}" for tag, n in counts["train"].most_common()) + ".", ""]
    vanished = sorted({tag for clip in own for tag in clip.actions} - set(counts["train"]))
    lines += [f"In no training clip: {', '.join(vanished) or 'none'}.", ""]
    return lines


def _excluded_lines(own: Sequence[Clip], excluded: Sequence[tuple[str, str]]) -> list[str]:
    by_reason: dict[str, list[str]] = defaultdict(list)
    for clip in own:
        if clip.reason:
            by_reason[clip.reason].append(clip.id)
    for identity, reason in excluded:
        if identity not in by_reason[reason]:
            by_reason[reason].append(identity)
    lines = ["## Excluded", "", "These train nothing and test nothing.", ""]
    for reason, ids in sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0])):
        lines.append(f"- **{reason}** ({len(ids)}): {', '.join(sorted(ids))}")
    return lines
