"""Words by retrieval: the nearest motion's style stands for them."""

import numpy as np
import torch

from motifmix.pipelines.baselines.retrieved import Retrieved

from .test_style_transfer import striding


def test_words_become_the_nearest_motion_of_the_bank(model):
    motions = [striding(seconds) for seconds in (1.5, 2.0, 3.0)]
    retrieved = Retrieved(model, motions)
    with torch.no_grad():
        spoken = model.text_to_style(model.text_vectors(["old"]))[0]
    likeness = [torch.cosine_similarity(spoken, model.style_vector(motion), dim=0) for motion in motions]
    nearest = motions[int(np.argmax(likeness))]
    assert retrieved.nearest("old") is nearest
    options = {"seconds": 1.0, "seeds": [3], "steps": 2}
    by_words = retrieved.generate(["a person walks"], styles=["old"], **options)[0]
    by_motion = model.generate(["a person walks"], styles=[nearest], **options)[0]
    np.testing.assert_array_equal(by_words.joints, by_motion.joints)


def test_what_is_no_word_is_handed_on(model):
    retrieved = Retrieved(model, [striding()])
    options = {"seconds": 1.0, "seeds": [3, 4], "steps": 2}
    ours = retrieved.generate(["a person walks"] * 2, styles=[None, striding(1.5)], **options)
    own = model.generate(["a person walks"] * 2, styles=[None, striding(1.5)], **options)
    for one, other in zip(ours, own, strict=True):
        np.testing.assert_array_equal(one.joints, other.joints)
