"""The evaluators of pairs and people: what they learn from, and what their cards say."""

import numpy as np
import pytest
import torch
from tests.data.duet_clips import prepared_people

from motifmix.data.duets.interactions import BY_NAME
from motifmix.data.duets.preparing import Counts, prepare_duets
from motifmix.errors import DataError
from motifmix.pretrained.cards import read_card
from motifmix.pretrained.duet_evaluators import ALIKE, load_meanings
from motifmix.training.objectives.duets.evaluator import DuetEvaluatorObjective

SIZES = {"width": 16, "embedding": 8, "text_width": 16, "dilations": [[1], [1]], "dropout": 0.0}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    people = prepared_people(folder / "data" / "bandai")
    chosen = [BY_NAME[name] for name in ("wave-back", "chase")]
    prepare_duets(folder / "data" / "duets", sets=[people.folder], counts=Counts(3, 1, 1), interactions=chosen)
    return folder


@pytest.fixture(autouse=True)
def home(place, monkeypatch):
    monkeypatch.setenv("MOTIFMIX_HOME", str(place))


@pytest.mark.parametrize(("people", "data"), [(2, ["duets"]), (1, ["duets", "bandai"])])
def test_an_evaluator_learns_a_batch_and_says_its_role(people, data, tmp_path):
    options = {"people": people, "batch": 8, "network": SIZES, "role": "select"}
    objective = DuetEvaluatorObjective(data, options, 0)

    def loss():
        return objective.losses(objective.modules, torch.Generator().manual_seed(0), np.random.default_rng(0))

    first = loss()[0]
    optimizer = torch.optim.Adam(objective.modules.parameters(), 1e-2)
    for _ in range(20):
        optimizer.zero_grad()
        loss()[0].backward()
        optimizer.step()
    assert loss()[0] < 0.9 * first
    objective.save(objective.modules, tmp_path, {"recipe": "none", "commit": "none"})
    meanings = load_meanings(tmp_path)
    likeness = meanings @ meanings.T - 2 * torch.eye(len(meanings))
    assert 2 <= len(meanings) <= len(objective.row) and float(likeness.max()) <= ALIKE + 1e-2  # kept in half precision
    card = read_card(tmp_path / "evaluator.yaml")
    assert card.role == "select" and card.sizes["people"] == people and "nobody" in card.credit


def test_pairs_alone_teach_interactions():
    with pytest.raises(DataError, match="pairs alone"):
        DuetEvaluatorObjective(["duets", "bandai"], {"network": SIZES}, 0)
    with pytest.raises(DataError, match="data prepare duets-foreign"):
        DuetEvaluatorObjective(["duets", "duets-foreign"], {"network": SIZES}, 0)


def test_nothing_but_training_clips_and_trained_words_is_learned():
    objective = DuetEvaluatorObjective(["duets", "bandai"], {"people": 1, "batch": 4, "network": SIZES}, 0)
    rng = np.random.default_rng(0)
    assert {objective.pairs[0].split} == {"train"} and {pairs.split for pairs in objective.held_out} == {"val"}
    shown = [objective.pairs[0].draw(rng) for _ in range(40)]
    assert {one.label for one in shown} == {"wave-left-hand", "wave-right-hand", "run"}
    assert all(one.motion.shape[1:] == (1, 262) for one in shown)
    assert objective.singles is not None
    assert {clip.split for clip in objective.singles.clips.clips} == {"train"}
