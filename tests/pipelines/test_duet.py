import numpy as np
import pytest
import torch

from motifmix.errors import RequestError
from motifmix.mix.ingredients import Scaling
from motifmix.mix.schedules import Constant
from motifmix.mix.weights import Forced
from motifmix.models.in2in import In2INIndividual, In2INInteraction
from motifmix.models.intergen import InterGenDenoiser
from motifmix.models.mdm import IndividualMDM
from motifmix.pipelines.duet import Duet, DuetModel

SIZES = {"width": 16, "feed_forward": 16, "heads": 2, "text": 384}


def model(kind, **sizes):
    torch.manual_seed(0)
    network = kind(**SIZES, **sizes).eval()
    torch.nn.init.normal_(network.output.weight, std=0.1)
    mean = torch.linspace(-1.0, 1.0, 262)
    return DuetModel(network, Scaling(mean, torch.ones(262)), {"steps": 1000, "text_scale": 19.6})


@pytest.mark.parametrize(("pair", "individual"), [(In2INInteraction, {"blocks": 1}), (InterGenDenoiser, {"layers": 1})])
def test_two_people_by_either_model_or_both(pair, individual):
    kind = IndividualMDM if "layers" in individual else In2INIndividual
    duet = Duet(model(pair, blocks=1), model(kind, **individual), override=Forced(Constant(0.5)))
    asked = "two people greet each other", ("a person bows", "a person waves")
    for using in ("interaction", "individual", "mixed"):
        scene = duet.generate(*asked, seconds=1.0, steps=2, using=using)
        again = duet.generate(*asked, seconds=1.0, steps=2, using=using)
        other = duet.generate(*asked, seconds=1.0, steps=2, using=using, seed=1)
        assert len(scene) == 2 and scene.fps == 30.0 and {person.frames for person in scene} == {30}
        np.testing.assert_array_equal(scene.people[0].joints, again.people[0].joints)
        assert np.abs(scene.people[0].joints - other.people[0].joints).max() > 1e-4


def test_what_cannot_be_made_is_one_sentence():
    duet = Duet(model(In2INInteraction, blocks=1))
    for arguments, words in (
        ((("two greet"), ("one",)), "two sentences"),
        (("", ("", " ")), "nothing is said"),
        (("two greet", ("a", "b")), "no model of one person"),
    ):
        with pytest.raises(RequestError, match=words):
            duet.generate(*arguments)
    with pytest.raises(RequestError, match="these models make"):
        duet.generate("two greet", ("a", "b"), seconds=9.0, using="interaction")
    with pytest.raises(RequestError, match="choose 10, 20 or 50"):
        duet.generate("two greet", ("a", "b"), steps=0, using="interaction")
    mixed = Duet(model(In2INInteraction, blocks=1), model(In2INIndividual, blocks=1))
    with pytest.raises(RequestError, match="Mixer or forced"):
        mixed.generate("two greet", ("a", "b"))
