"""Of several drafts the one is kept that is told best; the first of them is what one draft alone would be."""

import numpy as np
import pytest
import torch

from motifmix.errors import RequestError, WeightsError
from motifmix.features.interhuman import InterHumanSpace
from motifmix.mix.ingredients import Scaling
from motifmix.mix.schedules import Constant
from motifmix.mix.weights import Forced
from motifmix.models.duet_evaluator import DuetEvaluator
from motifmix.models.in2in import In2INIndividual, In2INInteraction
from motifmix.pipelines.drafts import Known, Reader, crowded
from motifmix.pipelines.duet import Duet, DuetModel
from motifmix.pretrained.cards import write_weights

SIZES = {"width": 16, "feed_forward": 16, "heads": 2, "text": 384, "blocks": 1}
ASKED = "two people greet each other", ("a person bows", "a person waves")


def model(kind) -> DuetModel:
    torch.manual_seed(0)
    network = kind(**SIZES).eval()
    torch.nn.init.normal_(network.output.weight, std=0.1)
    return DuetModel(
        network, Scaling(torch.linspace(-1.0, 1.0, 262), torch.ones(262)), {"steps": 1000, "text_scale": 19.6}
    )


class Wants:
    """Stands for a reader: wants the drafts with these numbers, of a scene and of each person."""

    def __init__(self, scene: int, people: tuple[int, ...] = ()) -> None:
        self.scene, self.people = scene, people
        self.seen: list[tuple[int, ...]] = []

    def of_pairs(self, clean, pairs, text, own):
        self.seen.append(tuple(clean.shape[:3]))
        return (torch.arange(len(clean)) == self.scene).float()

    def of_people(self, clean, own):
        return (torch.arange(len(clean))[:, None] == torch.tensor(self.people)).float()


@pytest.fixture
def duet() -> Duet:
    return Duet(model(In2INInteraction), model(In2INIndividual), override=Forced(Constant(0.5)))


def made(duet: Duet, reader, people=ASKED[1], **given):
    duet.__dict__["reader"] = reader
    composed = duet.compose(ASKED[0], people, seconds=1.0, steps=2, keep_apart=False, clean_feet=False, **given)
    assert {person.labels["drafts"] for person in composed.scene} == {
        given.get("drafts") or (1 if reader is None else 4)
    }
    return np.stack([person.joints for person in composed.scene]), composed.weights


@pytest.mark.parametrize("using", ["interaction", "individual", "mixed"])
def test_the_first_draft_is_the_scene_that_one_draft_gives(duet, using):
    alone, weights = made(duet, None, using=using)
    first, own = made(duet, Wants(0, (0, 0)), using=using, drafts=3)
    third, _ = made(duet, Wants(2, (2, 2)), using=using, drafts=3)
    np.testing.assert_allclose(first, alone, atol=1e-4)
    assert np.abs(third - alone).max() > 1e-3
    assert (weights is None) == (own is None) == (using != "mixed")
    if weights is not None and own is not None:
        np.testing.assert_allclose(own, weights, atol=1e-5)


def test_people_who_were_made_alone_are_chosen_alone(duet):
    both = [made(duet, Wants(0, (number, number)), using="individual", drafts=3)[0] for number in (1, 2)]
    mixed = made(duet, Wants(0, (1, 2)), using="individual", drafts=3)[0]
    np.testing.assert_allclose(mixed[0], both[0][0], atol=1e-5)
    np.testing.assert_allclose(mixed[1], both[1][1], atol=1e-5)


def test_drafts_of_three_people_are_read_pair_by_pair(duet):
    three = (*ASKED[1], "a person walks")
    reader = Wants(0)
    alone, _ = made(duet, None, three)
    first, _ = made(duet, reader, three, drafts=2)
    second, _ = made(duet, Wants(1), three, drafts=2)
    assert reader.seen == [(2, 2, 2)]
    np.testing.assert_allclose(first, alone, atol=1e-3)
    assert np.abs(second - alone).max() > 1e-3


@pytest.mark.parametrize(("drafts", "words"), [(0, "choose 1 to"), (33, "choose 1 to"), (2, "evaluators")])
def test_drafts_that_cannot_be_are_one_sentence(duet, drafts, words):
    with pytest.raises(RequestError, match=words):
        made(duet, None if drafts == 2 else Wants(0), drafts=drafts)


def evaluator(people: int) -> DuetEvaluator:
    torch.manual_seed(people)
    return DuetEvaluator(people, width=16, embedding=8, text_width=16, dilations=[[1], [1]]).eval()


@pytest.fixture
def reader() -> Reader:
    meanings = torch.nn.functional.normalize(torch.randn(5, 8, generator=torch.Generator().manual_seed(7)), dim=-1)
    return Reader(Known(evaluator(2), meanings), Known(evaluator(1), meanings), longest=40)


def drafts(frames: int = 40) -> torch.Tensor:
    people = torch.randn(3, 2, frames, 262, generator=torch.Generator().manual_seed(4))
    people[:, 1, :, 0] += 9.0  # nobody in anybody
    return people


def test_who_is_told_nothing_has_no_say(reader):
    text, own = torch.randn(384), torch.randn(2, 384)
    clean = drafts()[:, None]
    both = reader.of_pairs(clean, ((0, 1),), text, own)
    scene = reader.of_pairs(clean, ((0, 1),), text, 0 * own)
    people = reader.of_pairs(clean, ((0, 1),), 0 * text, own)
    torch.testing.assert_close(both, scene + people)
    one = reader.of_pairs(clean, ((0, 1),), 0 * text, own * torch.tensor([[1.0], [0.0]]))
    torch.testing.assert_close(one, reader.of_people(clean[:, 0], own)[:, 0])
    assert float(reader.of_pairs(clean, ((0, 1),), 0 * text, 0 * own).abs().max()) == 0.0


def test_where_people_stand_changes_nothing_and_how_they_stand_to_each_other_does(reader):
    text, own = torch.randn(384), torch.randn(2, 384)
    positions = slice(0, 66, 3)
    clean = drafts()
    shifted, apart = clean.clone(), clean.clone()
    shifted[..., positions] += 3.0
    apart[:, 1, :, positions] += 3.0
    before, after, far = (reader.of_pairs(each[:, None], ((0, 1),), text, own) for each in (clean, shifted, apart))
    torch.testing.assert_close(after, before, atol=1e-4, rtol=0)
    assert (far - before).abs().max() > 1e-3
    torch.testing.assert_close(reader.of_people(apart, own), reader.of_people(clean, own), atol=1e-4, rtol=0)


@torch.no_grad()
def test_what_is_longer_than_training_is_read_in_windows(reader):
    people, told = torch.cat([drafts(), drafts().flip(1)], dim=2)[:, :1], torch.randn(384)
    windows = [reader.person.found(people[:, :, start : start + 40], told, 40) for start in (0, 20, 40)]
    for whole, parts in zip(reader.person.found(people, told, 40), zip(*windows, strict=True), strict=True):
        torch.testing.assert_close(whole, torch.stack(parts).mean(dim=0))
        assert (parts[0] - parts[2]).abs().max() > 1e-4


@torch.no_grad()
def test_what_means_the_same_is_no_other_meaning(reader):
    people, told = drafts()[:, :1], torch.randn(384)
    own = reader.person.network.embed_texts(told[None])
    likely, near = reader.person.found(people, told, 40)
    same = Known(reader.person.network, torch.cat([reader.person.meanings, own]))
    torch.testing.assert_close(same.found(people, told, 40)[0], likely)
    none = Known(reader.person.network, own)
    torch.testing.assert_close(none.found(people, told, 40)[0], torch.ones(3))
    seen = reader.person.network.embed_motions(people, torch.ones(3, 40, dtype=torch.bool))
    torch.testing.assert_close(near, (seen @ own.T)[:, 0])
    rest = reader.person.network.log_temperature.exp() * seen @ torch.cat([own, reader.person.meanings]).T
    torch.testing.assert_close(likely, rest.softmax(dim=-1)[:, 0])


def test_evaluators_of_another_role_do_not_choose(tmp_path, monkeypatch):
    assert Reader.load(40, tmp_path) is not None  # they come with the package
    monkeypatch.setattr("motifmix.pretrained.duet_evaluators.PACKAGE_WEIGHTS", tmp_path / "package")
    assert Reader.load(40, tmp_path) is None
    for people, what in ((2, "interaction"), (1, "individual")):
        write_weights(
            tmp_path / f"weights-duets-evaluator-{what}-select", "evaluator", evaluator(people).state_dict(), name="evaluator",
            role="score", space=InterHumanSpace.name, licence="", credit=[], data=[], recipe="", commit="",
            architecture="duet_evaluator:DuetEvaluator",
            sizes={"people": people, "width": 16, "embedding": 8, "text_width": 16, "dilations": [[1], [1]]}, extra={},
        )  # fmt: skip
    with pytest.raises(WeightsError, match="may not select"):
        Reader.load(40, tmp_path)


def test_people_who_stand_in_each_other_are_not_kept():
    pair = torch.zeros(3, 2, 40, 262)
    pair[0, 1, :, 2] = 0.3  # all the time
    pair[1, 1, :10, 2], pair[1, 1, 10:, 2] = 0.3, 1.0
    pair[2, 1, :, 2] = 1.0
    assert crowded(pair).tolist() == [1.0, 0.25, 0.0]
    pair[..., 1] += torch.rand(3, 2, 40)  # heights are no room
    assert crowded(pair).tolist() == [1.0, 0.25, 0.0]

    class Deaf(Known):
        def found(self, people, vector, longest):
            return torch.zeros(len(people)), torch.zeros(len(people))

    nobody = Deaf(None, torch.zeros(0, 0))  # pyright: ignore[reportArgumentType]
    scores = Reader(nobody, nobody, 40).of_pairs(pair[:, None], ((0, 1),), torch.zeros(384), torch.zeros(2, 384))
    assert scores.argmax() == 2 and scores.argmin() == 0
