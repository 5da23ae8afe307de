"""SMooDi on the default latents, on small networks with random weights."""

import shutil

import numpy as np
import pytest
import torch

from motifmix.diffusion.schedule import FlowSchedule
from motifmix.errors import RequestError, WeightsError
from motifmix.features.own import MotifmixSpace
from motifmix.models.style_branch import StyleBranch
from motifmix.models.style_reader import StyleReader
from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot
from motifmix.pipelines.baselines.smoodi import LatentSMooDi, LatentSMooDiTransfer
from motifmix.pretrained.cards import write_weights
from motifmix.style.statistics_guidance import PullOptions, StatisticsGuidance

WALK = "a person walks forward"
STYLE, LATENT = 8, 4


def hopping(seed: int = 0, frames: int = 30) -> Motion:
    rotations = rot.from_rotvec(0.2 * np.random.default_rng(seed).normal(size=(frames, 22, 3)))
    return Motion(MOTIFMIX, rotations, np.tile([0.0, 0.93, 0.0], (frames, 1)), 20.0)


@pytest.fixture(scope="module")
def folder(weights, tmp_path_factory):
    folder = tmp_path_factory.mktemp("smoodi")
    shutil.copytree(weights, folder, dirs_exist_ok=True)
    torch.manual_seed(1)

    def write(part, architecture, network, sizes):
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
        write_weights(
            folder, part, network.state_dict(), name=part, role="generate", architecture=architecture, sizes=sizes,
            space="motifmix_269", licence="for tests", credit=[], data=[], recipe="none", commit="none",
        )  # fmt: skip

    sizes = {"latent": LATENT, "width": 16, "blocks": 1, "heads": 2, "style": STYLE}
    write("branch", "style_branch:StyleBranch", StyleBranch(**sizes), sizes)
    sizes = {"features": MotifmixSpace.dim, "width": 8, "classes": 3}
    write("style_network", "style_reader:StyleReader", StyleReader(**sizes), sizes)
    return folder


@pytest.fixture(scope="module")
def smoodi(folder):
    return LatentSMooDi(folder, guidance=None)


def one(pipeline, style, seed=0, **more):
    return pipeline.generate([WALK], [style], 2.0, [seed], steps=3, **more)[0]


def far(a: Motion, b: Motion) -> float:
    return 1000 * float(np.linalg.norm(a.joints - b.joints, axis=-1).max())


def test_without_a_style_or_strength_it_is_the_base(smoodi, model):
    base = model.generate([WALK], [None], 2.0, [0], steps=3)[0]
    assert np.array_equal(one(smoodi, None).rotations, base.rotations)
    assert far(one(smoodi, hopping(), strength=0.0), base) < 0.1
    assert far(one(smoodi, hopping()), base) > 1.0


def test_each_reference_counts_and_a_neighbour_does_not(smoodi):
    first, second = hopping(1), hopping(2)
    together = smoodi.generate([WALK] * 3, [first, None, second], [2.0, 3.0, 4.0], [5, 6, 7], steps=3)
    assert [motion.frames for motion in together] == [40, 60, 80]
    alone = smoodi.generate([WALK], [first], [2.0], [5], steps=3)[0]
    assert far(alone, together[0]) < 0.1
    assert far(one(smoodi, first), one(smoodi, second)) > 1.0


def test_the_style_does_not_choose_the_length(smoodi, model):
    (base,) = model.generate([WALK], [None], None, [0], steps=1)
    (styled,) = smoodi.generate([WALK], [hopping()], None, [0], steps=1)
    assert styled.frames == base.frames


def test_words_are_refused(smoodi):
    with pytest.raises(RequestError, match="reads a style from motions"):
        one(smoodi, "old")


def test_settings_of_another_method_are_refused(smoodi):
    with pytest.raises(RequestError, match="no gamma"):
        one(smoodi, hopping(), gamma=0.5)


def test_both_forms_and_the_guidance_change_the_motion_and_company_does_not(folder, smoodi):
    guided = LatentSMooDi(folder, guidance=PullOptions(3, 0.05, below=0.9))
    code = LatentSMooDi(folder, guidance=None, form="code")
    plain = one(smoodi, hopping())
    assert far(plain, one(guided, hopping())) > 1.0 and far(plain, one(code, hopping())) > 1.0
    together = guided.generate([WALK] * 2, [hopping(), hopping(3)], [2.0, 5.0], [0, 1], steps=3)
    assert far(together[0], one(guided, hopping())) < 0.1
    with pytest.raises(ValueError, match="unknown form"):
        LatentSMooDi(folder, form="both")  # type: ignore[arg-type]


def test_sizes_are_those_of_the_parts(folder, smoodi):
    total, trained = smoodi.parameters()
    assert trained == sum(
        p.numel() for part in (smoodi.steered.branch, smoodi.style_encoder) for p in part.parameters()
    )
    assert total == trained + sum(
        p.numel() for part in (smoodi.vae, smoodi.denoiser.denoiser, smoodi.length_predictor) for p in part.parameters()
    )
    reader = sum(p.numel() for p in StyleReader(MotifmixSpace.dim, 8, 3).parameters())
    assert LatentSMooDi(folder).parameters() == (total + reader, trained)


def test_a_missing_branch_is_named(weights):
    with pytest.raises(WeightsError, match="branch"):
        LatentSMooDi(weights)


@pytest.fixture
def pull():
    torch.manual_seed(0)
    reader = StyleReader(6, 8, 2)
    with torch.no_grad():
        for parameter in reader.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    decode = torch.nn.Linear(3, 24)
    frames = torch.ones(2, 20, dtype=torch.bool)
    wanted = reader.statistics(torch.randn(2, 20, 6), frames).detach()

    def made(options, present=(True, True)):
        return StatisticsGuidance(
            lambda z: decode(z).view(len(z), -1, 6), reader, wanted, torch.tensor(present), frames, options
        )

    return made


def test_the_pull_brings_the_statistics_nearer_item_by_item(pull):
    level, noisy, clean = FlowSchedule.level(0.3), torch.randn(2, 5, 3), torch.randn(2, 5, 3)
    guidance = pull(PullOptions(10, 0.01))
    moved = guidance(clean, noisy, level)
    assert bool((guidance.distance(moved) < guidance.distance(clean)).all())
    only = pull(PullOptions(10, 0.01), (False, True))(clean, noisy, level)
    assert torch.allclose(only[0], clean[0], atol=1e-6) and torch.allclose(only[1], moved[1], atol=1e-6)


@pytest.mark.parametrize("time", [0.0, 0.45, 1.0])
def test_the_pull_rests_where_there_is_too_much_noise_or_none(pull, time):
    clean = torch.randn(2, 5, 3)
    assert pull(PullOptions())(clean, torch.randn(2, 5, 3), FlowSchedule.level(time)) is clean


def test_the_gradient_is_that_of_finite_differences_in_the_noise(pull):
    """One iteration moves the implied noise by scale times the slope of the distance."""
    level = FlowSchedule.level(0.4)
    noisy, clean = torch.randn(2, 5, 3, dtype=torch.float64), torch.randn(2, 5, 3, dtype=torch.float64)
    guidance = pull(PullOptions(1, 1e-3))
    guidance.reader.double()
    guidance.decode.__closure__[0].cell_contents.double()
    moved = guidance(clean, noisy, level)
    slope = (clean - moved) * (-level.alpha / level.sigma) / 1e-3  # of the distance in the noise
    step = torch.zeros_like(clean)
    step[0, 2, 1] = 1e-5

    def distance(noise_change):
        return guidance.distance(clean - noise_change * level.sigma / level.alpha)[0]

    expected = (distance(step) - distance(-step)) / 2e-5
    assert float(slope.detach()[0, 2, 1]) == pytest.approx(float(expected.detach()), rel=1e-3)


def test_a_recording_returns_without_style_and_changes_with_one(folder):
    transfer = LatentSMooDiTransfer(LatentSMooDi(folder))
    content, how = hopping(1), {"steps": 3, "depth": 0.3, "clean_feet": False}
    (nothing,) = transfer.transfer([content], [hopping(2)], strength=0.0, **how)
    (styled,) = transfer.transfer([content], [hopping(2)], **how)
    (unpulled,) = LatentSMooDiTransfer(LatentSMooDi(folder, guidance=None)).transfer([content], [hopping(2)], **how)
    assert far(nothing, content) < 0.02, "without a style the content returns"
    assert far(styled, nothing) > 1e-3 and far(styled, unpulled) > 1e-4
    with pytest.raises(RequestError, match="no gamma"):
        transfer.transfer([content], [hopping(2)], gamma=0.5, **how)


def test_several_ways_are_what_each_is_alone(folder):
    transfer = LatentSMooDiTransfer(LatentSMooDi(folder))
    how = {"steps": 3, "clean_feet": False}
    ways = transfer.variants(hopping(1), hopping(2), depths=(0.3, 0.6), scales=(1.0, 2.0), **how)
    (last,) = transfer.transfer([hopping(1)], [hopping(2)], depth=0.6, style_scale=2.0, **how)
    assert len(ways) == 4 and far(ways[3], last) == 0.0 and far(ways[2], last) > 0.0
