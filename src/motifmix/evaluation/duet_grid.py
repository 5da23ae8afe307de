"""The paper's grid of models: every pair mixed by its own Mixer, by another pair's (modular transfer), and by baselines."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from motifmix.evaluation.duet_figures import Figures, Line
from motifmix.evaluation.duet_metrics import harmonic_mean
from motifmix.evaluation.styled_tables import Column, StudyRow, StudyTable
from motifmix.evaluation.tables import percent
from motifmix.pipelines.baselines.compositions import INDIVIDUAL, INTERACTION, MIXERS, SHIPPED

Pair = tuple[str, str]
TRANSFERRED = (MIXERS, SHIPPED)
ALONE = ("interaction", "individual")  # the models that are mixed, each without the other
PUBLISHED_GAIN = 0.37  # MixerMDM: the best Mixer on the worst pair of base models
HOW = (
    "Every pair of models by its own Mixer, trained between the two for the same number of steps; by the first pair's Mixer, "
    "which never met them; and by what needs no training. Models alone stand first. Guidance is that of the first pair's row. "
    "*Against its own Mixer*: in overall alignment, resampled together."
)


def grid_table(table: Figures, lines: Sequence[Line], columns: Sequence[Column]) -> StudyTable:
    """Return the table; empty where Mixers are between one pair only."""
    rows: list[StudyRow] = []
    shown = (*columns, Column("against", "against its own Mixer", percent))
    pairs = _pairs(lines)
    for line in _alone(lines) if pairs else ():
        rows.append(_row(table, line, f"{_named(line.pair[ALONE.index(line.methods[0].way)])}, alone"))
    for pair in pairs:
        own = _own(lines, pair)
        for line in _between(lines, pair):
            row = _row(table, line, f"{_named(pair[0])} and {_named(pair[1])}: {_called(line, line is own)}")
            if own is not None and line is not own and own.scored and line.scored:
                row = replace(row, figures={**row.figures, "against": table.difference(line, own, "overall")})
            rows.append(row)
    return StudyTable("The grid of models", shown, tuple(rows), HOW)


def transfer_verdict(table: Figures, lines: Sequence[Line]) -> str:
    """Return what became of the paper's claim on the worst pair of models, or nothing where it cannot be told.

    The worst pair is told by the models alone, not by what is compared: least harmonic mean of the interaction model's figure
    on interactions and the individual one's on people.
    """
    worth = {pair: _worth(table, lines, pair) for pair in _pairs(lines)}
    known = {pair: figure for pair, figure in worth.items() if figure is not None}
    if len(known) < 2:
        return ""
    worst = min(known, key=lambda pair: known[pair])
    between = [line for line in _between(lines, worst) if line.scored]
    if worst == (INTERACTION, INDIVIDUAL) or not any(map(_transferred, between)):
        return ""
    sentences = [
        f"The paper's Mixer of its best pair raised the overall alignment of its worst pair by {PUBLISHED_GAIN:.0%}. Ours, on the "
        f"pair whose models are worst alone ({_named(worst[0])} and {_named(worst[1])}):"
    ]
    for moved in filter(_transferred, between):
        said = []
        for line in between:
            if not _transferred(line):
                ahead, base = table.difference(moved, line, "overall"), table.of(line)["overall"].mean
                called = _called(line, line is _own(lines, worst))
                said.append(f"{called} {percent(ahead.mean / base)} ± {percent(ahead.half_width / base)}")
        sentences.append(f"{moved.title[0].upper()}{moved.title[1:]}, relative to {'; to '.join(said)}.")
    return " ".join(sentences)


def _pairs(lines: Sequence[Line]) -> list[Pair]:
    """Return the pairs between which Mixers were trained, if there are several."""
    found = dict.fromkeys(line.pair for line in lines if line.methods[0].mixer)
    return list(found) if len(found) > 1 else []


def _between(lines: Sequence[Line], pair: Pair) -> Iterator[Line]:
    """Yield a pair's rows: of the first pair those that the others have too."""
    keys = {line.key.rpartition(".")[2] for line in lines if "." in line.key}
    for line in lines:
        plain = line.methods[0].mixer in ("", *TRANSFERRED) and line.key in keys
        if line.pair == pair and line.methods[0].block != "alone" and (pair != (INTERACTION, INDIVIDUAL) or plain):
            yield line


def _own(lines: Sequence[Line], pair: Pair) -> Line | None:
    return next((line for line in _between(lines, pair) if line.methods[0].mixer and not _transferred(line)), None)


def _transferred(line: Line) -> bool:
    return line.methods[0].mixer in TRANSFERRED and line.pair != (INTERACTION, INDIVIDUAL)


def _alone(lines: Sequence[Line]) -> list[Line]:
    models = {name for pair in _pairs(lines) for name in pair}
    return [
        line for line in lines
        if line.methods[0].block == "alone" and line.pair[ALONE.index(line.methods[0].way)] in models
    ]  # fmt: skip


def _worth(table: Figures, lines: Sequence[Line], pair: Pair) -> float | None:
    figures = []
    for way, model in zip(ALONE, pair, strict=True):
        line = next(
            (own for own in _alone(lines) if own.methods[0].way == way and own.pair[ALONE.index(way)] == model), None
        )
        if line is None or not line.scored:
            return None
        figures.append(table.of(line)[way].mean)
    return float(harmonic_mean(*figures))


def _row(table: Figures, line: Line, title: str) -> StudyRow:
    return StudyRow(line.key, title, table.of(line), line.lack)


def _called(line: Line, own: bool) -> str:
    return f"its own {line.title.partition(',')[0]}" if own else line.title


def _named(folder: str) -> str:
    """Return a model's name, as its weights' folder has it."""
    name = folder.removeprefix("weights-duets-")
    return name if "-" in name else f"{name}-in2in"
