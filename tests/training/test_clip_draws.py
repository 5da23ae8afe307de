"""A text that speaks of the whole clip is said with the whole clip or not at all."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from motifmix.data.feature_cache import CachedClip
from motifmix.data.sample import Clip
from motifmix.training.clip_draws import MOST_TOKENS, ClipDraws


def draws(rule: str, tokens: int) -> ClipDraws:
    clip = Clip(
        "cmu/1", "cmu", "content", "train", "cmu/1", "1", 6 * tokens, text_rule=cast(Any, rule), text_seconds=2.0
    )
    pool = SimpleNamespace(list=[(0, CachedClip(clip, 0, 6 * tokens))], draw=lambda rng, count: [0] * count)
    store = SimpleNamespace(latents=[np.zeros((tokens, 4))])
    return ClipDraws(cast(Any, pool), cast(Any, store), [[0]], {})


def test_a_whole_clip_is_never_cropped_under_its_text():
    items = draws("whole", MOST_TOKENS - 5).items(100, np.random.default_rng(0))
    assert {(item.first, item.tokens, item.says) for item in items} == {(0, MOST_TOKENS - 5, True)}
    assert not any(item.says for item in draws("whole", MOST_TOKENS + 1).items(100, np.random.default_rng(0)))
    assert not any(item.says for item in draws("none", 20).items(100, np.random.default_rng(0)))


def test_a_window_is_cropped_to_no_less_than_its_text_needs():
    drawn, rng = draws("window", 30), np.random.default_rng(0)
    lengths = {item.tokens for _ in range(20) for item in drawn.items(20, rng)}  # a batch has parts of like length
    assert min(lengths) >= 10 and max(lengths) == 30 and len(lengths) > 5
