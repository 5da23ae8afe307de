"""The laptop's size of InterGen's and in2IN's networks: tokens of several frames that see their neighbours."""

import pytest
import torch

from motifmix.models.in2in import SECOND_PERSON_NOT_CARRIED, In2INIndividual, In2INInteraction
from motifmix.models.mdm import MDM

SMALL = dict(features=6, width=16, feed_forward=16, blocks=2, heads=2, text=8, dropout=0.0)


def awake(network):
    """The output starts at zero; here it answers."""
    torch.nn.init.normal_(network.output.weight)
    for own in network.neighbours or []:
        torch.nn.init.normal_(own.out.weight, std=0.1)
    return network.eval()


@pytest.mark.parametrize("frames", [8, 10])
def test_frames_that_are_not_there_change_nothing(frames):
    network = awake(In2INInteraction(**SMALL, patch=4, convolved=True))
    noisy, texts = torch.randn(2, frames, 12), (torch.randn(2, 8), torch.randn(2, 2, 8))
    valid = torch.ones(2, frames, dtype=torch.bool)
    with torch.no_grad():
        alone = network(noisy, torch.tensor([3, 900]), *texts, valid)
        longer = torch.cat([noisy, torch.zeros(2, 8, 12)], dim=1)
        padded = network(longer, torch.tensor([3, 900]), *texts, torch.cat([valid, torch.zeros(2, 8) > 0], dim=1))
    assert alone.shape == noisy.shape
    torch.testing.assert_close(padded[:, :frames], alone, atol=1e-5, rtol=1e-5)


def test_mdm_reads_patches_too_and_its_first_token_is_nobodys_neighbour():
    network = MDM(6, 16, 16, 2, 2, 8, 0.0, patch=4, convolved=True).eval()
    for own in network.neighbours or []:
        torch.nn.init.normal_(own.out.weight, std=0.1)
    noisy, valid = torch.randn(2, 10, 6), torch.ones(2, 10, dtype=torch.bool)
    said = torch.randn(2, 8)
    with torch.no_grad():
        alone = network(noisy, torch.tensor([3, 900]), said, None, valid)
        longer = torch.cat([noisy, torch.zeros(2, 6, 6)], dim=1)
        padded = network(longer, torch.tensor([3, 900]), said, None, torch.cat([valid, torch.zeros(2, 6) > 0], dim=1))
    torch.testing.assert_close(padded[:, :10], alone, atol=1e-5, rtol=1e-5)


def test_a_token_sees_its_neighbours_before_the_first_block():
    network = awake(In2INIndividual(**SMALL, patch=4, convolved=True))
    tokens = torch.randn(1, 5, 16)
    moved = tokens.clone()
    moved[0, 0] += torch.randn(16)
    with torch.no_grad():
        change = (network.seeing_neighbours(1, moved, None) - network.seeing_neighbours(1, tokens, None)).abs().sum(-1)
    assert (change[0, :2] > 0).all() and (change[0, 2:] == 0).all()
    assert "neighbours.0.conv.weight" not in In2INIndividual(**SMALL).state_dict()


def test_tokens_see_their_neighbours_where_only_the_first_person_is_carried():
    network = awake(In2INIndividual(**SMALL, patch=4, convolved=True))
    noisy, steps, said = torch.randn(2, 8, 12), torch.tensor([3, 900]), torch.randn(2, 2, 8)
    with torch.no_grad():
        alone = network(noisy[..., :6], steps, said[:, 0])
        carried = network.forward_pair(noisy, steps, said, quirks=[SECOND_PERSON_NOT_CARRIED])
        watched = network.forward_pair(
            noisy, steps, said, hook=lambda number, tokens: tokens, quirks=[SECOND_PERSON_NOT_CARRIED]
        )
    torch.testing.assert_close(carried[..., :6], alone)
    torch.testing.assert_close(watched, carried)


def test_a_rooted_network_says_joints_from_the_root_and_heights_from_the_floor():
    network = In2INIndividual(width=16, feed_forward=16, blocks=1, heads=2, text=8, patch=2, rooted=True).eval()
    said = torch.randn(2 * 262)
    network.output.bias.data = said
    with torch.no_grad():
        features = network(torch.randn(1, 4, 262), torch.tensor([5]), torch.randn(1, 8))
    first, own = features[0, 0, :66].view(22, 3), said[:66].view(22, 3)
    torch.testing.assert_close(first[0], own[0])
    torch.testing.assert_close(first[5, [0, 2]], own[0, [0, 2]] + 0.1 * own[5, [0, 2]])
    torch.testing.assert_close(first[5, 1], own[5, 1])
    torch.testing.assert_close(features[0, 1, 66:], said[262 + 66 :])
