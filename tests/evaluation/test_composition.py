import numpy as np
import torch

from motifmix.evaluation.composition import individual_view, overall


def test_both_sides_in_one_number():
    found = overall(np.array([[0.2, 0.0], [0.4, 0.0]]), np.array([[0.6, 0.0], [0.6, 0.0]]))
    assert np.allclose(found.both, [0.4, 0.0])
    assert np.allclose(found.both_half_width, [1.96 * 0.1 / 2**0.5 / 2, 0.0])


def test_single_people_come_in_order_and_cropped():
    first, second = torch.randn(2, 9, 262), torch.randn(2, 9, 262)
    motions, lengths = individual_view([first, second], torch.tensor([7, 5]))
    assert motions.shape == (4, 7, 262) and lengths.tolist() == [7, 7, 5, 5]
    swapped, _ = individual_view([second, first], torch.tensor([7, 5]))
    assert torch.equal(motions[[1, 0, 3, 2]], swapped)
