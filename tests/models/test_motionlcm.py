"""MotionLCM: sizes of both versions, its times, and that distillation moves the student only."""

import pytest
import torch

from motifmix.diffusion.consistency import boundary_scalings, consistency_step
from motifmix.diffusion.discrete import DiscreteSchedule, scaled_linear_betas
from motifmix.models.motionlcm import MotionLCMDenoiser
from motifmix.pipelines.motionlcm import MotionLCM, first_timesteps
from motifmix.training.objectives.published import motionlcm as objective

TINY = {"latent_dim": 4, "width": 8, "projected": True, "text_dim": 6, "time_dim": 10, "feed_forward": 12, "layers": 3,
        "heads": 2, "positions": 20}  # fmt: skip
PROCESS = DiscreteSchedule.of(scaled_linear_betas(1000))
TEXT, NOISE = torch.randn(2, 1, 6), torch.randn(2, 3, 4)


def tiny(**options) -> MotionLCMDenoiser:
    return MotionLCMDenoiser(**{**TINY, "guidance_dim": 6, **options}).eval()


@pytest.mark.parametrize(
    ("options", "parameters", "tensors"),
    [
        ({}, 8_417_792, 126),
        ({"guidance_dim": None}, 8_221_184, 125),
        ({"latent_dim": 32, "projected": True, "text_activation": None}, 8_434_464, 130),
        ({"latent_dim": 32, "projected": True, "text_activation": None, "guidance_dim": None}, 8_237_856, 129),
    ],
)
def test_the_full_sizes_are_the_published_ones(options, parameters, tensors):
    with torch.device("meta"):
        denoiser = MotionLCMDenoiser(**options)
    assert sum(p.numel() for p in denoiser.parameters()) == parameters
    assert len(denoiser.state_dict()) == tensors


def test_a_student_needs_to_be_told_and_begins_as_its_teacher():
    student, teacher = tiny(), tiny(guidance_dim=None)
    teacher.load_state_dict({n: t for n, t in student.state_dict().items() if n != "guidance.weight"})
    time = torch.tensor(999)
    torch.testing.assert_close(
        student(NOISE, time, TEXT, torch.tensor(6.5)), teacher(NOISE, time, TEXT), rtol=1e-5, atol=1e-6
    )
    with pytest.raises(ValueError, match="how strongly"):
        student(NOISE, time, TEXT)
    with pytest.raises(ValueError, match="needs projections"):
        tiny(projected=False)


def test_the_published_times():
    assert [first_timesteps(steps) for steps in (1, 2, 4)] == [[999], [999, 499], [999, 759, 499, 259]]


def test_at_time_nought_the_answer_is_the_input():
    assert boundary_scalings(0.0) == (1.0, 0.0)
    with pytest.raises(ValueError, match="needs noise"):
        consistency_step(1.0, 1.0, PROCESS.level(999), PROCESS.level(499))


def test_a_time_may_be_visited_twice():
    walk = list(MotionLCM(tiny()).sample(TEXT, NOISE, (699, 299, 299), 13.5, [NOISE, NOISE]))
    assert len(walk) == 3 and torch.isfinite(walk[-1].noisy).all()


@pytest.mark.parametrize("loss", ["huber", "l2"])
def test_distillation_moves_the_student_and_the_target_follows(loss):
    student, teacher, target = tiny(), tiny(guidance_dim=None), tiny()
    before = {name: value.clone() for name, value in target.state_dict().items()}
    done = objective.distillation(
        student, teacher, target, NOISE, NOISE.flip(0), torch.tensor([0, 9]), torch.tensor([5.0, 15.0]), TEXT,
        TEXT[:1], PROCESS, objective.DistillationOptions(10, loss),
    )  # fmt: skip
    assert done.target.timesteps.tolist() == [0, 899]
    optimiser = torch.optim.SGD(student.parameters(), lr=0.1)
    objective.update(done.loss, student, target, optimiser.step, most_gradient=1.0)
    assert all(parameter.grad is None for net in (teacher, target) for parameter in net.parameters())
    for name, value in target.state_dict().items():
        torch.testing.assert_close(value, 0.95 * before[name] + 0.05 * student.state_dict()[name])
