"""The two-step solver is of second order on the straight path, and refuses any other."""

from itertools import pairwise

import numpy as np
import pytest

from motifmix.diffusion.schedule import CosineSchedule, FlowSchedule
from motifmix.diffusion.solvers import TwoStep, ddim_step


def end_of(solver, steps: int, shift: float = 1.0) -> float:
    """Where a state ends whose slope is dx/dt = x cos(3 t), from x = 1 at t = 1; exact: exp(-sin(3) / 3)."""
    state = 1.0
    for level, following in pairwise(FlowSchedule().levels(steps, shift)):
        clean = state - level.sigma * state * np.cos(3 * level.time)
        state = solver(state, clean, level, following)
    return state


EXACT = np.exp(-np.sin(3.0) / 3.0)


def test_twice_the_steps_leave_a_quarter_of_the_error_and_half_of_eulers():
    errors = [abs(end_of(TwoStep(), steps) - EXACT) for steps in (40, 80, 160)]
    euler = [abs(end_of(ddim_step, steps) - EXACT) for steps in (40, 80, 160)]
    assert all(3.5 < more / less < 4.5 for more, less in pairwise(errors))
    assert all(1.8 < more / less < 2.2 for more, less in pairwise(euler))
    assert errors[0] < euler[0] / 5


def test_shifted_levels_keep_the_ends_and_the_order_of_convergence():
    times = [level.time for level in FlowSchedule().levels(8, 1.5)]
    assert times[0] == 1.0 and times[-1] == 0.0 and times == sorted(times, reverse=True)
    assert times[4] == pytest.approx(0.6)  # half-way by count, nearer to the noise
    assert 3.3 < abs(end_of(TwoStep(), 40, 1.5) - EXACT) / abs(end_of(TwoStep(), 80, 1.5) - EXACT) < 4.7


def test_another_path_is_refused():
    first, second, *_ = CosineSchedule().levels(4)
    TwoStep()(1.0, 0.5, FlowSchedule().level(1.0), FlowSchedule().level(0.5))
    with pytest.raises(ValueError, match="rectified flow only"):
        TwoStep()(1.0, 0.5, second, first)
