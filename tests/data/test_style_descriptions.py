"""Long descriptions of styles: composed for training, written for evaluation, and never the same words."""

import numpy as np
import pytest

from motifmix.data.captions import draw_style_description, held_out_style_descriptions
from motifmix.data.labels import STYLES, more_styles, plain, style_attributes
from motifmix.training.texts import style_description_texts


def runs(text: str, length: int) -> set[str]:
    words = plain(text).split()
    return {" ".join(words[k : k + length]) for k in range(len(words) - length + 1)}


@pytest.mark.parametrize("style", STYLES)
def test_training_and_evaluation_share_no_run_of_six_words(style):
    trained = {run for text in style_description_texts(style) for run in runs(text, 6)}
    tested = {run for other in STYLES for text in held_out_style_descriptions(other) for run in runs(text, 6)}
    assert trained and tested and not trained & tested


def test_many_descriptions_can_be_drawn_and_the_same_ones_again():
    drawn = style_description_texts("elderly")
    assert len(drawn) > 150 and drawn == style_description_texts("elderly")
    assert all(4 <= len(text.split()) <= 50 and "(" not in text and "|" not in text for text in drawn)


def test_every_style_has_every_kind_of_attribute_and_none_has_anothers():
    seen: dict[str, str] = {}
    for style in STYLES:
        attributes = style_attributes(style)
        assert set(attributes) == {"body", "pace", "like"} and min(map(len, attributes.values())) >= 5
        for text in attributes["like"]:
            assert seen.setdefault(text, style) == style


def test_a_style_without_attributes_has_no_description():
    assert draw_style_description(more_styles()[0], np.random.default_rng(0)) == ""
