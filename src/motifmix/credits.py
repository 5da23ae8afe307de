"""Whom motifmix owes its weights to, as the licences of the data ask it to be said.

The same words stand in NOTICE, in ``weights/LICENSE.md``, in the cards of the weights and in every file that the
weights help to write and that has a place for them; a test holds NOTICE and the licence to this page.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Credit(NamedTuple):
    """One source: its short name, the line that must be shown, and the terms it comes under."""

    name: str
    line: str
    terms: str


BANDAI_NAMCO = Credit(
    "Bandai-Namco-Research-Motiondataset",
    "Bandai-Namco-Research-Motiondataset, (c) 2022 Bandai Namco Research Inc., CC BY-NC 4.0. Kobayashi, Liao, Inoue, "
    "Yojima, Takahashi: Motion Capture Dataset for Practical Use of AI-based Motion Editing and Stylization, "
    "arXiv:2306.08861, 2023.",
    "CC BY-NC 4.0: non-commercial, with attribution",
)
CMU = Credit(
    "CMU Graphics Lab Motion Capture Database",
    "The data used in this project was obtained from mocap.cs.cmu.edu. The database was created with funding from NSF "
    "EIA-0196217.",
    "free use, also in products; the data may not be resold, also not in converted form",
)
AMASS = Credit(
    "AMASS, CMU part",
    "Skeleton fits from the CMU part of AMASS: Mahmood, Ghorbani, Troje, Pons-Moll, Black: AMASS: Archive of Motion "
    "Capture as Surface Shapes, ICCV 2019.",
    "research, non-commercial",
)
KIT = Credit(
    "KIT Motion-Language Dataset",
    "Captions from the KIT Motion-Language Dataset: Plappert, Mandery, Asfour: The KIT Motion-Language Dataset, Big "
    "Data 4(4), 2016.",
    "research, with attribution",
)

DATA = (BANDAI_NAMCO, CMU, AMASS, KIT)
WEIGHTS_LICENCE = "research and non-commercial use (motifmix/weights/LICENSE.md)"
# Short enough for a field of a file header; the whole lines are one click away in the file that it names.
MADE_WITH = (
    "made with motifmix; weights trained on Bandai-Namco-Research-Motiondataset (c) 2022 Bandai Namco Research Inc. "
    "(CC BY-NC 4.0), mocap.cs.cmu.edu (NSF EIA-0196217), AMASS and KIT Motion-Language; research and non-commercial use"
)


def together(credits: Iterable[str]) -> str:
    """Return credits in one line, each source once: what was made of several motions owes the same ones again."""
    return "; ".join(dict.fromkeys(source for credit in credits for source in credit.split("; ") if source))
