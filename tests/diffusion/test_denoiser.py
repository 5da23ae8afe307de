"""Guidance is the formula, in one call of the network; sampling yields every step."""

import pytest
import torch

from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Guided, sample
from motifmix.diffusion.schedule import CosineSchedule, FlowSchedule

BATCH, LENGTH, SIZE = 3, 4, 2
NOISE = torch.randn(BATCH, LENGTH, SIZE, generator=torch.Generator().manual_seed(0))
VALID = torch.ones(BATCH, LENGTH, dtype=torch.bool)


class Told:
    """Answers with the noise plus what the present parts say, times their product where both are there."""

    def __init__(self):
        self.batches = []

    def __call__(self, noisy, level, condition, valid):
        self.batches.append(len(noisy))
        assert len(valid) == len(noisy)
        here = {name: part.value * part.present for name, part in condition.parts.items()}
        total = sum(here.values()) if here else torch.zeros(len(noisy))
        both = here["text"] * here["style"] if len(here) == 2 else torch.zeros(len(noisy))
        return noisy + (total + 7 * both)[:, None, None]


def told(**present: list[bool]) -> Condition:
    values = {"text": torch.tensor([1.0, 2.0, 3.0]), "style": torch.tensor([0.5, -1.0, 4.0])}
    return Condition({name: Part(values[name], torch.tensor(own)) for name, own in present.items()})


ALL = [True] * BATCH
LEVEL = FlowSchedule.level(0.5)


def test_scale_one_is_the_condition_itself():
    network, condition = Told(), told(text=ALL, style=ALL)
    guided = Guided(network, [("text", 1.0), ("style", 1.0)])(NOISE, LEVEL, condition, VALID)
    torch.testing.assert_close(guided, Told()(NOISE, LEVEL, condition, VALID))


def test_two_terms_are_the_written_formula_in_one_call():
    network, condition = Told(), told(text=ALL, style=ALL)
    guided = Guided(network, [("text", 2.0), ("style", 1.5)])(NOISE, LEVEL, condition, VALID)
    assert network.batches == [3 * BATCH]
    u = Told()(NOISE, LEVEL, condition.without(["text", "style"]), VALID)
    c = Told()(NOISE, LEVEL, condition.without(["style"]), VALID)
    f = Told()(NOISE, LEVEL, condition, VALID)
    torch.testing.assert_close(guided, u + 2.0 * (c - u) + 1.5 * (f - c))


def test_the_order_of_the_terms_counts():
    condition = told(text=ALL, style=ALL)
    one = Guided(Told(), [("text", 2.0), ("style", 1.5)])(NOISE, LEVEL, condition, VALID)
    other = Guided(Told(), [("style", 1.5), ("text", 2.0)])(NOISE, LEVEL, condition, VALID)
    assert not torch.allclose(one, other)


def test_somebody_without_a_part_is_not_guided_by_it():
    condition = told(text=ALL, style=[True, False, True])
    both = Guided(Told(), [("text", 2.0), ("style", 1.5)])(NOISE, LEVEL, condition, VALID)
    text = Guided(Told(), [("text", 2.0)])(NOISE, LEVEL, condition.without(["style"]), VALID)
    torch.testing.assert_close(both[1], text[1])
    assert not torch.allclose(both[0], text[0])


def test_a_term_that_nobody_has_costs_nothing():
    network = Told()
    Guided(network, [("text", 2.0), ("style", 1.5)])(NOISE, LEVEL, told(text=ALL), VALID)
    Guided(network, [("text", 2.0)])(NOISE, LEVEL, told(style=ALL), VALID)
    assert network.batches == [2 * BATCH, BATCH]


def test_without_marks_absent_and_keeps_the_original():
    condition = told(text=ALL, style=ALL)
    less = condition.without(["style"])
    assert not less.parts["style"].present.any() and less.parts["text"].present.all()
    assert condition.parts["style"].present.all() and condition.get("path") is None


@pytest.mark.parametrize("schedule", [FlowSchedule(), CosineSchedule()])
def test_sampling_yields_every_step_and_ends_on_the_clean_sample(schedule):
    clean = torch.linspace(-1, 1, BATCH * LENGTH * SIZE).view(BATCH, LENGTH, SIZE)
    levels = []

    def knows(noisy, level, condition, valid):
        levels.append(level)
        return clean

    seen = list(sample(knows, schedule, NOISE, told(text=ALL), VALID, steps=5))
    assert [(step.number, step.of) for step in seen] == [(k, 5) for k in range(1, 6)]
    assert levels == schedule.levels(5)[:-1]
    for step, level in zip(seen, schedule.levels(5)[1:], strict=True):
        torch.testing.assert_close(step.noisy, level.alpha * clean + level.sigma * NOISE, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(seen[-1].noisy, clean)


def test_sampling_can_be_stopped_between_steps():
    network = Told()
    steps = sample(network, FlowSchedule(), NOISE, told(text=ALL), VALID, steps=100)
    next(steps)
    steps.close()
    assert len(network.batches) == 1
