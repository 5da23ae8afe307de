"""The text-to-motion evaluators: order, padding with and without the published habit, size."""

import pytest
import torch

from motifmix.models.t2m_evaluator import EVALUATOR_SEES_PADDING, TextMotionEvaluator

TINY = {"features": 16, "word_dim": 6, "tag_dim": 5, "text_hidden": 8, "movement_hidden": 9, "movement_latent": 7,
        "motion_hidden": 8, "embedding": 4}  # fmt: skip


def tiny(**options) -> TextMotionEvaluator:
    torch.manual_seed(0)
    return TextMotionEvaluator(**TINY, **options).eval()


def test_a_clip_is_embedded_as_if_it_were_alone():
    evaluator, features = tiny(), torch.randn(3, 24, 16)
    together = evaluator.embed_motions(features, torch.tensor([9, 24, 16]))
    assert together.shape == (3, 4)
    for k, length in enumerate((8, 24, 16)):  # 9 frames are two whole snippets
        alone = evaluator.embed_motions(features[k : k + 1, :length], torch.tensor([length]))
        torch.testing.assert_close(together[k : k + 1], alone)


def test_with_the_published_habit_padding_is_seen():
    evaluator, features = tiny(quirks=[EVALUATOR_SEES_PADDING]), torch.randn(2, 24, 16)
    together = evaluator.embed_motions(features, torch.tensor([8, 24]))
    alone = evaluator.embed_motions(features[:1, :8], torch.tensor([8]))
    assert not torch.allclose(together[:1], alone, atol=1e-4)
    torch.testing.assert_close(together[1:], tiny().embed_motions(features, torch.tensor([8, 24]))[1:])


def test_captions_keep_their_order_and_ignore_padding():
    evaluator, words, tags = tiny(), torch.randn(2, 5, 6), torch.randn(2, 5, 5)
    together = evaluator.embed_texts(words, tags, torch.tensor([2, 5]))
    torch.testing.assert_close(together[:1], evaluator.embed_texts(words[:1, :2], tags[:1, :2], torch.tensor([2])))


def test_a_clip_without_a_whole_snippet_is_refused():
    with pytest.raises(ValueError, match="3 frames is shorter than one snippet of 4"):
        tiny().embed_motions(torch.randn(1, 8, 16), torch.tensor([3]))


def test_the_full_size_is_the_published_one():
    with torch.device("meta"):
        evaluator = TextMotionEvaluator()
    assert sum(p.numel() for p in evaluator.parameters()) == 21_690_560
    assert len(evaluator.state_dict()) == 42
