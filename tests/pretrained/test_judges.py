from pathlib import Path

import numpy as np
import pytest

from motifmix.errors import MotifmixError
from motifmix.evaluation.classes import CONTENT_CLASSES, STYLE_CLASSES, content_class
from motifmix.motion.skeleton import MOTIFMIX
from motifmix.pretrained.judges import appoint, load_judge, load_retrieval_judge

from .written_judges import write_judge


def clip(frames: int, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(scale=0.02, size=(frames, 22, 3)).cumsum(axis=0)
    return (MOTIFMIX.rest_positions + np.array([0, 0.95, 0]) + noise).astype(np.float32)


def test_a_judge_reads_the_same_after_saving_and_in_any_company(tmp_path: Path):
    write_judge(tmp_path, "score")
    judge = load_judge("score", tmp_path)
    clips = [clip(n, n) for n in (30, 90, 45, 60)]
    reading = judge.read(clips)
    assert reading.content.shape == (4, len(CONTENT_CLASSES)) and reading.features.shape == (4, 16)
    np.testing.assert_allclose(reading.content.sum(axis=1), 1.0, atol=1e-6)
    for i, one in enumerate(clips):
        np.testing.assert_allclose(judge.read([one]).features[0], reading.features[i], atol=1e-5)
    assert judge.style_names(reading)[0] in STYLE_CLASSES


def test_only_the_first_ten_seconds_are_read(tmp_path: Path):
    write_judge(tmp_path, "score")
    judge = load_judge("score", tmp_path)
    long = clip(260)
    np.testing.assert_allclose(judge.read([long]).features, judge.read([long[:200]]).features, atol=1e-6)


def test_no_judge_serves_in_two_roles(tmp_path: Path):
    write_judge(tmp_path, "score", seed=1)
    write_judge(tmp_path, "guide", seed=2)
    score, guide = load_judge("score", tmp_path), load_judge("guide", tmp_path)
    assert set(appoint(score=score, guide=guide)) == {"score", "guide"}
    with pytest.raises(MotifmixError, match="has the role 'guide'"):
        appoint(score=guide)
    write_judge(tmp_path, "select", seed=1)  # the score judge's weights under another name
    select = load_judge("select", tmp_path)
    assert select.card.sha256 == score.card.sha256
    with pytest.raises(MotifmixError, match="would serve as score and as select"):
        appoint(score=score, select=select)
    with pytest.raises(MotifmixError, match="no role"):
        appoint(jury=score)


def test_altered_missing_and_misplaced_weights_are_refused(tmp_path: Path):
    with pytest.raises(MotifmixError, match="no such judge"):
        load_judge("score", tmp_path)
    write_judge(tmp_path, "score")
    path = tmp_path / "recogniser-score.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(MotifmixError, match="checksum"):
        load_judge("score", tmp_path)
    path.unlink()
    with pytest.raises(MotifmixError, match="missing"):
        load_judge("score", tmp_path)
    write_judge(tmp_path, "guide", name="recogniser-score")
    with pytest.raises(MotifmixError, match="put it back"):
        load_judge("score", tmp_path)


def test_evaluator_embeds_motions_in_the_order_given(tmp_path: Path):
    write_judge(tmp_path, "score", kind="retrieval")
    judge = load_retrieval_judge(tmp_path)
    clips = [clip(n, n) for n in (70, 30, 50)]
    together = judge.embed_motions(clips)
    np.testing.assert_allclose(together[1], judge.embed_motions([clips[1]])[0], atol=1e-5)
    assert judge.embed_texts(np.zeros((2, 384))).shape == (2, 16)


def test_classes_of_takes_whose_words_say_one_thing():
    from motifmix.data.sample import Clip

    def take(caption: str, *actions: str, rule: str = "window") -> Clip:
        return Clip(
            id="x", source="cmu", role="content", split="train", split_group="g", subject="1", frames=90,
            captions=(caption,), text_rule=rule, actions=actions,  # pyright: ignore[reportArgumentType]
        )  # fmt: skip

    assert content_class(take("a person walks forward", "walk")) == "walk"
    assert content_class(take("a person walks backwards", "walk")) == "walk-back"
    assert content_class(take("a person walks in a circle to the left", "walk")) is None
    assert content_class(take("a person boxes", "box")) == "punch"
    assert content_class(take("a person jumps and kicks", "jump", "kick")) is None
    assert content_class(take("a person jumps", "jump", rule="none")) is None
