"""Scenes of three people and more, and mixtures of three models and more."""

from typing import Any

import numpy as np
import pytest
import torch

from motifmix.errors import RequestError, WeightsError
from motifmix.mix.ingredients import Scaling
from motifmix.mix.schedules import Exponential
from motifmix.mix.weights import Divided, Forced, LearnedWeights
from motifmix.models.in2in import In2INIndividual, In2INInteraction
from motifmix.models.intergen import InterGenDenoiser
from motifmix.models.mdm import IndividualMDM
from motifmix.models.mixer import Mixer
from motifmix.pipelines.duet import Duet, DuetModel
from motifmix.pipelines.group_scene import checked_pairs, of_two

SIZES = {"width": 16, "feed_forward": 16, "heads": 2, "text": 384}
ASKED = "three people greet each other", ("a person bows", "a person waves", "a person nods")
QUICK: dict[str, Any] = {"seconds": 1.0, "steps": 2}


def model(kind, seed=0, steps=1000, **sizes):
    torch.manual_seed(seed)
    network = kind(**SIZES, **(sizes or {"blocks": 1})).eval()
    torch.nn.init.normal_(network.output.weight, std=0.1)
    mean = torch.linspace(-1.0, 1.0, 262)
    return DuetModel(network, Scaling(mean, torch.ones(262)), {"steps": steps, "text_scale": 19.6})


def pair(**options) -> Duet:
    return Duet(model(In2INInteraction), model(In2INIndividual, 1), override=Forced(Exponential()), **options)


@pytest.mark.parametrize("using", ["interaction", "individual", "mixed"])
def test_three_people_and_more_by_any_model(using):
    composed = pair().compose(*ASKED, **QUICK, using=using)
    assert len(composed.scene) == 3 and {person.frames for person in composed.scene} == {30}
    assert composed.scene.people[2].labels["text"] == "a person nods"
    again = pair().compose(*ASKED, **QUICK, using=using, pairs=None if using == "individual" else [(0, 1), (0, 2)])
    for one, other in zip(composed.scene, again.scene, strict=True):
        np.testing.assert_array_equal(one.joints, other.joints)
    if using == "mixed":
        assert composed.weights is not None and composed.weights.shape == (2, 3, 1, 1)
        everybody = pair().generate("four people dance", ["one dances"] * 4, **QUICK, pairs=[(0, 1), (2, 3), (1, 2)])
        assert len(everybody) == 4


def test_two_people_are_asked_as_ever():
    asked = "two people greet each other", ("a person bows", "a person waves")
    before, named, turned = (pair().generate(*asked, **QUICK, pairs=own) for own in (None, [(0, 1)], [(1, 0)]))
    for scene in (named, turned):
        np.testing.assert_array_equal(before.people[1].joints, scene.people[1].joints)


@pytest.mark.parametrize("asked", [("two greet", ("a person bows", "a person waves")), ASKED])
def test_four_models_are_mixed_by_a_mixer_or_a_schedule(asked):
    further = {"mdm": model(IndividualMDM, 2, layers=1), "intergen": model(InterGenDenoiser, 3)}
    torch.manual_seed(0)
    mixer = LearnedWeights(Mixer(width=16, feed_forward=16, blocks=1, heads=2, text=384).eval())
    scheduled = Divided(Exponential(), (False, False, True))
    alone = pair().generate(*asked, **QUICK)
    two = model(In2INInteraction), model(In2INIndividual, 1)
    for duet in (Duet(*two, mixer, further=further), Duet(*two, override=scheduled, further=further)):
        composed = duet.compose(*asked, **QUICK)
        shares = composed.shares
        assert list(shares) == ["interaction", "individual", "mdm", "intergen"]
        np.testing.assert_allclose(sum(shares.values()), 1.0, atol=1e-6)
        assert min(own.min() for own in shares.values()) >= 0.0 and shares["mdm"].shape[:2] == (2, len(asked[1]))
        assert np.abs(composed.scene.people[0].joints - alone.people[0].joints).max() > 1e-3


def test_a_schedule_is_divided_between_kinds_and_of_two_models_it_is_the_schedule():
    steps = torch.tensor([1000.0, 300.0])
    two = Divided(Exponential(), (False,))(None, steps)
    torch.testing.assert_close(two, Forced(Exponential())(None, steps))
    shares = Divided(Exponential(), (False, True, False))(None, steps)[:, :, 0, 0, 0]
    torch.testing.assert_close(shares[:, 0] + shares[:, 2], two.flatten())
    torch.testing.assert_close(shares[:, 1], (1 - two.flatten()) / 2)
    with pytest.raises(ValueError, match="needs one of each"):
        Divided(Exponential(), (True,))


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([(0, 1), (0, 3)], "pair 1-4: person 4 does not exist; this scene has persons 1 to 3"),
        ([(0, 1), (2, 2)], "pair 3-3: a pair is two different people"),
        ([(0, 1), (1, 2), (1, 0)], "pair 2-1 is named twice"),
        ([(0, 1)], "person 3 interacts with nobody"),
        ([], "person 1 interacts with nobody"),
    ],
)
def test_pairs_that_cannot_be_are_one_sentence(pairs, words):
    with pytest.raises(RequestError, match=words):
        checked_pairs(pairs, 3)
    with pytest.raises(RequestError, match=words):
        pair().generate(*ASKED, pairs=pairs)


def test_who_is_too_few_or_too_many_and_models_that_do_not_fit():
    with pytest.raises(RequestError, match="up to 8 people one each; 9 are here"):
        pair().generate("nine people greet", ["a person waves"] * 9)
    with pytest.raises(WeightsError, match="old: this model was trained with steps 500"):
        pair(further={"old": model(In2INIndividual, steps=500)})


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("three people greet each other", "two people greet each other"),
        ("Four dancers turn, all people bow", "two dancers turn, two people bow"),
        ("one person chases the others", "one person chases the other"),
        ("two people greet", "two people greet"),
        ("a person takes three steps", "a person takes three steps"),
    ],
)
def test_the_model_of_two_is_told_of_two(said, told):
    assert of_two(said) == told
