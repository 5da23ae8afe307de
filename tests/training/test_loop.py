"""The loop: a run that was killed ends with the same bits as one that was not."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from motifmix.errors import RequestError
from motifmix.training.loop import train
from motifmix.training.recipe import Recipe


class KilledError(Exception):
    """Stands for the end of the process."""


class Line:
    """Fits a line with noise in all three streams of chance; dies at a step where asked to."""

    def __init__(self, dies_at: int | None = None):
        torch.manual_seed(0)
        self.modules = nn.ModuleDict({"line": nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1))})
        self.modules["line"].register_buffer("seen", torch.tensor(0))
        self.dies_at, self.calls, self.previews, self.saved = dies_at, 0, [], None

    def loss(self, generator, rng):
        self.calls += 1
        if self.dies_at is not None and int(self.modules["line"].seen) == self.dies_at:
            raise KilledError
        self.modules["line"].seen += 1
        x = torch.from_numpy(rng.normal(size=(4, 3)).astype(np.float32))
        noise = 0.1 * torch.randn(4, 1, generator=generator)
        loss = (self.modules["line"](x) - x.sum(dim=1, keepdim=True) - noise).pow(2).mean()
        return loss, {"error": float(loss.detach())}

    def preview(self, modules, folder, step):
        assert not modules.training
        self.previews.append(step)

    def save(self, modules, folder, facts):
        self.saved = {name: value.clone() for name, value in modules.state_dict().items()}
        self.facts = facts


def recipe(**changes) -> Recipe:
    given = {"name": "line", "objective": "line", "steps": 12, "learning_rate": 0.05, "warm_up": 2, "ema": 0.9,
             "log_every": 2, "save_every": 4, "preview_every": 6}  # fmt: skip
    return Recipe.model_validate({**given, **changes})


def trained(folder, objective=None, data=None, **changes):
    objective = objective or Line()
    train(recipe(**changes), objective, folder / "run", folder / "out", data=data)
    return objective


def lines(folder):
    return [json.loads(line) for line in (folder / "run" / "curve.jsonl").read_text().splitlines()]


def same(first, second) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


class Prepared(Line):
    """Has something to make before the first step."""

    def prepare(self, progress):
        assert self.calls == 0
        progress(3, 4)


def test_what_is_prepared_before_the_first_step_is_said_and_not_made_again_for_a_finished_run(tmp_path):
    said = []
    for _ in range(2):
        train(
            recipe(),
            Prepared(),
            tmp_path / "run",
            tmp_path / "out",
            preparation=lambda done, total: said.append((done, total)),
        )
    assert said == [(3, 4)]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return folder, trained(folder)


@pytest.mark.parametrize("dies_at", [1, 4, 6, 7, 11])
def test_a_killed_run_goes_on_to_the_same_bits(tmp_path, uninterrupted, dies_at):
    with pytest.raises(KilledError):
        trained(tmp_path, Line(dies_at))
    again = trained(tmp_path)
    whole, reference = uninterrupted
    assert again.calls == 12 - dies_at // 4 * 4  # from the last checkpoint on, not from the start
    assert same(again.modules.state_dict(), reference.modules.state_dict())
    assert same(again.saved, reference.saved)
    curve = lines(tmp_path)
    assert [row["step"] for row in curve] == [2, 4, 6, 8, 10, 12]
    assert [row["loss"] for row in curve] == [row["loss"] for row in lines(whole)]


def test_a_finished_run_only_writes_its_weights_again(tmp_path, uninterrupted):
    trained(tmp_path)
    again = trained(tmp_path)
    assert again.calls == 0 and same(again.saved, uninterrupted[1].saved)


def test_a_half_written_line_of_the_curve_does_not_stop_a_run(tmp_path, uninterrupted):
    with pytest.raises(KilledError):
        trained(tmp_path, Line(7))
    with (tmp_path / "run" / "curve.jsonl").open("a") as file:
        file.write('{"step": 8, "lo')
    assert same(trained(tmp_path).saved, uninterrupted[1].saved)
    assert [row["step"] for row in lines(tmp_path)] == [2, 4, 6, 8, 10, 12]


@pytest.mark.parametrize("change", [{"learning_rate": 0.1}, {"seed": 1}, {"steps": 14}, {"options": {"a": 1}}])
def test_another_recipe_in_the_same_folder_is_refused(tmp_path, change):
    with pytest.raises(KilledError):
        trained(tmp_path, Line(5))
    objective = Line()
    with pytest.raises(RequestError, match=r"another recipe.*--run"):
        trained(tmp_path, objective, **change)
    assert objective.calls == 0


def test_a_run_goes_on_only_with_the_data_that_it_began_with(tmp_path):
    with pytest.raises(KilledError):
        trained(tmp_path, Line(5), data={"clips": "one"})
    with pytest.raises(RequestError, match=r"other data \(clips was prepared anew\)"):
        trained(tmp_path, data={"clips": "another"})
    assert trained(tmp_path, data={"clips": "one"}).calls == 8


def test_the_seed_decides_the_bits(tmp_path, uninterrupted):
    assert same(trained(tmp_path / "a").saved, uninterrupted[1].saved)
    assert not same(trained(tmp_path / "b", seed=1).saved, uninterrupted[1].saved)


def test_what_is_saved_is_the_average_not_the_last_step(uninterrupted):
    _, objective = uninterrupted
    average, last = objective.saved["line.0.weight"], objective.modules.state_dict()["line.0.weight"]
    assert not torch.equal(average, last)
    assert (average - last).norm() < (average - Line().modules.state_dict()["line.0.weight"]).norm()
    assert int(objective.saved["line.seen"]) == 12
    assert objective.previews == [6, 12] and objective.facts["recipe"] == "line"


def test_training_learns(tmp_path):
    losses = [row["loss"] for row in lines(tmp_path)] if trained(tmp_path, steps=150, log_every=30, ema=0.5) else []
    assert losses[-1] < 0.5 * losses[0]


def test_frozen_parts_stay(tmp_path):
    objective = Line()
    objective.modules["line"][0].requires_grad_(False)
    before = objective.modules["line"][0].weight.clone()
    trained(tmp_path, objective)
    assert torch.equal(objective.modules["line"][0].weight, before)
    assert torch.equal(objective.saved["line.0.weight"], before)


def test_nothing_half_written_stays(uninterrupted):
    folder, _ = uninterrupted
    assert {path.name for path in (folder / "run").iterdir()} == {"checkpoint.pt", "curve.jsonl", "curve.png"}
