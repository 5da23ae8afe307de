import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from motifmix.errors import RequestError, WeightsError
from motifmix.evaluation.body_overlap import overlap_volume
from motifmix.features.interhuman import InterHumanSpace
from motifmix.mix.ingredients import Scaling
from motifmix.mix.schedules import Constant, Exponential
from motifmix.mix.weights import Forced
from motifmix.models.in2in import In2INIndividual, In2INInteraction
from motifmix.models.intergen import InterGenDenoiser
from motifmix.models.mdm import MDM, IndividualMDM
from motifmix.models.mixer import Mixer
from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot
from motifmix.pipelines.duet import STRENGTHS, Duet, DuetModel
from motifmix.pipelines.loading import load_duet
from motifmix.pretrained.cards import write_weights

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
    for people, seconds, most in ((("a", "b"), 12.5, 12), (("a", "b", "c"), 4.5, 4), (("a", "b"), 0.5, 12)):
        with pytest.raises(RequestError, match=f"last 1 to {most} s"):
            duet.generate("two greet", people, seconds=seconds, using="interaction")
    with pytest.raises(RequestError, match="choose 5 to 50"):
        duet.generate("two greet", ("a", "b"), steps=0, using="interaction")
    mixed = Duet(model(In2INInteraction, blocks=1), model(In2INIndividual, blocks=1))
    with pytest.raises(RequestError, match="Mixer or forced"):
        mixed.generate("two greet", ("a", "b"))


@pytest.mark.parametrize("using", ["interaction", "individual", "mixed"])
def test_what_is_longer_than_training_goes_in_overlapping_windows(using):
    duet = Duet(model(In2INInteraction, blocks=1), model(In2INIndividual, blocks=1), override=Forced(Constant(0.5)))
    seen: list[int] = []
    for one in (duet.interaction, duet._alone()):
        denoise = one.network.denoise

        def watched(noisy, *rest, denoise=denoise):
            seen.append(noisy.shape[1])
            return denoise(noisy, *rest)

        one.network.denoise = watched
    composed = duet.compose("two greet", ("one bows", "one waves"), seconds=6.0, steps=2, using=using)
    assert [person.frames for person in composed.scene] == [180, 180] and set(seen) == {120}
    assert (composed.weights is not None) == (using == "mixed")
    if using == "mixed":
        assert composed.weights is not None and composed.weights.shape == (2, 2, 180, 1)
        duet.further["another"] = duet._alone()
        three = duet.compose("two greet", ("one bows", "one waves"), seconds=6.0, steps=2)
        assert three.shares["another"].shape == (2, 2, 180, 1)


@pytest.mark.parametrize("people", [2, 3])
def test_feet_rest_when_the_models_say_so_and_nobody_is_moved(people, monkeypatch):
    duet = Duet(model(In2INInteraction, blocks=1), model(In2INIndividual, blocks=1), override=Forced(Constant(0.5)))
    told, asked = ("two greet", ["one waves"] * people), {"seconds": 1.0, "steps": 2, "keep_apart": False}
    plain = duet.generate(*told, clean_feet=False, **asked)
    clean = duet.generate(*told, **asked)
    for before, after in zip(plain, clean, strict=True):
        np.testing.assert_allclose(before.root[:, [0, 2]], after.root[:, [0, 2]])
    seen, held = [], []
    resting = InterHumanSpace.resting
    monkeypatch.setattr(
        InterHumanSpace, "resting", lambda self, features: seen.append(resting(self, features)) or seen[-1]
    )
    monkeypatch.setattr("motifmix.pipelines.settling.held", lambda person, rests: held.append(rests) or person)
    duet.generate(*told, **asked)
    assert len(held) == people and all(one is other for one, other in zip(seen, held, strict=True))
    assert 0.0 < np.mean(held) < 1.0


def test_mixing_weights_are_those_of_the_steps():
    duet = Duet(model(In2INInteraction, blocks=1), model(In2INIndividual, blocks=1), override=Forced(Exponential()))
    asked = {"seconds": 1.0, "steps": 2}
    mixed = duet.compose("two greet", ("one bows", "one waves"), **asked)
    assert mixed.weights is not None and mixed.weights.shape == (2, 2, 1, 1) and len(mixed.steps) == 2
    assert mixed.weights[0].mean() > mixed.weights[-1].mean() and mixed.steps[0] > mixed.steps[-1]
    assert duet.compose("two greet", ("", ""), using="interaction", **asked).weights is None


@pytest.mark.parametrize("using", ["interaction", "individual", "mixed"])
def test_people_are_kept_out_of_each_other(using, monkeypatch):
    monkeypatch.setattr("motifmix.pipelines.duet.BESIDE", 0.1)  # individual people stand in one place
    same = model(In2INInteraction, blocks=1)
    mean = torch.from_numpy(InterHumanSpace().encode(standing()).mean(axis=0))
    one = replace(same, scaling=Scaling(mean, torch.full((262,), 1e-4)))  # whatever is said, they stand where he stands
    duet = Duet(one, replace(model(In2INIndividual, blocks=1), scaling=one.scaling), override=Forced(Constant(0.5)))
    asked = {"seconds": 1.0, "steps": 2, "using": using, "clean_feet": False}
    free = duet.generate("two greet", ("one bows", "one waves"), keep_apart=False, **asked)
    apart = duet.generate("two greet", ("one bows", "one waves"), **asked)
    assert overlap_volume(*free).mean() > 20.0 and overlap_volume(*apart).mean() < 1.0


def standing():
    rotations = np.tile(rot.IDENTITY, (31, len(MOTIFMIX), 1))
    return Motion(MOTIFMIX, rotations, np.tile([0.0, 0.95, 0.0], (31, 1)), 30.0)


def put(folder, network, architecture, part="denoiser", space="interhuman_262", **sizes):
    common = {
        "role": "generate", "space": space, "licence": "free", "credit": ["Somebody"], "data": [], "recipe": "none",
        "commit": "none",
    }  # fmt: skip
    write_weights(
        folder, part, network.state_dict(), name=part, architecture=architecture, sizes=sizes,
        extra={"steps": 1000, "text_scale": 19.6, "interaction": "interaction", "individual": "individual"}, **common,
    )  # fmt: skip
    if part == "denoiser":
        width = 263 if space == "humanml3d_263" else 262
        tensors = {"motion.mean": torch.linspace(-1.0, 1.0, width), "motion.std": torch.ones(width)}
        write_weights(
            folder, "statistics", tensors, exact=True, name="statistics", architecture="none", sizes={}, **common
        )


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """A home in which recipes have trained the small pair."""
    monkeypatch.setenv("MOTIFMIX_HOME", str(tmp_path))
    monkeypatch.setattr("motifmix.pipelines.loading.PACKAGE_WEIGHTS", tmp_path / "none")
    sizes = {**SIZES, "blocks": 1}
    put(tmp_path / "weights-duets-interaction", In2INInteraction(**sizes), "in2in:In2INInteraction", **sizes)
    put(tmp_path / "weights-duets-individual", In2INIndividual(**sizes), "in2in:In2INIndividual", **sizes)
    return tmp_path


def test_models_are_found_at_home_or_in_a_folder(trained):
    asked = "two people greet each other", ("a person bows", "a person waves")
    scene = load_duet().generate(*asked, seconds=1.0, steps=2)
    assert [person.labels["credit"] for person in scene] == ["Somebody"] * 2
    assert scene.people[1].labels["text"] == "a person waves"
    (trained / "mine").mkdir()
    for role in ("interaction", "individual"):
        (trained / f"weights-duets-{role}").rename(trained / "mine" / role)
    sizes = {"width": 16, "feed_forward": 16, "blocks": 1, "heads": 2, "text": 384}
    put(trained / "mine" / "mixer", Mixer(**sizes), "mixer:Mixer", part="mixer", **sizes)
    duet = load_duet(trained / "mine")
    assert duet.override is None and duet.weigh is not None
    learned = duet.compose(*asked, seconds=1.0, steps=2).weights
    assert learned is not None and learned.shape == (2, 2, 30, 23)


def test_models_are_mixed_in_by_their_folders(trained):
    sizes: dict[str, Any] = {**SIZES, "blocks": 1}
    sizes_of_mdm: dict[str, Any] = {**SIZES, "layers": 1}
    put(trained / "weights-duets-interaction-intergen", InterGenDenoiser(**sizes), "intergen:InterGenDenoiser", **sizes)
    put(trained / "mine", IndividualMDM(**sizes_of_mdm), "mdm:IndividualMDM", **sizes_of_mdm)
    folders = trained / "mine", trained / "weights-duets-interaction-intergen"
    asked = "two people greet each other", ("a person bows", "a person waves")
    shares = load_duet(further=folders).compose(*asked, seconds=1.0, steps=2).shares
    assert list(shares) == ["interaction", "individual", "mine", "interaction-intergen"]
    np.testing.assert_array_equal(shares["individual"], shares["mine"])
    np.testing.assert_allclose(shares["interaction"], shares["interaction-intergen"], atol=1e-6)
    with pytest.raises(WeightsError, match="one name"):
        load_duet(further=[trained / "mine", trained / "mine"])
    with pytest.raises(WeightsError, match="none"):
        load_duet(further=[trained / "none"])
    sizes["text"] = 768
    put(trained / "large", In2INIndividual(**sizes), "in2in:In2INIndividual", **sizes)
    with pytest.raises(WeightsError, match="large: this model reads 768 numbers of text"):
        load_duet(further=[trained / "large"])


def test_a_model_of_humanml3d_at_20_frames_a_second_is_mixed_in(trained):
    sizes: dict[str, Any] = {**SIZES, "layers": 1}
    other = trained / "walker"
    put(other, MDM(**sizes), "mdm:MDM", space="humanml3d_263", **sizes)
    asked = "two people greet each other", ("a person bows", "a person waves", "a person bows")
    duet = load_duet(further=[other])
    for people in (2, 3):
        composed = duet.compose(asked[0], asked[1][:people], seconds=1.0, steps=2, keep_apart=False)
        assert list(composed.shares) == ["interaction", "individual", "walker"]
        assert [person.frames for person in composed.scene] == [30] * people
        assert all(np.isfinite(person.joints).all() for person in composed.scene)
    again = duet.compose(asked[0], asked[1], seconds=1.0, steps=2, keep_apart=False)
    np.testing.assert_array_equal(again.scene.people[0].joints, composed.scene.people[0].joints)
    alone = Duet(duet.interaction, DuetModel.load(other), override=Forced(Constant(0.5)))
    assert len(alone.generate(asked[0], asked[1][:2], seconds=1.0, steps=2)) == 2
    sizes = {**SIZES, "blocks": 1}
    put(trained / "weights-duets-mixer", Mixer(**sizes), "mixer:Mixer", part="mixer", **sizes)
    by_mixer = load_duet(further=[other]).compose(asked[0], asked[1][:2], seconds=1.0, steps=2, keep_apart=False)
    assert by_mixer.shares["walker"].shape == (2, 2, 1, 1)  # one weight for all frames and joints
    longer = load_duet(further=[other]).generate(asked[0], asked[1][:2], seconds=5.0, steps=2, keep_apart=False)
    assert all(np.isfinite(person.joints).all() for person in longer)
    with pytest.raises(RequestError, match="humanml3d_263: it is mixed with others"):
        alone.generate(asked[0], asked[1][:2], steps=2, using="individual")
    put(
        trained / "unlike",
        In2INIndividual(**SIZES, blocks=1),
        "in2in:In2INIndividual",
        space="humanml3d_263",
        **SIZES,
        blocks=1,
    )
    with pytest.raises(WeightsError, match="there is no adapter"):
        load_duet(further=[trained / "unlike"])


def test_what_is_not_there_or_does_not_fit_is_one_sentence(trained):
    with pytest.raises(WeightsError, match="holds no folder 'interaction'"):
        load_duet(trained / "weights-duets-interaction")
    sizes = {"width": 16, "feed_forward": 16, "blocks": 1, "heads": 2, "text": 768}
    put(trained / "weights-duets-mixer", Mixer(**sizes), "mixer:Mixer", part="mixer", **sizes)
    with pytest.raises(WeightsError, match="768 numbers of text"):
        load_duet()
    alone = In2INIndividual(**SIZES, blocks=1)
    put(trained / "weights-duets-individual", alone, "in2in:In2INIndividual", space="humanml3d_263", **SIZES, blocks=1)
    with pytest.raises(WeightsError, match="no adapter"):
        load_duet()
    (trained / "weights-duets-interaction" / "denoiser.yaml").unlink()
    with pytest.raises(WeightsError, match=r"motifmix train recipes/duets/interaction\.yaml"):
        load_duet()


def test_guidance_is_as_strong_as_the_tables_tuning_chose():
    rows = json.loads((Path(__file__).parents[2] / "docs" / "composition_scores" / "guidance.json").read_text("utf-8"))
    tuned = {"mixed": "Mixer [ST], led", "interaction": "interaction", "individual": "individual"}
    assert {name: rows[key]["strength"] for name, key in tuned.items()} == STRENGTHS
