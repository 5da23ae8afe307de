import json
from pathlib import Path

import numpy as np
import pytest
from tests.pretrained.written_judges import write_judge

from motifmix.data.captions import captions, held_out_captions, held_out_style_phrases, style_phrases
from motifmix.data.prepared import Prepared
from motifmix.errors import MotifmixError
from motifmix.evaluation import questions, tables
from motifmix.evaluation.classes import CONTENT_CLASSES
from motifmix.evaluation.protocol import Evaluation, Plan
from motifmix.motion import MOTIFMIX, Motion
from motifmix.pretrained.judges import load_judge, load_retrieval_judge

from .prepared_set import made_up_sets


class Fidgeting:
    """A pipeline that fidgets, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.texts: list[str] = []

    def generate(self, texts, *, styles=None, seconds=None, seeds=None):
        self.asked += len(texts)
        self.texts += texts
        return [self.fidget(s or 2.0, seed) for s, seed in zip(seconds, seeds, strict=True)]

    def reconstruct(self, motions):
        return [m.moved(np.linspace([1.0, 0, 1.0], [1.02, 0, 1.0], m.frames)).turned(0.5) for m in motions]

    def fidget(self, seconds: float, seed: int) -> Motion:
        frames = int(seconds * 20)
        rng = np.random.default_rng(seed)
        rotations = rng.normal(scale=0.05, size=(frames, 22, 4)) + np.array([0, 0, 0, 1.0])
        rotations /= np.linalg.norm(rotations, axis=-1, keepdims=True)
        return Motion(MOTIFMIX, rotations, np.tile([0.0, 0.95, 0.0], (frames, 1)), 20.0)


SMALL = Plan.model_validate(
    dict(
        repeats=2, unstyled_per_content=1, natural_per_cell=1, fixed_per_cell=1, predicted_per_cell=1, text_per_cell=1,
        set_1_per_style=1,
    )
)  # fmt: skip


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Prepared, Prepared]:
    return made_up_sets(tmp_path_factory.mktemp("sets"))


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("judges")
    write_judge(folder, "score", numbers={"held_out": {"set 2": {"content": {"share": 0.99, "clips": 70}}}})
    write_judge(folder, "score", kind="retrieval")
    write_judge(folder, "guide", seed=5)
    return folder


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("prompts") / "prompts.json"
    rows = [("a", "someone walks", "walk", []), ("b", "a kick", "kick", ["punch"]), ("c", "somebody jumps", None, [])]
    keys = ("id", "text", "content", "alternatives")
    path.write_text(json.dumps({"prompts": [dict(zip(keys, row, strict=True)) for row in rows]}))
    return path


def encode(texts) -> np.ndarray:
    return np.stack([np.random.default_rng(len(t)).normal(size=384) for t in texts]).astype(np.float32)


def evaluation(pipeline, sets, judges, prompts, cache, role="score") -> Evaluation:
    return Evaluation(
        pipeline, "fidgeting", "1", *sets, load_judge(role, judges), load_retrieval_judge(judges), encode, cache, SMALL,
        prompts,
    )  # fmt: skip


def test_all_rows_are_measured_and_a_second_run_generates_nothing(sets, judges, prompts, tmp_path: Path):
    first = Fidgeting()
    results = evaluation(first, sets, judges, prompts, tmp_path).run()
    for line in tables.TARGETS:
        # Cells never shown need a model that never saw them; the made-up set has no common label in the prompts.
        if line.key not in ("unseen_style", "unseen_content"):
            assert line.key in results.rows, line.key
    assert [results.rows[f"prompts_{g}"].clips for g in ("labelled", "rare", "open")] == [1, 1, 1]
    assert results.rows["vae_local_set_2"].ours.mean == pytest.approx(0.0, abs=1e-6)
    assert results.rows["vae_world_set_2"].ours.mean == pytest.approx(0.01, abs=1e-3)
    assert results.rows["missing_cells_style"].clips == 1  # run, elderly
    assert all(0 <= r.ours.mean <= 1 for k, r in results.rows.items() if k.endswith(("_style", "_content", "_leak")))
    assert results.rows["motion_natural_style"].clips == 70
    assert all(np.isfinite(r.ours.mean) for r in results.rows.values())
    second = Fidgeting()
    again = evaluation(second, sets, judges, prompts, tmp_path).run()
    assert first.asked > 500 and second.asked == 0
    assert tables.as_json(again) == tables.as_json(results)
    paths = tables.write(results, tmp_path / "docs" / "results.md", "motifmix evaluate fidgeting")
    page = paths[0].read_text("utf-8")
    assert "Written by `motifmix evaluate fidgeting`" in page and "✗" in page and "](results.png)" in page
    assert json.loads(paths[1].read_text("utf-8"))["rows"]["fid_ratio"]["clips"] == 69


def test_a_judge_of_another_role_is_refused(sets, judges, prompts, tmp_path: Path):
    with pytest.raises(MotifmixError, match="has the role 'guide'"):
        evaluation(Fidgeting(), sets, judges, prompts, tmp_path, role="guide")


def test_references_are_held_out_and_show_another_content(sets):
    style_set = questions.StyleSet(sets[0])
    asked = questions.motion_guided(style_set, 0, "natural", 2)
    assert len(asked) == 140 and {q.cell for q in asked} == set(questions.set_2_cells())
    held_out = {c.id for c in sets[0].clips if c.split == "test"}
    for question in asked:
        assert question.guide.labels["clip"] in held_out
        assert question.guide.labels["style"] == question.style
        assert question.reference_content != question.contents[0]
        assert question.seconds is None or 1.0 <= question.seconds <= 10.0
    assert [q.seconds for q in asked if q.cell == ("run", "elderly")] == [None, None]
    lengths = {q.seconds for q in questions.motion_guided(style_set, 0, "fixed", 1) if q.contents == ("walk",)}
    assert len(lengths) == 1 and None not in lengths


def test_words_never_trained_are_never_trained():
    for repeat in range(3):
        for question in questions.unstyled(repeat, "held_out", 7):
            assert question.text in held_out_captions(question.contents[0])
            assert question.text not in captions(question.contents[0])
        for question in questions.text_guided(repeat, "held_out", 1):
            assert question.guide in held_out_style_phrases(question.style)
            assert question.guide not in style_phrases(question.style)


def test_repeats_differ_and_each_is_the_same_again(sets):
    style_set = questions.StyleSet(sets[0])
    first, again, other = (
        [
            (q.text, q.seed, q.seconds, q.guide.labels["clip"])
            for q in questions.motion_guided(style_set, r, "natural", 1)
        ]
        for r in (0, 0, 1)
    )
    assert first == again and first != other


def test_only_set_1_contents_are_asked_of_set_1(sets):
    style_set = questions.StyleSet(sets[0])
    asked = questions.set_1_guided(style_set, 0, True, 4)
    assert {q.cell for q in asked} == {("bow", "sad"), ("bow", "proud")}
    assert all(q.reference_content == "walk" for q in asked)
    assert all(name in CONTENT_CLASSES for q in asked for name in q.contents)


def test_a_file_that_lists_no_prompts_is_refused(sets, tmp_path: Path):
    path = tmp_path / "prompts.json"
    path.write_text("[]")
    with pytest.raises(MotifmixError, match="no list of prompts"):
        questions.prompts(path, questions.StyleSet(sets[0]), 0)
