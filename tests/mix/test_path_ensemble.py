"""Path ensembling: equal to the blend on one window, and any length by overlapping ones."""

import pytest
import torch
from torch import Tensor

from motifmix.diffusion.condition import Condition
from motifmix.diffusion.discrete import DiscreteSchedule, cosine_betas
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.diffusion.windows import Windowed
from motifmix.mix.blended import Blended
from motifmix.mix.path_ensemble import PathEnsemble

LEVEL = DiscreteSchedule.of(cosine_betas(10)).levels(2)[0]


def _doubled(noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
    return 2.0 * noisy


def _counted(noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
    return torch.arange(noisy.shape[1], dtype=noisy.dtype)[None, :, None].expand_as(noisy)


def test_on_one_window_it_is_the_blend() -> None:
    noisy, valid = torch.randn(2, 6, 3), torch.ones(2, 6, dtype=torch.bool)
    ensemble = PathEnsemble([_doubled, _counted], 8, 4)
    torch.testing.assert_close(
        ensemble(noisy, LEVEL, Condition({}), valid), Blended([_doubled, _counted])(noisy, LEVEL, Condition({}), valid)
    )


def test_windows_agree_where_they_overlap_and_reach_the_end() -> None:
    noisy, valid = torch.randn(1, 10, 1), torch.ones(1, 10, dtype=torch.bool)
    made = PathEnsemble([_counted], 6, 2)(noisy, LEVEL, Condition({}), valid)[0, :, 0]
    assert made.tolist() == [0.0, 1.0, 2.0, 3.0, (4 + 0) / 2, (5 + 1) / 2, 2.0, 3.0, 4.0, 5.0]


def test_nobody_jumps_where_a_window_ends() -> None:
    """Two windows that say something else everywhere: from the one to the other it goes by small steps."""

    def told_apart(noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        return torch.stack([torch.full_like(noisy[0], float(number)) for number in range(len(noisy))])

    valid = torch.ones(1, 180, dtype=torch.bool)
    windowed = Windowed(told_apart, 120, 60)
    made = windowed(torch.randn(1, 180, 1), LEVEL, Condition({}), valid)[0, :, 0]
    assert made[0] == 0.0 and made[-1] == 1.0
    assert made.diff().min() >= 0.0 and made.diff().max() < 0.03


def test_a_short_item_counts_only_its_own_windows() -> None:
    noisy = torch.randn(2, 10, 1)
    valid = torch.arange(10) < torch.tensor([[5], [10]])
    made = PathEnsemble([_counted], 6, 2)(noisy, LEVEL, Condition({}), valid)
    assert made[0, :, 0].tolist() == [0.0, 1.0, 2.0, 3.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0]


def test_wrong_ensembles_are_refused() -> None:
    with pytest.raises(ValueError, match="no path"):
        PathEnsemble([], 6, 2)
    with pytest.raises(ValueError, match="2 weights"):
        PathEnsemble([_counted], 6, 2, [1.0, 2.0])
    with pytest.raises(ValueError, match="overlap"):
        PathEnsemble([_counted], 6, 6)
