"""What is said of a style in a sentence that is like nothing known but for its little words."""

import pytest


@pytest.mark.parametrize(
    ("style", "words"),
    [
        ("an angry robot", 'the style "an angry robot" is near to nothing trained on; nearest: angry (0.4'),
        ("a rusty bicycle pump", 'the style "a rusty bicycle pump" is far from anything trained on; nearest: '),
        ("very angry", None),
    ],
)
def test_a_sentence_that_is_half_like_something_known_says_what_it_is_nearest_to(model, style, words):
    said = model.describe("a person walks forward", style)
    assert said == [] if words is None else said[0].startswith(words)


def test_what_is_quoted_is_no_page(model):
    (said,) = model.describe("a person walks forward", "x" * 1000)
    assert said.startswith(f'the style "{"x" * 77}..." is far from anything trained on')
