"""100STYLE as its authors publish it (Mason, Starke, Komura, 2022): 810 recordings of walking, running and standing, each
in one of 100 styles, by one person. CC BY 4.0, so a free set to train the default recipes on.

Layout: ``<Style>/<Style>_<code>.bvh`` beside ``Frame_Cuts.csv`` (and ``Dataset_List.csv``, which is not read); the style
folders may be missing, the authors' page also gives single files. 60 fps, centimetres, Y up, 23 joints of an XSens suit in a
rest pose that is a T-pose along +Z, rotations Y X Z. ``Frame_Cuts.csv`` has a line a style, ``STYLE_NAME`` and then
``<code>_START`` and ``<code>_STOP`` for BR BW FR FW ID SR SW TR1 TR2 TR3, frames of the recording, N/A where there is none:
what lies outside is a T-pose and the way to the start. No source shows the table as a whole: its columns are told by code
that reads it, and that STOP is not part of the cut is our reading.

A cut is half a minute to two minutes long. It is divided into pieces of about eight seconds, which are the clips.
"""

import csv
import io
import re
from collections.abc import Iterator

import numpy as np

from motifmix.data.labels import STYLES, more_styles
from motifmix.data.layout import listed
from motifmix.data.sample import FPS, Catalogue, Clip, Take
from motifmix.data.source import Source
from motifmix.data.split import block_sides
from motifmix.errors import DataError
from motifmix.motion import Skeleton
from motifmix.motion.retargeting import canonical_rotations

MARKER = "Frame_Cuts.csv"
WHAT = "100STYLE dataset"
SOURCE_FPS = 60
PIECE_SECONDS = 8.0
SHORTEST_SECONDS = 1.0

CONTENTS = {
    "FW": "forward-walk", "FR": "forward-run", "BW": "backward-walk", "BR": "backward-run", "SW": "sidestep-walk",
    "SR": "sidestep-run", "ID": "idle", "TR1": "transition", "TR2": "transition", "TR3": "transition",
}  # fmt: skip
# Names that our own list has already.
OWN_STYLES = {"Angry": "angry", "Neutral": "normal", "Old": "elderly", "Proud": "proud"}
_MOST_TABLE = 1 << 20
_ABSENT = ("", "N/A", "NA", "NAN")

CARD = {
    "name": "100STYLE",
    "role": "style",
    "version": "as published at ianxmason.com/100style",
    "licence": "CC BY 4.0",
    "credit": (
        "100STYLE dataset, Ian Mason, Sebastian Starke, Taku Komura, CC BY 4.0. Real-Time Style Modelling of Human "
        "Locomotion via Feature-Wise Transformations and Local Motion Phases, Proc. ACM Comput. Graph. Interact. Tech., "
        "2022, arXiv:2201.04439."
    ),
    "use": "free with attribution; holds for whatever is trained on it",
}
NOTES = (
    f"Every recording is cut as Frame_Cuts.csv says and divided into pieces of about {PIECE_SECONDS:g} seconds.",
    "Split: within a recording the last 12 % of the pieces, two at least, are the test side, and the one piece before them is "
    "dropped; a recording of fewer than six pieces trains. One person plays all styles, so no person is held out.",
    "A mirrored clip of a style with a side (a limp on the left) carries the other style (a limp on the right).",
    "Angry, Neutral, Old and Proud carry our names for them: angry, normal, elderly, proud.",
)


def style_label(published: str) -> str:
    """Return our label of a published style name. Raises ``DataError`` for a name that is none of the hundred."""
    label = OWN_STYLES.get(published) or re.sub(r"(?<!^)(?=[A-Z])", "-", published).lower()
    if label not in STYLES and label not in more_styles():
        raise DataError(f"{published[:60]!r} is no style of the {WHAT}")
    return label


def catalogue(source: Source) -> Catalogue:
    """List the pieces with labels and split.

    Raises ``DataError`` for a table that is damaged or names recordings which are not there.
    """
    cuts = frame_cuts(source)
    members = {
        name.rsplit("/", 1)[-1].removesuffix(".bvh"): name
        for name in source.names
        if name.endswith(".bvh") and not name.rsplit("/", 1)[-1].startswith(".")
    }
    missing = [stem for stem in cuts if stem not in members]
    if missing:
        raise DataError(
            f"{source.path}: {len(missing)} of the {len(cuts)} recordings in {MARKER} are missing: "
            f"{listed(f'{stem}.bvh' for stem in missing)}; fetch the rest, or take their columns out of {MARKER}"
        )
    takes = [take for stem, cut in sorted(cuts.items()) for take in _pieces(stem, members[stem], cut)]
    excluded = [(f"100style/{stem}", f"stands in no line of {MARKER}") for stem in sorted(set(members) - set(cuts))]
    return Catalogue("100style", tuple(takes), tuple(excluded), NOTES, dict(CARD), up="y", units="cm")


def frame_cuts(source: Source) -> dict[str, tuple[int, int]]:
    """Return first frame and end by recording (``Angry_FW``). Raises ``DataError`` with the line that is wrong."""
    for _, data in source.read_all(lambda name: name == MARKER):
        if len(data) > _MOST_TABLE:
            raise DataError(f"{source.path}: {MARKER} is larger than a table of 100 lines can be; take a fresh copy")
        try:
            rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
            cuts = dict(_cuts(rows))
        except (ValueError, csv.Error, DataError) as error:
            raise DataError(f"{source.path}: {MARKER} is damaged ({error}); take a fresh copy") from error
        if cuts:
            return cuts
    raise DataError(f"{source.path}: {MARKER} names no recording; take a fresh copy of the {WHAT}")


def _cuts(rows: list[list[str]]) -> Iterator[tuple[str, tuple[int, int]]]:
    header = [name.strip() for name in rows[0]] if rows else []
    if "STYLE_NAME" not in header or not any(f"{code}_START" in header for code in CONTENTS):
        raise DataError("its first line names no STYLE_NAME and START columns")
    for number, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) < len(header):
            raise DataError(f"line {number} has {len(row)} fields instead of {len(header)}")
        fields = {name: cell.strip() for name, cell in zip(header, row, strict=False)}
        style_label(fields["STYLE_NAME"])
        for code in CONTENTS:
            times = [fields.get(f"{code}_{edge}", "") for edge in ("START", "STOP")]
            if all(time.upper() in _ABSENT for time in times):
                continue
            try:
                first, end = (int(float(time)) for time in times)
            except (ValueError, OverflowError) as error:
                raise DataError(f"line {number}: {code} is cut from {times[0]!r} to {times[1]!r}") from error
            if not 0 <= first < end < 10**7:
                raise DataError(f"line {number}: {code} is cut from {first} to {end}")
            yield f"{fields['STYLE_NAME']}_{code}", (first, end)


def _pieces(stem: str, member: str, cut: tuple[int, int]) -> Iterator[Take]:
    published, _, code = stem.rpartition("_")
    seconds = (cut[1] - cut[0]) / SOURCE_FPS
    count = max(1, round(seconds / PIECE_SECONDS))
    edges = [cut[0] + round(k * (cut[1] - cut[0]) / count) for k in range(count + 1)]
    why = "shorter than 1 s, the shortest motion that the model makes" if seconds < SHORTEST_SECONDS else None
    for number, side in enumerate(block_sides(count)):
        reason = why or ("stands between the blocks of training and test" if side == "dropped" else None)
        clip = Clip(
            id=f"100style/{stem}_{number:02d}", source="100style", role="style", split="dropped" if reason else side,
            split_group=f"100style/{stem}/{side}", subject="the performer of 100STYLE", frames=0, fps=FPS,
            content=CONTENTS[code], style=style_label(published), whole_take=False, reason=reason,
        )  # fmt: skip
        yield Take(member, clip, (edges[number], edges[number + 1]))


def rest_axes(skeleton: Skeleton) -> dict[str, np.ndarray]:
    """Return the joints' axes in the T-pose, by role: those of the rest pose, which stands and looks along +Z."""
    return canonical_rotations(skeleton)


def floor_group(clip: Clip) -> str:
    """Return the recording whose pieces share one floor."""
    return clip.id.rpartition("_")[0]
