"""Of several drafts the one is kept that is told best; the first of them is what one draft alone would be."""

from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch

from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.discrete import DiscreteSchedule, cosine_betas
from motifmix.errors import RequestError, WeightsError
from motifmix.features.interhuman import InterHumanSpace
from motifmix.mix.ingredients import Scaling
from motifmix.mix.schedules import Constant, original_step
from motifmix.mix.weights import Forced
from motifmix.models.duet_evaluator import DuetEvaluator
from motifmix.models.in2in import In2INIndividual, In2INInteraction
from motifmix.pipelines import duet as duet_pipeline
from motifmix.pipelines.drafts import (
    DRAFTS,
    FINISHED,
    LEAST_DRAFTS,
    READ_AT,
    Known,
    Reader,
    crowded,
    culled,
    drafts_for,
)
from motifmix.pipelines.duet import Duet, DuetModel
from motifmix.pipelines.walks import Walk, Walked
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
    """Stands for a reader: wants the drafts with these numbers, of a scene and of each person, the lower ones next."""

    def __init__(self, scene: int, people: tuple[int, ...] = ()) -> None:
        self.scene, self.people = scene, people
        self.seen: list[tuple[int, ...]] = []
        self.left: list[int] = []

    def of_pairs(self, clean, pairs, text, own):
        self.seen.append(tuple(clean.shape[:3]))
        return self.scores(len(clean), (self.scene,))[:, 0]

    def of_people(self, clean, own):
        self.seen.append(tuple(clean.shape[:2]))
        return self.scores(len(clean), self.people)

    def scores(self, count: int, wanted: tuple[int, ...]) -> torch.Tensor:
        """Know the drafts by their places: all of them first, then those that it wanted most."""
        self.left = self.left if len(self.left) == count else list(range(count))
        numbers = torch.tensor(self.left)[:, None]
        scores = 100.0 * (numbers == torch.tensor(wanted)) - numbers
        if count > FINISHED:
            self.left = sorted({self.left[place] for place in scores.topk(FINISHED, dim=0).indices.flatten().tolist()})
        return scores


class Leaning:
    """Stands for a Mixer: says of every draft and step something else, to whoever asks."""

    def __call__(self, others, anchor, timesteps, condition, valid):
        own = anchor[..., :66].mean(dim=(-1, -2)) + timesteps[:, None] / 500.0
        return own[:, None, :, None, None].sin().expand(-1, others.shape[1], -1, -1, -1)


@pytest.fixture
def duet() -> Duet:
    return Duet(model(In2INInteraction), model(In2INIndividual), override=Forced(Constant(0.5)))


def made(duet: Duet, reader, people=ASKED[1], **given):
    duet.__dict__["reader"] = reader
    given = {"seconds": 1.0, "steps": 2, **given}
    composed = duet.compose(ASKED[0], people, keep_apart=False, clean_feet=False, **given)
    assert {person.labels["drafts"] for person in composed.scene} == {
        given.get("drafts") or (1 if reader is None else DRAFTS)
    }
    return np.stack([person.joints for person in composed.scene]), composed.weights


def test_other_drafts_that_went_on_come_along_where_they_are_asked_for(duet, reader):
    duet.__dict__["reader"] = reader
    asked = {"seconds": 1.0, "steps": 10, "drafts": 4}
    best = duet.compose(*ASKED, **asked, alternatives=True)
    (other,) = best.others
    assert not duet.compose(*ASKED, **asked).others
    assert not duet.compose(*ASKED, **asked, using="individual", alternatives=True).others
    assert np.abs(best.scene.people[0].joints - other.scene.people[0].joints).max() > 0.01
    assert other.weights is not None and other.weights.shape == best.weights.shape and other.steps == best.steps
    assert [scene is own.loose for (scene, _), own in zip(best.drafts, (best, other), strict=True)] == [True, True]
    assert [len(rests) for _, rests in best.drafts] == [2, 2]


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


@pytest.mark.parametrize(
    "given",
    [{"using": "interaction"}, {"using": "individual"}, {"using": "mixed", "steps": 6}, {"using": "mixed", "steps": 8},
     {"using": "mixed", "seconds": 6.0}, {"using": "interaction", "seconds": 6.0}, {"people": (*ASKED[1], "a person walks")}],
    ids=["interaction", "individual", "mixed, 6", "mixed, 8", "long", "long, one model", "group"],
)  # fmt: skip
def test_drafts_that_are_left_behind_change_nothing_of_those_that_go_on(duet, given, monkeypatch):
    given = {"steps": 7, **given}
    reader, duet.override, duet.weigh = Wants(4, (4, 3)), None, Leaning()  # which says the same for two steps
    found, weights = made(duet, reader, drafts=6, **given)
    monkeypatch.setattr(duet_pipeline, "culled", partial(culled, finished=6))
    whole, own = made(duet, Wants(4, (4, 3)), drafts=6, **given)
    if "people" in given:  # where three of an untrained model have room in one world turns on the last bit
        found, whole = (np.linalg.norm(own - own[:, :, :1], axis=-1) for own in (found, whole))
    np.testing.assert_allclose(found, whole, atol=1e-4)
    assert [seen[0] for seen in reader.seen] == [6, 3 if given.get("using") == "individual" else FINISHED]
    if weights is not None and own is not None:
        np.testing.assert_allclose(weights, own, atol=1e-4)
        assert np.abs(np.diff(own.mean(axis=(1, 2, 3)))).max() > 1e-3


def test_longer_scenes_and_more_people_begin_fewer_drafts():
    assert [drafts_for(size) for size in (0.25, 1.0, 2.0, 3.0, 15.0)] == [
        DRAFTS,
        DRAFTS,
        DRAFTS // 2,
        LEAST_DRAFTS,
        LEAST_DRAFTS,
    ]


def test_the_best_go_on_from_where_all_of_them_were_read():
    levels = DiscreteSchedule.of(cosine_betas(1000)).early(10).levels()
    asked = []

    def along(states, condition, valid, ahead):
        for level, _ in pairwise(ahead):
            whole, parts = states
            told = condition.parts["text"].value
            asked.append((original_step(level), len(told), len(parts)))
            states = whole + told, parts + told.repeat(2, 1)
            yield Walked(states, whole, told)

    told = torch.arange(5.0)[:, None]
    walk = Walk(along, (10.0 * told, torch.cat([told, 100.0 + told])), Condition({"text": Part(told, told[:, 0] > 0)}),
                torch.ones(5, 1, dtype=torch.bool))  # fmt: skip
    *_, last = culled(walk, levels, lambda clean: -(clean[:, 0] - 30.0).abs(), finished=2)
    early = sum(step > READ_AT for step, *_ in asked) + 1
    assert [rows[1:] for rows in asked] == [(5, 10)] * early + [(2, 4)] * (10 - early) and 0 < early < 10
    assert last.numbers == (2, 3) and last.weights is not None
    torch.testing.assert_close(last.clean, torch.tensor([[20.0 + 9 * 2.0], [30.0 + 9 * 3.0]]))
    every = [step.numbers for step in culled(walk, levels, lambda clean: clean[:, 0], finished=5)]
    assert every == [(0, 1, 2, 3, 4)] * 10
    for hold, left_at in ((1, early), (3, 3 * -(-early // 3)), (10, 10)):
        held = [
            step.numbers for step in culled(replace(walk, every=hold), levels, lambda clean: clean[:, 0], finished=2)
        ]
        assert [len(numbers) for numbers in held] == [5] * left_at + [2] * (10 - left_at)


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
