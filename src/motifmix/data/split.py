"""Which clip stands on which side. One split for everybody, written into ``clips.jsonl``; no twin straddles it.

Style set: numbers follow the recording, so a cell (content, style) is cut into two blocks of numbers with one dropped
clip between them. Content set: the test side is whole subjects of the CMU database, partners included.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from motifmix.data.sample import Split, Take

TEST_SHARE = 0.12

# Cells whose last clips share rows with earlier ones: their first numbers are the test side.
_TEST_AT_THE_START = {("walk-turn-left", "normal"), ("walk-turn-right", "normal")}
_SET_1_TEST_NUMBER = 2
_SET_1_ALL_TRAINING = {("walk", "normal")}

# People recorded together in the CMU database; who stands with whom never changes sides.
PARTNERS = (("18", "19"), ("20", "21"), ("22", "23"), ("60", "61"), ("33", "34"))
# Chosen so that walking, running, jumping, kicking, sitting, dancing, everyday and two-person takes are in both sides.
TEST_SUBJECTS = frozenset({
    "02", "08", "09", "17", "20", "21", "30", "38", "49", "74", "75", "76", "82", "113", "124", "128", "133", "141",
})  # fmt: skip


def block_sides(count: int, *, test_at_start: bool = False, share: float = TEST_SHARE) -> list[Split]:
    """Return the sides of ``count`` clips in the order of their numbers: one block each, one clip dropped between."""
    if count < 6:
        return ["train"] * count
    test = max(2, math.ceil(share * count))
    border = count - test - 1
    sides: list[Split] = ["train" if n < border else "dropped" if n == border else "test" for n in range(count)]
    return sides[::-1] if test_at_start else sides


def split_bandai(takes: Sequence[Take]) -> list[Take]:
    """Give every Bandai-Namco take its side and its block. Cells are those of the file names, not of mended labels."""
    cells: dict[tuple[str, str, str], list[Take]] = defaultdict(list)
    for take in takes:
        source, rest = take.clip.id.split("/")
        content, style, _ = rest.split("_")
        cells[source, content, style].append(take)
    result = []
    for (source, content, style), members in sorted(cells.items()):
        members = sorted(members, key=lambda take: take.clip.id)
        if source == "bandai-2":
            sides = block_sides(len(members), test_at_start=(content, style) in _TEST_AT_THE_START)
        else:
            held_out = content == "walk" and (content, style) not in _SET_1_ALL_TRAINING
            sides = [
                "test" if held_out and int(take.clip.id[-3:]) == _SET_1_TEST_NUMBER else "train" for take in members
            ]
        for take, side in zip(members, sides, strict=True):
            group = f"{source}/{content}_{style}/{side}"
            reason = take.clip.reason
            if side == "dropped" and reason is None:
                reason = "stands between the blocks of training and test"
            clip = replace(take.clip, split="dropped" if reason else side, split_group=group, reason=reason)
            result.append(replace(take, clip=clip))
    return result


def subject_group(subject: str) -> str:
    """Return the name of the group of CMU subjects that stand on one side with this one."""
    for group in PARTNERS:
        if subject in group:
            return "cmu/" + "+".join(group)
    return f"cmu/{subject}"


def cmu_side(subject: str) -> Split:
    """Return the side of a CMU subject."""
    group = next((group for group in PARTNERS if subject in group), (subject,))
    return "test" if TEST_SUBJECTS & set(group) else "train"
