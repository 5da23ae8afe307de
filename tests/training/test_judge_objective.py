from pathlib import Path

import numpy as np
import pytest
import torch
from tests.evaluation.prepared_set import made_up_sets

from motifmix.data.prepared import Prepared
from motifmix.errors import MotifmixError
from motifmix.pretrained.judges import load_judge, load_retrieval_judge
from motifmix.training.judge_pool import JudgePool
from motifmix.training.judge_trials import train_probe
from motifmix.training.objectives.judge import JudgesObjective
from motifmix.training.objectives.recognition import JudgeBatch, recognition_loss, retrieval_loss

NET = {"width": 16, "dilations": [[], [1]], "feature_dim": 16}
OPTIONS = {
    "judges": {
        "score": {"kind": "recogniser", "role": "score", "seed": 1, "batch": 6, "net": NET},
        "guide": {"kind": "recogniser", "role": "guide", "seed": 2, "batch": 6, "net": {**NET, "pooling": "moments"}},
        "retrieval": {"kind": "retrieval", "role": "score", "seed": 3, "batch": 6, "net": NET},
    }
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    made_up_sets(folder / "data")
    return folder


@pytest.fixture
def objective(home: Path, monkeypatch: pytest.MonkeyPatch) -> JudgesObjective:
    monkeypatch.setenv("MOTIFMIX_HOME", str(home))
    return JudgesObjective(["bandai", "cmu"], OPTIONS, seed=0)


def draw(objective: JudgesObjective, step: int) -> tuple[torch.Tensor, dict[str, float]]:
    torch.manual_seed(step)
    return objective.loss(torch.Generator().manual_seed(step), np.random.default_rng(step))


def test_every_judge_learns_and_the_step_decides_the_batch(objective: JudgesObjective):
    loss, figures = draw(objective, 1)
    loss.backward()
    assert {name.split("_")[0] for name in figures} == {"score", "guide", "retrieval"}
    for network in objective.modules.values():
        assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
    again, _ = draw(objective, 1)
    other, _ = draw(objective, 2)
    assert torch.equal(loss, again) and not torch.equal(loss, other)


def test_a_judge_alone_sees_what_it_sees_beside_the_others(
    objective: JudgesObjective, home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MOTIFMIX_HOME", str(home))
    alone = JudgesObjective(["bandai", "cmu"], {**OPTIONS, "only": "guide"}, seed=0)
    assert list(alone.modules) == ["guide"]
    for module in (*objective.modules.values(), *alone.modules.values()):
        module.eval()  # dropout draws from the one global generator
    assert draw(alone, 3)[1]["guide_content_loss"] == pytest.approx(
        draw(objective, 3)[1]["guide_content_loss"], rel=1e-5
    )


def test_only_the_training_side_teaches(objective: JudgesObjective):
    assert {item.clip.split for item in objective.pool.clips} == {"train"}
    assert objective.captioned is not None
    assert {item.clip.split for item in objective.captioned.clips} == {"train"}


def test_saved_judges_are_loaded_with_their_figures(objective: JudgesObjective, tmp_path: Path):
    objective.save(objective.modules.eval(), tmp_path, {"recipe": "judge", "commit": "none"})
    score = load_judge("score", tmp_path / "judges")
    assert score.card.numbers["held_out"]["set 2, held-out takes"]["style"]["clips"] == 69
    evaluator = load_retrieval_judge(tmp_path / "judges")
    assert evaluator.card.numbers["held_out"]["windows"] == 40
    assert load_judge("guide", tmp_path / "judges").card.sha256 != score.card.sha256


def test_an_unknown_judge_and_missing_data_cost_one_line(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOTIFMIX_HOME", str(home))
    with pytest.raises(MotifmixError, match="no judge 'jury'"):
        JudgesObjective(["bandai"], {**OPTIONS, "only": "jury"}, seed=0)
    with pytest.raises(MotifmixError, match="data prepare nothing"):
        JudgesObjective(["nothing"], OPTIONS, seed=0)


def test_a_probe_learns_two_contents_that_differ(home: Path):
    # The made-up clips are noise around one pose, so what a probe can learn is them, not their kind.
    pool = JudgePool.of(
        [Prepared(home / "data" / "bandai")], ("walk", "run"), ("active", "normal"),
        keep=lambda c: c.content in ("walk", "run") and c.style in ("active", "normal") and c.source == "bandai-2",
    )  # fmt: skip
    assert len(pool.clips) == 8 and pool.weights.sum() == pytest.approx(1.0)
    assert train_probe(objective_net(), pool, seed=0, steps=3, augment=True).training is False


def objective_net():
    from motifmix.models.recogniser import TemporalConfig

    return TemporalConfig.model_validate(NET)


def test_unknown_labels_teach_nothing():
    from motifmix.models.recogniser import Recogniser

    torch.manual_seed(0)
    model = Recogniser(objective_net(), 4, 3).eval()
    joints = torch.randn(2, 20, 22, 3)
    unknown = JudgeBatch(joints, torch.ones(2, 20, dtype=torch.bool), torch.tensor([-1, -1]), torch.tensor([-1, -1]))
    loss, _ = recognition_loss(model, unknown, torch.Generator().manual_seed(0))
    assert loss.item() == 0.0


def test_equal_captions_are_no_negatives():
    class Fixed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.log_temperature = torch.tensor(2.0)

        def forward(self, joints, mask, sentences):
            return torch.eye(3), torch.tensor([[1.0, 0, 0], [1.0, 0, 0], [0, 0, 1.0]])

    joints, mask = torch.zeros(3, 5, 22, 3), torch.ones(3, 5, dtype=torch.bool)
    sentences = torch.nn.functional.normalize(torch.tensor([[1.0, 0, 0], [1.0, 0.01, 0], [0, 0, 1.0]]), dim=1)

    def loss(caption: list[int]) -> float:
        batch = JudgeBatch(joints, mask, mask[:, 0].long(), mask[:, 0].long(), sentences, torch.tensor(caption))
        return retrieval_loss(Fixed(), batch, torch.Generator().manual_seed(0), augment=False)[0].item()  # type: ignore[arg-type]

    similar_but_other, equal = loss([0, 1, 2]), loss([0, 0, 2])
    assert np.isfinite(similar_but_other) and np.isfinite(equal)
    assert similar_but_other != pytest.approx(equal)
