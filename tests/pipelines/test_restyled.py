"""A base with a restyling network behind it: who decides what, what is refused, and what is counted."""

import numpy as np
import pytest
import torch

from motifmix.errors import RequestError, WeightsError
from motifmix.features import restyling
from motifmix.files import write
from motifmix.models.aberman import AbermanGenerator
from motifmix.models.motion_puzzle import MotionPuzzle
from motifmix.motion import MOTIFMIX, Motion, Scene
from motifmix.motion import rotations as rot
from motifmix.pipelines.baselines.restyled import AbermanRestyler, PuzzleRestyler, Restyled, load_restyler
from motifmix.pretrained.cards import write_weights

LAYOUT = restyling.ABERMAN


def swaying(frames: int, seed: int = 0) -> Motion:
    """Somebody who sways while going a metre and a half a second."""
    rng = np.random.default_rng(seed)
    time = np.arange(frames)[:, None, None] / 20
    turns = 0.3 * np.sin(6 * time + rng.uniform(0, 6, (1, 22, 3))) * rng.uniform(-1, 1, (1, 22, 3))
    root = np.array([2.0, 0.93, 0.0]) + np.array([0.0, 0.0, 0.075]) * np.arange(frames)[:, None]
    return Motion(MOTIFMIX, rot.from_rotvec(turns), root, 20.0, {"text": "a person walks"})


class Base:
    """Makes the same motion for every text and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, object]] = []

    def generate(self, texts, **asked):
        self.asked.append(asked)
        return [swaying(41, seed=place) for place in range(len(texts))]

    def parameters(self) -> tuple[int, int]:
        return 1000, 0


def aberman() -> AbermanRestyler:
    torch.manual_seed(0)
    network = AbermanGenerator(
        restyling.CONTENT_CHANNELS, restyling.STYLE3D_CHANNELS, restyling.STYLE2D_CHANNELS, (8,), (6, 8), (6,),
        decoder_bottleneck_channels=4, parents=LAYOUT.skeleton.parents, offsets=LAYOUT.skeleton.offsets.tolist(),
        kept_joints=LAYOUT.kept,
    )  # fmt: skip
    statistics = {}
    for name, channels in (("content", restyling.CONTENT_CHANNELS), ("style3d", restyling.STYLE3D_CHANNELS)):
        statistics |= {f"{name}_mean": torch.zeros(channels), f"{name}_std": torch.ones(channels)}
    return AbermanRestyler(network, statistics)


def puzzle() -> PuzzleRestyler:
    torch.manual_seed(0)
    network = MotionPuzzle(base_channels=2, style_latent_dim=3, body="motifmix_22")
    return PuzzleRestyler(network, {"mean": torch.zeros(12), "std": torch.ones(12)})


@pytest.fixture(params=[aberman, puzzle])
def pipeline(request) -> Restyled:
    return Restyled(Base(), request.param())


def test_the_base_is_never_told_the_style(pipeline):
    style = swaying(30, seed=9)
    made = pipeline.generate(["walk", "walk"], styles=[style, None], seconds=[2.0, 2.0], seeds=[4, 5])
    asked = {"styles": None, "seconds": [2.0, 2.0], "seeds": [4, 5], "clean_feet": True}
    assert pipeline.base.asked == [asked]
    assert np.array_equal(made[1].rotations, swaying(41, seed=1).rotations)
    assert not np.allclose(made[0].rotations, swaying(41, seed=0).rotations, atol=0.05)
    assert made[0].labels["text"] == "a person walks" and made[0].labels["style"] == "a motion"


def test_another_style_gives_another_motion(pipeline):
    content, styles = swaying(40), [swaying(30, seed=9), swaying(30, seed=10)]
    first, second = pipeline.restyle([content, content], styles, clean_feet=False)
    assert np.abs(first.joints - second.joints).max() > 1e-6


@pytest.mark.parametrize("frames", [5, 12, 21, 43])
def test_every_length_comes_back_in_its_place(pipeline, frames):
    content = swaying(frames).turned(1.0)
    style = swaying(7, seed=3)
    (made,) = pipeline.restyle([content], [style], clean_feet=False)
    assert made.frames == frames and made.fps == 20.0 and made.skeleton.same_as(MOTIFMIX)
    if isinstance(pipeline.restyler, AbermanRestyler):  # whose root is the content's own
        np.testing.assert_allclose(made.root[:, [0, 2]], content.root[:, [0, 2]], atol=1e-4)


def test_another_skeleton_and_rate_are_carried_over(pipeline):
    half = Motion(type(MOTIFMIX)(MOTIFMIX.names, MOTIFMIX.parents, MOTIFMIX.offsets * 0.5),
                  swaying(60).rotations, swaying(60).root * 0.5, 30.0)  # fmt: skip
    (made,) = pipeline.restyle([half], [half])
    assert made.skeleton.same_as(MOTIFMIX) and made.fps == 20.0 and abs(made.seconds - half.seconds) < 0.05


def test_a_file_is_a_style_and_words_and_blends_are_refused(pipeline, tmp_path):
    path = tmp_path / "style.npz"
    write(path, Scene((swaying(30, seed=9),)))
    by_file, by_motion = (
        pipeline.generate(["walk"], styles=[style])[0] for style in (str(path), swaying(30, seed=9).grounded())
    )
    np.testing.assert_allclose(by_file.joints, by_motion.joints, atol=1e-3)
    pipeline.base.asked.clear()
    with pytest.raises(RequestError, match=r'from one motion, not from words \("old"\); give a motion or its file'):
        pipeline.generate(["walk"], styles=["old"])
    with pytest.raises(RequestError, match="not from several styles at once"):
        pipeline.generate(["walk"], styles=[[(swaying(30), 0.5), (swaying(31), 0.5)]])
    assert not pipeline.base.asked  # refused before the base worked


@pytest.mark.parametrize("call", ["generate", "restyle"])
def test_styles_and_what_takes_them_are_as_many(pipeline, call):
    given = ["walk", "run"] if call == "generate" else [swaying(20), swaying(20)]
    with pytest.raises(RequestError, match="1 styles were given for 2"):
        getattr(pipeline, call)(given, styles=[swaying(20)])


def test_what_was_trained_for_style_is_the_network_alone(pipeline):
    total, trained = pipeline.parameters()
    assert trained == sum(p.numel() for p in pipeline.restyler.network.parameters()) > 0
    assert total == 1000 + trained


def test_a_folder_that_holds_another_network_is_no_restyler(tmp_path):
    from motifmix.models.style_encoder import TextToStyle

    write_weights(
        tmp_path, "restyler", TextToStyle(style=8).state_dict(), name="restyler", role="generate",
        architecture="TextToStyle", sizes={"style": 8}, space="none", licence="for tests", credit=[], data=[],
        recipe="none", commit="none",
    )  # fmt: skip
    with pytest.raises(WeightsError, match="TextToStyle is no network that restyles a motion"):
        load_restyler(tmp_path)
