"""Table 3 and the ablations beyond it, at an operating point where the style recognition rate can still tell rows apart."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from motifmix.errors import MotifmixError
from motifmix.evaluation import styled_paper
from motifmix.evaluation.metrics import Interval
from motifmix.evaluation.styled_asking import Asking
from motifmix.evaluation.styled_questions import GUIDE_WORDS, content_set
from motifmix.evaluation.styled_rows import style_shares
from motifmix.evaluation.styled_tables import Column, Study, StudyRow, StudyTable
from motifmix.evaluation.stylization import CLOSING, CONTENT_COLUMNS, STYLE_COLUMNS, Bench
from motifmix.evaluation.windows import captioned_windows
from motifmix.pipelines.baselines.registry import ABLATIONS, METHODS, RETRIEVED, Method
from motifmix.pipelines.sampling import Sampling
from motifmix.pretrained.cards import read_card
from motifmix.pretrained.judges import Judge, appoint

CEILING = 0.9
POINTS: tuple[Mapping[str, Any], ...] = (
    {},
    {"style_scale": 1.0},
    {"style_scale": 0.5},
    {"style_scale": 0.5, "steps": 4},
)
"""From the default settings downwards: less guidance, then fewer steps."""
GAMMAS = (0.2, 0.4, 0.6, 0.8, 1.0)
SCALES = (1.0, 1.5, 2.5, 4.0)
GRADIENTS = (0.5, 1.0)

_Figures = Mapping[str, Interval]
_Row = tuple[StudyRow, tuple[_Figures, _Figures] | None]  # a row, and its figures after post-processing and raw
_Both = tuple[StudyTable, StudyTable]

INTRO = (
    "Contents are CMU captions, styles held-out clips, as in the motion-guided table. {point} The margin tells rows apart "
    "where the rate does not, and *no style* and the real clips say what the judge gives for nothing. Rows of a table were "
    "trained for as many steps each on one base ([minutes and curves](style_training.md)); what rows of one table differ by is "
    "told within repeats [on a page of its own](style_compared.md), with the rows and tables that this judge cannot tell apart. "
    "{questions} questions of the content set in each repeat."
)


def ablation(bench: Bench, command: str, select: Judge | None = None) -> Study:
    """Measure the ablation. ``select`` finds the operating point, on training clips; without it the default settings."""
    found = {
        key: operating_point(bench, bench.methods[key], select) for key in ("stylemotif", "joint") if _there(bench, key)
    }
    tables: list[_Both] = []
    floor = _floor(bench, "unstyled")
    for title, methods in ABLATIONS.items() if "stylemotif" in bench.chosen else ():
        point = found.get("stylemotif", {})
        tables.append(
            _table(
                bench,
                f"The {title}",
                [replace(method, options={**method.options, **point}) for method in methods],
                floor,
            )
        )
    for key in ("stylemotif", "joint"):
        if key in bench.chosen:
            tables += _without_training(bench, bench.methods[key], found.get(key, {}))
    shown = [clean for clean, _ in tables] + [styled_paper.ABLATION] + [raw for _, raw in tables]
    said = "; ".join(f"{METHODS[key].title}: {_said(point)}" for key, point in found.items())
    point = f"Operating point (found with the judge that selects, on training clips): {said or 'the default settings'}."
    facts = {**bench.facts, "operating_points": {key: dict(point) for key, point in found.items()}}
    return Study(
        "ablation", "Ablation", command, INTRO.format(point=point, questions=bench.limit), tuple(shown), facts, CLOSING
    )


def operating_point(bench: Bench, method: Method, select: Judge | None) -> Mapping[str, Any]:
    """Return the first of :data:`POINTS` at which the judge that selects reads less than 90 % of the styles.

    It is asked with captions, references and seeds of the training side, so nothing that scores is used up. The last
    point where none is.
    """
    if select is None:
        return {}
    appoint(select=select)
    windows = captioned_windows(bench.cmu, "train")
    training = _TrainingSide(bench)
    asking = Asking(select, bench.retrieval, bench.cache / "select", bench.asking.progress)
    for point in POINTS:
        questions = content_set(windows, training, 0, bench.limit, side="train")
        subject = bench.variant(replace(method, options={**method.options, **point}))
        answers = asking.ask(subject, "point", 0, questions)
        if style_shares(questions, answers.clean, select.card.styles)["sra"] < CEILING:
            return point
    return POINTS[-1]


class _TrainingSide:
    """The style set with its training clips as references."""

    def __init__(self, bench: Bench) -> None:
        self.folder = bench.bandai
        self.test = bench.bandai.select(split="train", mirrored=False, where=lambda c: bool(c.content and c.style))

    def reference(self, source: str, style: str, content: str, rng) -> Any:
        fits = [c for c in self.test if c.source == source and c.style == style and c.content != content]
        return fits[int(rng.integers(len(fits)))] if fits else None


def _without_training(bench: Bench, method: Method, point: Mapping[str, Any]) -> list[_Both]:
    """Rows that need no training of their own: settings of one set of weights."""
    name, floor = method.title, _floor(bench, "unstyled" if method.block == "frozen" else "joint-unstyled")

    def settings(title: str, setting: str, values: Sequence[Any]) -> _Both:
        rows = [
            replace(method, title=f"{title} = {value:g}", options={**method.options, **point, setting: value})
            for value in values
        ]
        return _table(bench, f"{name}: {title}, set when it is used", rows, floor)

    tables = [
        settings("gamma", "gamma", GAMMAS),
        settings("guidance scale of the style", "style_scale", SCALES),
        settings("gradient of the style distance", "gradient", GRADIENTS),
        _references(bench, method, point),
    ]
    if method.key in RETRIEVED:
        tables.append(_words(bench, method, RETRIEVED[method.key], point, floor))
    return tables


def _references(bench: Bench, method: Method, point: Mapping[str, Any]) -> _Both:
    subject = bench.variant(_known(bench, replace(method, options={**method.options, **point})))
    lack = method.missing(bench.home) or ""
    rows: list[_Row] = [
        (
            StudyRow(f"{method.key}-{same}", title, lack=lack),
            None if lack else bench.styled(subject, bench.of_styles(same_content=same)),
        )
        for same, title in ((False, "a reference of another content"), (True, "a reference of the same content"))
    ]
    return _both(f"{method.title}: the reference's content (style set)", STYLE_COLUMNS, rows)


def _words(bench: Bench, method: Method, retrieved: Method, point: Mapping[str, Any], floor: Sequence[_Row]) -> _Both:
    rows: list[_Row] = []
    for one, way in ((method, "projection"), (retrieved, "retrieval")):
        subject = bench.variant(_known(bench, replace(one, options={**one.options, **point})))
        lack = one.missing(bench.home) or ""
        for guide in ("word", "description"):
            row = StudyRow(f"{one.key}-{guide}", f"{way}, {GUIDE_WORDS[guide]}", lack=lack)
            rows.append((row, None if lack else bench.contents(subject, bench.of_contents(guide))))
    return _both(f"{method.title}: words by projection or by retrieval", CONTENT_COLUMNS, [*rows, *floor])


def _table(bench: Bench, title: str, methods: Sequence[Method], floor: Sequence[_Row]) -> _Both:
    rows: list[_Row] = []
    for number, method in enumerate(methods):
        lack = method.missing(bench.home)
        row = StudyRow(f"{method.key}-{number}", method.title, lack=lack or "")
        if lack:
            rows.append((row, None))
            continue
        try:
            rows.append((row, bench.contents(bench.variant(_known(bench, method)), bench.of_contents())))
        except MotifmixError as error:  # a setting that these weights do not have
            rows.append((replace(row, lack=str(error)), None))
    return _both(title, CONTENT_COLUMNS, [*rows, *floor], drawn=("sra", "fid"))


def _both(title: str, columns: Sequence[Column], rows: Sequence[_Row], drawn: tuple[str, ...] = ()) -> _Both:
    """Return the table after post-processing, and the raw one of the rows that were measured here."""
    clean = tuple(replace(row, figures=measured[0]) if measured else row for row, measured in rows)
    raw = tuple(replace(row, figures=measured[1]) for row, measured in rows if measured and measured[1])
    return StudyTable(title, tuple(columns), clean, drawn=drawn), StudyTable(f"{title}, raw", tuple(columns), raw)


def _known(bench: Bench, method: Method) -> Method:
    """Return the method of the other tables that answers as this one does, whose answers may be kept, or this one.

    A setting that says what holds without it, such as the gamma that was trained, is none.
    """
    usual: dict[str, Any] = {field.name: field.default for field in fields(Sampling)}
    card = method.paths(bench.home)[0] / "denoiser.yaml"
    if card.exists():
        usual["gamma"] = read_card(card).extra.get("gamma")
    method = replace(method, options={name: v for name, v in method.options.items() if v != usual.get(name)})

    def asked(one: Method) -> tuple[Any, ...]:
        return one.folders, one.assemble, bool(one.guided_by), dict(one.options)

    return next((one for one in bench.methods.values() if asked(one) == asked(method)), method)


def _floor(bench: Bench, key: str) -> list[_Row]:
    rows: list[_Row] = []
    if _there(bench, key):
        row = StudyRow(key, bench.methods[key].title, reference=True)
        rows.append((row, bench.contents(bench.subject(key), bench.of_contents())))
    real = bench.real_contents(bench.of_contents())
    return [*rows, (real, (real.figures, {}))]


def _there(bench: Bench, key: str) -> bool:
    return key in bench.chosen and bench.present(key)


def _said(point: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in point.items()) or "the default settings"
