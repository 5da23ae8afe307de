"""The main job as an object, on a small model with random weights: lengths, seeds, batches, styles and mistakes."""

import math
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml

import motifmix
from motifmix.errors import FileError, RequestError, WeightsError
from motifmix.files import write
from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot
from motifmix.motion.retargeting import retarget
from motifmix.motion.rigs import RIGS
from motifmix.pipelines.sampling import LATE, LATE_TEXT, TEXT_SCALE

WALK, WAVE, BOW = "a person walks forward", "a person waves", "a person bows"
FAST = {"steps": 2}


def millimetres(a: Motion, b: Motion) -> float:
    assert a.frames == b.frames
    return 1000 * float(np.linalg.norm(a.joints - b.joints, axis=-1).max())


def hopping(frames: int = 22, seed: int = 0) -> Motion:
    rotations = rot.from_rotvec(0.2 * np.random.default_rng(seed).normal(size=(frames, 22, 3)))
    return Motion(MOTIFMIX, rotations, np.tile([0.0, 0.93, 0.0], (frames, 1)), 20.0)


@pytest.mark.parametrize(("seconds", "frames"), [(1, 20), (1.2, 24), (2.55, 51), (3.33, 67), (10, 200)])
def test_the_length_is_the_one_asked_for(model, seconds, frames):
    (motion,) = model.generate([WALK], seconds=seconds, **FAST)
    assert (motion.frames, motion.fps) == (frames, 20.0) and motion.skeleton is MOTIFMIX


def test_a_length_that_is_not_asked_for_lies_within_the_range(model):
    motions = model.generate([WALK, WAVE], styles=[None, "old"], **FAST)
    assert all(1.0 <= motion.seconds <= 10.0 for motion in motions)


def test_lengths_can_differ_within_a_call(model):
    motions = model.generate([WALK, WAVE, BOW], seconds=[4.0, None, 1.5], **FAST)
    assert (motions[0].frames, motions[2].frames) == (80, 30)
    assert [motion.labels["text"] for motion in motions] == [WALK, WAVE, BOW]


def test_the_same_seed_gives_the_same_bits_and_another_one_does_not(model):
    first, again, other = (model.generate([WALK], ["old"], 2.0, [seed], **FAST)[0] for seed in (3, 3, 4))
    assert np.array_equal(first.rotations, again.rotations) and np.array_equal(first.root, again.root)
    assert millimetres(first, other) > 1.0


def test_one_seed_counts_up_over_the_texts(model):
    together = model.generate([WALK, WALK], seconds=2.0, seeds=7, **FAST)
    assert [motion.labels["seed"] for motion in together] == [7, 8]
    assert millimetres(together[1], model.generate([WALK], seconds=2.0, seeds=[8], **FAST)[0]) < 0.1


def test_company_changes_nothing(model):
    texts, styles = [BOW, WALK, WAVE], [None, "old", [("old", 1.0), ("angry", 1.0)]]
    together = model.generate(texts, styles, [6.0, 2.0, 3.0], [1, 2, 3], **FAST)
    for place, seconds in enumerate([6.0, 2.0, 3.0]):
        (alone,) = model.generate([texts[place]], [styles[place]], seconds, [place + 1], **FAST)
        assert millimetres(alone, together[place]) < 0.1


def test_a_style_joins_late_where_training_showed_the_content_in_hardly_any(model, monkeypatch):
    texts = ["a person walks along", "someone is waving"]
    assert model.shown_in_styles(model.text_vectors(texts)).tolist() == [True, False]
    by_content = model.generate(texts, ["old"] * 2, 2.0, [0, 0], steps=4)
    (first, soft), (late, _), (_, loud) = (
        model.generate(texts, ["old"] * 2, 2.0, [0, 0], steps=4, style_start=start, text_scale=scale)
        for start, scale in ((1.0, TEXT_SCALE), (LATE, TEXT_SCALE), (LATE, LATE_TEXT * TEXT_SCALE))
    )
    assert millimetres(by_content[0], first) < 0.1 and millimetres(by_content[1], loud) < 0.1
    assert millimetres(by_content[0], late) > 1.0 and millimetres(by_content[1], soft) > 1.0
    unsaid = [replace(known, styles=None) for known in model.contents]  # weights of before say nothing of styles
    monkeypatch.setattr(model, "contents", unsaid)
    assert millimetres(model.generate(texts, ["old"] * 2, 2.0, [0, 0], steps=4)[1], soft) < 0.1


def test_without_strength_a_late_style_changes_nothing(model):
    plain, weak = (
        model.generate(["someone is waving"], [style], None, [0], strength=0.0, **FAST)[0] for style in (None, "old")
    )
    assert millimetres(plain, weak) < 0.1


def test_a_style_changes_the_length_only_of_what_training_showed_in_styles(model, monkeypatch):
    texts = ["a person walks along", "someone is waving"]

    class Longer(torch.nn.Module):  # a style doubles every length
        def forward(self, text, style, has_style):
            return 2.0 + has_style * math.log(2.0), torch.zeros(len(text))

    monkeypatch.setattr(model, "length_predictor", Longer())
    plain = model.generate(texts, None, None, [0, 0], **FAST)
    styled = model.generate(texts, ["old"] * 2, None, [0, 0], **FAST)
    ratios = [two.frames / one.frames for one, two in zip(plain, styled, strict=True)]
    assert ratios[0] > 1.8 and ratios[1] == 1.0


def test_what_a_late_style_has_less_of_steps_it_has_more_of_scale(model):
    def one(**how):
        return model.generate([WAVE], ["old"], 2.0, [0], steps=4, **how)[0]

    assert millimetres(one(style_start=0.5), one(style_start=1.0)) > 1.0
    assert millimetres(one(style_start=0.5, style_scale=0.0), one(style_start=1.0, style_scale=0.0)) < 0.1
    with pytest.raises(RequestError, match=r"style-start goes from 0\.3 to 1"):
        one(style_start=0.0)


@pytest.mark.parametrize("steps", [1, 2])
def test_with_hardly_any_steps_a_late_style_still_joins(model, steps):
    said, unsaid = (model.generate([WAVE], [style], 2.0, [0], steps=steps)[0] for style in ("old", None))
    assert millimetres(said, unsaid) > 1.0


def test_more_than_a_batch_comes_back_in_order(model):
    seconds = [1.0 + 0.05 * ((7 * number) % 40) for number in range(40)]
    said = []
    motions = model.generate([WALK] * 40, None, seconds, 0, progress=lambda done, of: said.append((done, of)), steps=1)
    assert [motion.frames for motion in motions] == [round(20 * s) for s in seconds]
    assert [motion.labels["seed"] for motion in motions] == list(range(40))
    assert said == [(32, 40), (40, 40)]


def test_text_style_and_strength_each_count(model):
    def one(text=WALK, style="old", **more):
        return model.generate([text], [style], 2.0, [0], **FAST, **more)[0]

    for other in (one(text=WAVE), one(style="angry"), one(style=None), one(strength=0.5)):
        assert millimetres(one(), other) > 0.1


def test_strength_zero_is_the_motion_without_a_style(model):
    plain = model.generate([WALK], None, 2.0, [0], **FAST)[0]
    assert millimetres(model.generate([WALK], ["old"], 2.0, [0], strength=0.0, **FAST)[0], plain) < 0.1


def test_the_length_follows_the_strength_of_the_style(model):
    def frames(style, strength=1.0):
        return model.generate([WALK], [style], None, [0], strength=strength, **FAST)[0].frames

    assert frames("old", 0.0) == frames(None)
    assert frames(None) <= frames("old", 0.5) <= frames("old")
    assert frames(None) < frames("old")


def test_a_style_from_a_file_is_that_of_its_motion_whatever_its_skeleton(model, tmp_path):
    reference = hopping()
    path = tmp_path / "hop.bvh"
    write(path, retarget(reference, RIGS["mixamo"])[0], fps=None)
    from_file, from_memory = model.generate([WALK] * 2, [path, reference], 2.0, [0, 0], **FAST)
    other = model.generate([WALK], [hopping(seed=1)], 2.0, [0], **FAST)[0]
    assert millimetres(from_file, from_memory) < 1.0 < millimetres(from_memory, other)
    assert from_file.labels["style"] == "hop.bvh"


def test_a_blend_lies_between_its_ingredients(model, tmp_path):
    path = tmp_path / "hop.bvh"
    write(path, hopping(), fps=None)
    old, hop, blend = (
        model.generate([WALK], [style], 2.0, [0], **FAST)[0]
        for style in ("old", path, [("old", 3.0), (path, 1.0), ("angry", 0.0)])
    )
    whole = model.generate([WALK], [[("old", 1.0), (path, 0.0)]], 2.0, [0], **FAST)[0]
    assert millimetres(whole, old) < 0.1 < min(millimetres(blend, old), millimetres(blend, hop))
    assert blend.labels["style"] == "old:3 + hop.bvh:1 + angry:0"


def test_a_reference_given_for_many_texts_is_encoded_once(model, monkeypatch):
    encoded = []
    original = type(model).style_vector
    monkeypatch.setattr(type(model), "style_vector", lambda self, m: encoded.append(m) or original(self, m))
    reference = hopping()
    model.generate([WALK, WAVE, BOW], [reference] * 3, 1.0, **FAST)
    assert len(encoded) == 1


def test_labels_say_where_it_comes_from(model):
    (motion,) = model.generate([WALK], ["old"], 1.0, [5], **FAST)
    assert dict(motion.labels) == {
        "text": WALK, "style": "old", "seed": 5, "credit": "Somebody; Somebody else", "licence": "for tests",
    }  # fmt: skip
    assert "style" not in model.generate([WALK], seconds=1.0, **FAST)[0].labels


def test_feet_are_cleaned_unless_asked_otherwise(model):
    clean, raw = (model.generate([WALK], seconds=2.0, seeds=[0], clean_feet=c, **FAST)[0] for c in (True, False))
    np.testing.assert_allclose(clean.rotations, raw.rotations)
    assert not np.allclose(clean.root, raw.root)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"seconds": 0}, "0 s is out of range; the model makes 1 to 10"),
        ({"seconds": 11}, "11 s is out of range"),
        ({"seconds": 600.0}, "600 s is out of range"),
        ({"seconds": float("nan")}, "nan s is out of range"),
        ({"seconds": [2.0, 3.0]}, "2 seconds were given for 1 texts"),
        ({"texts": [""]}, "the text is empty"),
        ({"texts": [WALK, " \n"]}, "the text is empty"),
        ({"texts": WALK}, "put the one sentence into a list"),
        ({"styles": [""]}, "the style is empty"),
        ({"styles": [[]]}, "the style is empty"),
        ({"styles": ["old", "young"]}, "2 styles were given for 1 texts"),
        ({"strength": -0.1}, "strength of -0.1 is out of range"),
        ({"strength": float("nan")}, "out of range"),
        ({"steps": 0}, "steps goes from 1 to 1000"),
        ({"texts": [None]}, "text 1 is None; a text is a string"),
        ({"texts": [WALK, 3]}, "text 2 is a value of the type int; a text is a string"),
        ({"texts": 3}, "texts is a list of sentences, not a value of the type int"),
        ({"seconds": ["a"]}, "seconds holds a value of the type str; give numbers"),
        ({"seconds": "2"}, "seconds is a list with one value a text, not a value of the type str"),
        ({"seconds": [True]}, "seconds holds a value of the type bool"),
        ({"seconds": 10**400}, "inf s is out of range"),
        ({"styles": [np.zeros(3)]}, "a style is not of the type ndarray; give words"),
        ({"styles": [("old", 1.0)]}, "a blend of styles is a list of pairs"),
        ({"styles": [[("old", "much")]]}, "a style's weight is a number, not of the type str"),
        (
            {"styles": "old"},
            "styles is a list with one value a text, not a value of the type str; put the one value into a list",
        ),
        ({"styles": hopping()}, "styles is a list with one value a text, not a value of the type Motion"),
        ({"seeds": [1.5]}, "seeds holds 1.5; a seed is a whole number"),
        ({"seeds": [True]}, "seeds holds True; a seed is a whole number"),
        ({"seeds": True}, "seeds is a list with one value a text, not a value of the type bool"),
        ({"seeds": -1}, "seeds holds -1; a seed is a whole number from 0"),
        ({"seeds": [2**70]}, "a seed is a whole number from 0 to"),
        ({"strength": "much"}, "strength is a number, not a value of the type str"),
    ],
)
def test_what_cannot_be_met_is_refused_with_a_reason(model, given, words):
    with pytest.raises(RequestError, match=words):
        model.generate(**{"texts": [WALK], **given})


def test_a_style_file_that_is_missing_is_named(model):
    with pytest.raises(FileError, match=r"nowhere\.bvh"):
        model.generate([WALK], ["nowhere.bvh"])


def test_nothing_asked_is_nothing_made(model):
    assert model.generate([]) == []


def test_the_model_says_what_it_knows_and_what_is_far(model):
    assert [known.name for known in model.styles] == ["elderly", "angry"]
    assert [(known.name, known.clips) for known in model.contents] == [("walk", 5), ("wave", 5)]
    assert model.describe("a person is walking forwards", "old") == []
    (text,) = model.describe("quarterly tax returns of a bakery")
    assert "far from anything" in text and "nearest: w" in text
    (style,) = model.describe(WALK, [("old", 1.0), ("a rusty bicycle pump", 1.0), (hopping(), 1.0)])
    assert '"a rusty bicycle pump"' in style and "nearest: " in style


def test_an_unknown_word_is_offered_what_is_nearest_with_its_distance_and_generates(model):
    (line,) = model.describe(WALK, "anger")
    assert line.startswith('the style "anger" is not known by that name; nearest: angry (0.')
    assert "elderly (" in line and line.endswith("away); 0 is the same, 1 has nothing in common")
    angry, elderly = (float(part.split(" away")[0]) for part in line.split("(")[1:])
    assert 0.0 < angry < elderly
    assert model.describe(WALK, "Angry") == [] and model.describe(WALK, "old") == []
    (motion,) = model.generate([WALK], ["xyzzy"], 1.0, **FAST)
    assert motion.frames == 20 and np.isfinite(motion.joints).all()


def test_words_files_and_folders_blend_by_their_weights(model, tmp_path):
    clips = [hopping(seed=1), hopping(seed=2)]
    for name, clip in zip(("a.npz", "b.npz"), clips, strict=True):
        write(tmp_path / name, clip, fps=None)
    (word, folder, a, b, mixed), present = model.vectors(
        [WALK] * 5,
        ["old", tmp_path, tmp_path / "a.npz", tmp_path / "b.npz", [("old", 0.6), (tmp_path / "a.npz", 0.4)]],
    )[1:]
    assert present.all()
    assert np.allclose(folder, (a + b) / 2, atol=1e-5) and np.allclose(mixed, 0.6 * word + 0.4 * a, atol=1e-5)
    assert not np.allclose(a, b, atol=1e-2)
    (motion,) = model.generate([WALK], [[("old", 0.6), (tmp_path, 0.4)]], 1.0, **FAST)
    assert motion.labels["style"] == f"old:0.6 + {tmp_path.name}:0.4"


def test_reconstructions_keep_length_and_rate(model):
    (kept,) = model.reconstruct([hopping(31)])
    assert (kept.frames, kept.fps) == (31, 20.0)


def test_loading_by_the_packages_own_verb(weights):
    assert isinstance(motifmix.load(weights).generate([WALK], seconds=1.0, **FAST)[0], Motion)


PARTS = ("vae", "denoiser", "style_encoder", "text_to_style", "length", "bank")


@pytest.mark.parametrize("part", PARTS)
def test_a_missing_part_is_named(weights, tmp_path, part):
    folder = shutil.copytree(weights, tmp_path / "copy")
    (folder / f"{part}.safetensors").unlink()
    with pytest.raises(WeightsError, match=rf"{part}\.safetensors"):
        motifmix.load(folder)


def test_an_altered_part_is_named(weights, tmp_path):
    folder = shutil.copytree(weights, tmp_path / "copy")
    with (folder / "denoiser.safetensors").open("ab") as file:
        file.write(b"!")
    with pytest.raises(WeightsError, match=r"denoiser\.safetensors.*altered"):
        motifmix.load(folder)


@pytest.mark.parametrize(("part", "lost"), [("denoiser", "gamma"), ("bank", "styles")])
def test_a_card_of_another_version_is_told(weights, tmp_path, part, lost):
    folder = shutil.copytree(weights, tmp_path / "copy")
    card = yaml.safe_load((folder / f"{part}.yaml").read_text())
    del card["extra"][lost]
    (folder / f"{part}.yaml").write_text(yaml.safe_dump(card))
    with pytest.raises(WeightsError, match=f"lack '{lost}'"):
        motifmix.load(folder)


@pytest.mark.parametrize("damage", [{"styles": "many"}, {"clips": "few"}, {"synonyms": 3}])
def test_a_damaged_entry_of_the_bank_is_told(weights, tmp_path, damage):
    folder = shutil.copytree(weights, tmp_path / "copy")
    card = yaml.safe_load((folder / "bank.yaml").read_text())
    card["extra"]["contents"][0] |= damage
    (folder / "bank.yaml").write_text(yaml.safe_dump(card))
    with pytest.raises(WeightsError, match=r"a card of these weights is damaged .*install motifmix again"):
        motifmix.load(folder)


def test_a_style_that_will_show_less_is_said(model):
    rare, shown = (model.describe(text, "old") for text in ("someone is waving", "a person walks along"))
    said = [note for note in rare if "hardly any style" in note]
    assert len(said) == 1 and '"someone is waving"' in said[0]
    assert not any("hardly any style" in note for note in [*shown, *model.describe("someone is waving")])
