"""What the paper prints (Guo et al., ICCV 2025, Tables 1 to 4): HumanML3D and 100STYLE, its own judges, one A100.

Other data, other judges, other sizes: these rows stand beside ours and are never compared with them number by number.
"""

from motifmix.evaluation.metrics import Interval
from motifmix.evaluation.styled_tables import (
    DIVERSITY,
    FID,
    MM_DIST,
    R_PRECISION,
    SKATE,
    SRA,
    Column,
    StudyRow,
    StudyTable,
)

TOTAL = Column("total", "parameters, total", lambda v: f"{v / 1e6:.3g} M", "down")
TRAINED = Column("trained", "trained for style", lambda v: f"{v / 1e6:.3g} M", "down")
PAPER_SECONDS = Column("seconds", "s a clip", lambda v: f"{v:.1f}", "down")
NOTE = "The paper's own figures, for orientation: HumanML3D and 100STYLE, its judges, its sizes. Other data than above."


def _row(title: str, **figures: float) -> StudyRow:
    return StudyRow(title, title, {key: Interval(value, float("nan")) for key, value in figures.items()})


def _table(number: int, columns: tuple[Column, ...], *rows: StudyRow) -> StudyTable:
    return StudyTable(f"The paper's Table {number}", columns, rows, NOTE)


STYLIZATION = _table(
    1,
    (SRA, FID, MM_DIST, R_PRECISION, DIVERSITY, SKATE),
    _row("MLD + Aberman et al.", sra=0.5437, fid=3.309, mm_dist=5.983, r_precision=0.406, diversity=8.816, skate=0.347),
    _row("MLD + Motion Puzzle", sra=0.6377, fid=6.127, mm_dist=6.467, r_precision=0.290, diversity=6.476, skate=0.185),
    _row("SMooDi", sra=0.7242, fid=1.609, mm_dist=4.477, r_precision=0.571, diversity=9.235, skate=0.124),
    _row("StyleMotif", sra=0.7765, fid=1.551, mm_dist=4.354, r_precision=0.586, diversity=7.567, skate=0.097),
)
TEXT_STYLE = _table(
    1,
    (SRA, FID),
    _row("MLD + ChatGPT, style written into the text", sra=0.0482, fid=0.614),
    _row("StyleMotif, style given as a word", sra=0.5671, fid=0.603),
)
TRANSFER = _table(
    2,
    (SRA, FID, SKATE),
    _row("Aberman et al.", sra=0.6101, fid=3.892, skate=0.338),
    _row("SMooDi", sra=0.6515, fid=1.582, skate=0.095),
    _row("StyleMotif", sra=0.6881, fid=1.375, skate=0.094),
)
ABLATION = _table(
    3,
    (SRA, FID, MM_DIST, R_PRECISION, SKATE),
    _row("pre-trained on styles only", sra=0.7673, fid=1.788, mm_dist=4.349, r_precision=0.571, skate=0.101),
    _row("pre-trained on contents only", sra=0.7658, fid=1.635, mm_dist=4.458, r_precision=0.572, skate=0.109),
    _row("pre-trained on both", sra=0.7765, fid=1.551, mm_dist=4.354, r_precision=0.586, skate=0.097),
)
EFFICIENCY = _table(
    4,
    (TOTAL, TRAINED, PAPER_SECONDS),
    _row("SMooDi", total=468e6, trained=13.9e6, seconds=4.0),
    _row("StyleMotif", total=462e6, trained=7.8e6, seconds=3.1),
)
