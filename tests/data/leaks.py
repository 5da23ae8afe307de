"""What may not straddle the split, looked for in prepared lines."""

from collections import defaultdict

from motifmix.data.sample import Clip


def leaks(clips: list[Clip]) -> list[str]:
    """Everything that may not straddle the split, in prepared lines."""
    sides: dict[str, set[str]] = defaultdict(set)
    for clip in clips:
        if clip.split == "dropped":
            continue
        sides[f"group {clip.split_group}"].add(clip.split)
        sides[f"twin {clip.mirror_of or clip.id}"].add(clip.split)
        if clip.source == "cmu":
            sides[f"subject {clip.subject}"].add(clip.split)
        if clip.partner:
            sides[f"pair {min(clip.id, clip.partner)}"].add(clip.split)
    return sorted(name for name, found in sides.items() if len(found) > 1)
