"""The stylisation tables with made-up sets, made-up judges and pipelines that fidget."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.pretrained.written_judges import write_judge

from motifmix.data.captions import (
    hard_style_phrases,
    held_out_style_descriptions,
    held_out_style_phrases,
    style_phrases,
)
from motifmix.data.labels import SET_2_STYLES, STYLES, style_synonyms
from motifmix.data.prepared import Prepared
from motifmix.errors import MotifmixError, RequestError
from motifmix.evaluation import styled_tables
from motifmix.evaluation.questions import Question, StyleSet
from motifmix.evaluation.styled_asking import StyledMeasured
from motifmix.evaluation.styled_questions import TEXT_GUIDES, WISHED, content_set, style_set_cells
from motifmix.evaluation.styled_rows import style_shares
from motifmix.evaluation.stylization import Bench, stylization
from motifmix.evaluation.windows import captioned_windows
from motifmix.motion import Motion
from motifmix.pipelines.baselines.registry import METHODS, Method
from motifmix.pretrained.judges import load_judge, load_retrieval_judge

from .prepared_set import made_up_sets
from .test_protocol import Fidgeting, encode


class Styled(Fidgeting):
    """Fidgets, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.styles: list[object] = []
        self.feet: list[bool] = []

    def generate(self, texts, *, styles=None, seconds=None, seeds=None, clean_feet=True, steps=8):
        self.styles += styles or [None] * len(texts)
        self.feet.append(clean_feet)
        return super().generate(texts, styles=styles, seconds=seconds, seeds=seeds)

    def parameters(self) -> tuple[int, int]:
        return 100, 10


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Prepared, Prepared]:
    return made_up_sets(tmp_path_factory.mktemp("sets"))


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("judges")
    write_judge(folder, "score")
    write_judge(folder, "score", kind="retrieval")
    write_judge(folder, "select", seed=5)
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in ("weights-a", "weights-b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "denoiser.safetensors").write_bytes(name.encode())
    return tmp_path


def registry(made: dict[str, Styled]) -> dict[str, Method]:
    def method(key: str, guided, folder: str, block="frozen") -> Method:
        def assemble(path: Path) -> Styled:
            return made.setdefault(key, Styled())

        return Method(key, f"the {key}", block, guided, (folder,), (f"recipes/{key}.yaml",), assemble)

    return {
        "floor": method("floor", (), "weights-a"),
        "ours": method("ours", ("motion", "text"), "weights-b"),
        "absent": method("absent", ("motion",), "weights-c"),
        "joint": method("joint", ("motion", "text"), "weights-b", "joint"),
    }


def bench(home: Path, sets, judges: Path, made: dict[str, Styled], **changes) -> Bench:
    return Bench(
        home, *sets, load_judge("score", judges), load_retrieval_judge(judges), encode,
        **{"repeats": 2, "limit": 36, "registry": registry(made), **changes},
    )  # fmt: skip


def test_every_method_answers_the_same_questions_once_and_what_is_missing_is_said(home, sets, judges):
    made: dict[str, Styled] = {}
    study = stylization(bench(home, sets, judges, made), "motifmix evaluate stylization")
    assert made["floor"].texts == made["ours"].texts == made["joint"].texts
    assert not any(made["floor"].styles) and all(isinstance(s, Motion) for s in made["ours"].styles)
    assert not any(made["ours"].feet)  # the same cleaning for all rows is done by who asks
    asked = {key: one.asked for key, one in made.items()}
    again: dict[str, Styled] = {}
    second = stylization(bench(home, sets, judges, again), "motifmix evaluate stylization")
    assert min(asked.values()) > 100 and again == {}
    assert styled_tables.as_json(second) == styled_tables.as_json(study)
    frozen = study.tables[0]
    rows = {row.key: row for row in frozen.rows}
    assert rows["absent"].lack == "weights-c missing; motifmix train recipes/absent.yaml"
    assert {"sra", "sra_set_1", "margin", "fid", "r_precision", "r_ratio", "skate"} <= set(rows["ours"].figures)
    assert rows["real"].figures["r_ratio"].mean == pytest.approx(1.0)
    assert rows["floor"].reference and rows["real"].reference and not rows["ours"].reference
    paths = styled_tables.write(study, home, {})
    page = paths[0].read_text("utf-8")
    assert "Written by `motifmix evaluate stylization`" in page and "weights-c missing" in page and "77.6 %" in page
    assert [path.name for path in paths] == ["stylization.md", "stylization.json", "stylization.png"]
    tables = json.loads(paths[1].read_text("utf-8"))["tables"]
    assert len(tables[0]["rows"][0]["figures"]["sra"]["values"]) == 2


def test_a_method_that_is_not_there_and_a_judge_that_guides_are_refused(home, sets, judges):
    with pytest.raises(RequestError, match="there is no method 'nobody'"):
        bench(home, sets, judges, {}, methods=["nobody"])
    with pytest.raises(MotifmixError, match="has the role 'select'"):
        Bench(home, *sets, load_judge("select", judges), load_retrieval_judge(judges), encode)


def test_questions_of_the_content_set_share_everything_but_the_guide(sets):
    windows, styles = captioned_windows(sets[1]), StyleSet(sets[0])
    by_motion = content_set(windows, styles, 0, 36)
    assert len({q.text for q in by_motion}) == 36 and {q.style for q in by_motion} >= set(WISHED)
    assert "normal" not in {q.style for q in by_motion}
    assert {q.style for q in by_motion if q.labels["set"] == "1"} == {"proud", "sad"}
    held_out = {c.id for c in sets[0].clips if c.split == "test"}
    for question in by_motion:
        assert question.guide.labels["clip"] in held_out and question.guide.labels["style"] == question.style
    for guide in TEXT_GUIDES:
        told = content_set(windows, styles, 0, 36, guide)
        assert [(q.text, q.seed, q.style, q.seconds) for q in told] == [
            (q.text, q.seed, q.style, q.seconds) for q in by_motion
        ]
        assert all(isinstance(q.guide, str) for q in told)
    assert [q.seed for q in content_set(windows, styles, 1, 36)] != [q.seed for q in by_motion]


def test_a_reference_of_the_same_content_shows_what_is_asked(sets):
    styles = StyleSet(sets[0])
    for same in (False, True):
        for question in style_set_cells(styles, 0, 1, same_content=same):
            if question.cell == ("run", "elderly"):  # no held-out clip of this cell
                continue
            assert (question.reference_content == question.cell[0]) == same
            assert question.guide.labels["style"] == question.style


def test_the_margin_tells_apart_what_the_rate_cannot():
    shares = np.full((2, len(STYLES)), 0.0)
    shares[0, STYLES.index("sad")], shares[0, STYLES.index("proud")] = 0.6, 0.4
    shares[1, STYLES.index("elderly")], shares[1, STYLES.index("proud")] = 0.3, 0.7
    nothing = np.zeros(2)
    measured = StyledMeasured(
        nothing, shares.argmax(axis=1), np.zeros((2, 4)), np.zeros((2, 4)), nothing, nothing, nothing, nothing, shares
    )
    questions = [Question("", 0, style="sad"), Question("", 1, style="elderly")]
    figures = style_shares(questions, measured, STYLES)
    assert figures["sra"] == 0.5 and figures["margin"] == pytest.approx((0.2 - 0.4) / 2)


def test_long_descriptions_are_long_and_never_trained():
    trained = {phrase for style in STYLES for phrase in style_phrases(style)}
    others = {p for style in STYLES for p in (*held_out_style_phrases(style), *hard_style_phrases(style))}
    for style in STYLES:
        own = held_out_style_descriptions(style)
        assert len(own) >= 4 and all(12 <= len(text.split()) <= 30 for text in own)
        assert not set(own) & (trained | others)
        names = {style, *style_synonyms(style)}
        for text in own:
            assert not names & set(text.replace(",", " ").split()), text


def test_the_registry_has_no_row_without_a_recipe():
    house = Path(__file__).parents[2]
    for key, method in METHODS.items():
        assert method.key == key and method.recipes and method.folders
        assert method.missing(Path("nowhere")) is None or "motifmix train" in method.missing(Path("nowhere"))
        assert all((house / recipe.split()[0]).is_file() for recipe in method.recipes)
    assert set(WISHED) < set(SET_2_STYLES)
