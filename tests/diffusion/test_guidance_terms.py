"""Guidance with named branches, with corrections between them, and DDIM inversion."""

import pytest
import torch

from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Difference, Guided, invert_along, sample_along
from motifmix.diffusion.discrete import DiscreteSchedule, scaled_linear_betas
from motifmix.diffusion.schedule import NoiseLevel

torch.manual_seed(0)
NOISE = torch.randn(2, 3, 4)
VALID = torch.ones(2, 3, dtype=torch.bool)
LEVEL = NoiseLevel(0.6, 0.8, 0.5, 500)
PARTS = ("text", "style", "length")
CONDITION = Condition({name: Part(torch.randn(2, 1), torch.ones(2, dtype=torch.bool)) for name in PARTS})


class Told:
    """Adds up what it is told; parts act together, so that branches differ by more than a sum."""

    def __init__(self) -> None:
        self.batches = []

    def __call__(self, noisy, level, condition, valid):
        self.batches.append(len(noisy))
        x = noisy
        for k, name in enumerate(PARTS, start=2):
            part = condition.get(name)
            if part is not None:
                x = x * torch.where(part.present[:, None, None], k + part.value[:, None], torch.ones(()))
        return x


def estimate(*told):
    return Told()(NOISE, LEVEL, CONDITION.without(set(PARTS[:2]) - set(told)), VALID)


def test_a_correction_sees_what_the_terms_before_it_gave():
    network, seen = Told(), []

    def correction(clean, noisy, level):
        seen.append((clean, noisy, level))
        return clean - 1.0

    terms = [Difference(1.5, ("style",)), correction, Difference(7.5, ("text",))]
    guided = Guided(network, terms)(NOISE, LEVEL, CONDITION, VALID)
    style = estimate() + 1.5 * (estimate("style") - estimate())
    torch.testing.assert_close(guided, style - 1.0 + 7.5 * (estimate("text") - estimate()))
    torch.testing.assert_close(seen[0][0], style)
    assert seen[0][1] is NOISE and seen[0][2] is LEVEL
    assert network.batches == [6]


def test_a_difference_may_stand_against_any_branch():
    terms = [Difference(2.0, ("text", "style"), ("text",)), Difference(3.0, ("text",))]
    guided = Guided(Told(), terms)(NOISE, LEVEL, CONDITION, VALID)
    u, t, ts = estimate(), estimate("text"), estimate("text", "style")
    torch.testing.assert_close(guided, u + 2.0 * (ts - t) + 3.0 * (t - u))


def test_a_part_that_no_term_names_is_told_to_every_branch():
    guided = Guided(Told(), [Difference(3.0, ("text",))])(NOISE, LEVEL, CONDITION, VALID)
    torch.testing.assert_close(guided, estimate("style") + 3.0 * (estimate("text", "style") - estimate("style")))


def test_a_difference_that_nobody_can_be_told_is_left_out():
    condition = Condition({"text": CONDITION.parts["text"]})
    network = Told()
    both = Guided(network, [Difference(1.5, ("style",)), ("text", 2.0)])(NOISE, LEVEL, condition, VALID)
    torch.testing.assert_close(both, Guided(Told(), [("text", 2.0)])(NOISE, LEVEL, condition, VALID))
    assert network.batches == [4]


def test_a_difference_waits_for_its_time_and_costs_nothing_until_then():
    network, late = Told(), Difference(2.0, ("text", "style"), ("text",), start=0.4)
    waiting = Guided(network, [("text", 3.0), late])
    early, later = waiting(NOISE, LEVEL, CONDITION, VALID), NoiseLevel(0.8, 0.6, 0.4, 400)
    torch.testing.assert_close(early, estimate() + 3.0 * (estimate("text") - estimate()))
    assert network.batches == [4]
    added = waiting(NOISE, later, CONDITION, VALID) - early
    torch.testing.assert_close(added, 2.0 * (estimate("text", "style") - estimate("text")))
    assert network.batches == [4, 6]


def test_each_item_may_wait_for_its_own_time():
    late = Difference(2.0, ("text", "style"), ("text",), start=torch.tensor([0.4, 1.0])[:, None, None])
    guided = Guided(Told(), [("text", 3.0), late])(NOISE, LEVEL, CONDITION, VALID)
    plain = Guided(Told(), [("text", 3.0), Difference(2.0, ("text", "style"), ("text",))])(
        NOISE, LEVEL, CONDITION, VALID
    )
    torch.testing.assert_close(guided[0], (estimate() + 3.0 * (estimate("text") - estimate()))[0])
    torch.testing.assert_close(guided[1], plain[1])


def test_a_part_whose_term_waits_is_told_to_nobody():
    network = Told()
    guided = Guided(network, [Difference(2.0, ("style",), start=0.4)])(NOISE, LEVEL, CONDITION, VALID)
    torch.testing.assert_close(guided, estimate("text"))
    assert network.batches == [2]


def test_a_correction_alone_needs_one_branch():
    network = Told()
    guided = Guided(network, [lambda clean, noisy, level: clean + 1.0])(NOISE, LEVEL, CONDITION, VALID)
    torch.testing.assert_close(guided, estimate("text", "style") + 1.0)
    assert network.batches == [2]


@pytest.mark.parametrize("ends_clean", [True, False])
def test_inversion_comes_back_by_sampling(ends_clean):
    schedule = DiscreteSchedule.of(scaled_linear_betas(1000)).leading(10, 1, ends_clean=ends_clean)
    levels, clean = schedule.levels(), torch.randn(2, 3, 4)

    def knows(noisy, level, condition, valid):
        return clean

    inverted = list(invert_along(knows, levels, clean, CONDITION, VALID))
    assert [(step.number, step.of) for step in inverted] == [(k, 10) for k in range(1, 11)]
    back = list(sample_along(knows, levels, inverted[-1].noisy, CONDITION, VALID))[-1]
    torch.testing.assert_close(back.clean, clean)


def test_leading_steps_are_those_of_mld():
    levels = DiscreteSchedule.of(scaled_linear_betas(1000)).leading(50, 1, ends_clean=False).levels()
    assert [level.step for level in levels[:3]] == [981, 961, 941] and levels[-2].step == 1
    assert levels[-1].sigma ** 2 == pytest.approx(0.00085)


@pytest.mark.parametrize("ends_clean", [True, False])
def test_leading_steps_that_lie_close_end_one_stride_below_the_last(ends_clean):
    process = DiscreteSchedule.of(scaled_linear_betas(20))
    schedule = process.leading(9, 2, ends_clean=ends_clean)  # a stride of 2, so the step of 2 goes to the level of 0
    assert schedule.levels()[-2].step == 2
    assert schedule.last_alpha_cumprod == pytest.approx(process.alphas_cumprod[0])
