import json

import numpy as np
import pytest
import yaml
from tests.data.duet_clips import prepared_people
from tests.data.published import cmu_bvh, write_folder

from motifmix.data.captions import surface_free
from motifmix.data.duets.choreography import Choreographer, combination, sides_of
from motifmix.data.duets.interactions import BY_NAME, INTERACTIONS
from motifmix.data.duets.parts import POOLS, heading, takes
from motifmix.data.duets.preparing import Counts, prepare_duets
from motifmix.data.duets.recorded import recorded_pairs
from motifmix.data.duets.reporting import STYLED_NOTE
from motifmix.data.duets.staging import LAYOUTS
from motifmix.data.duets.styled import styled_interactions, styled_pools
from motifmix.data.duets.words import content_words, interaction_words
from motifmix.data.interhuman import InterHuman
from motifmix.data.labels import ContentLabel
from motifmix.errors import DataError
from motifmix.motion.capsules import clearance

CHOSEN = [BY_NAME[name] for name in ("wave-back", "follow", "chase", "approach")]


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return prepared_people(tmp_path_factory.mktemp("sets") / "bandai")


@pytest.fixture(scope="module")
def choreographer(people):
    return Choreographer(takes([people]))


def drawn(choreographer, name, side="train", seed=0, count=4):
    rng = np.random.default_rng(seed)
    found = [choreographer.draw(BY_NAME[name], side, rng) for _ in range(count)]
    assert all(found)
    return found


def test_every_type_has_enough_wordings_and_a_stage():
    assert len(INTERACTIONS) >= 20 and len(BY_NAME) == len(INTERACTIONS)
    for interaction in INTERACTIONS:
        words = interaction_words(interaction.name)
        assert len(words.trained) >= 5 and len(words.held_out) >= 2
        assert {interaction.first, interaction.second} <= POOLS.keys() and interaction.layout in LAYOUTS
    for pool in POOLS.values():
        for content in (pool.says,) if pool.says else pool.contents:
            assert content_words(ContentLabel(content)).held_out


def test_no_unseen_wording_is_a_trained_one_of_any_type():
    trained = {surface_free(text) for i in INTERACTIONS for text in interaction_words(i.name).trained}
    unseen = [surface_free(text) for i in INTERACTIONS for text in interaction_words(i.name).held_out]
    assert not trained & set(unseen) and len(unseen) == len(set(unseen))


def test_pieces_come_from_normal_clips_only(people):
    clips = {take.clip for pool in takes([people]).values() for take in pool}
    assert clips and {people.by_id[clip].style for clip in clips} == {"normal"}
    assert not any(people.by_id[clip].content == "raise-up-both-hands" for clip in clips)


def test_who_waves_back_stands_opposite_and_waves_later(choreographer):
    for duet in drawn(choreographer, "wave-back"):
        one, other = duet.scene
        between = (other.joints[60, 0] - one.joints[60, 0])[[0, 2]]
        between /= np.linalg.norm(between)
        assert heading(one.joints[60]) @ between > 0.9 and heading(other.joints[60]) @ between < -0.9
        assert 0.3 <= duet.facts["delay_s"] <= 1.0


def test_who_is_followed_goes_ahead_at_the_same_pace(choreographer):
    for name in ("follow", "chase"):
        for duet in drawn(choreographer, name):
            first, second = (person.root[:, [0, 2]] for person in duet.scene)
            way = first[-1] - first[0]
            way /= np.linalg.norm(way)
            behind = (first - second) @ way
            assert behind.min() > 0.5 and np.ptp(behind) < 0.3


def test_nobody_stands_inside_anybody_and_feet_stay_where_they_were(choreographer):
    for name in ("wave-back", "approach", "follow"):
        for duet in drawn(choreographer, name):
            assert clearance(*duet.scene).min() >= 0.005
            for take, person in zip(duet.takes, duet.scene, strict=True):
                assert take.motion.joints[0, :, 1].min() == pytest.approx(person.joints[0, :, 1].min(), abs=1e-6)
                if name == "wave-back":  # stood in the clip, stands in the pair
                    assert np.ptp(person.joints[:, [10, 11]], axis=0).max() < 1e-6


def test_a_combination_is_on_one_side_also_exchanged_and_mirrored(choreographer):
    seen = {
        side: {combination(*duet.takes) for duet in drawn(choreographer, "approach", side, count=12)}
        for side in ("train", "val")
    }
    assert not seen["train"] & seen["val"]
    duet = drawn(choreographer, "approach", count=1)[0]
    first, second = duet.takes
    assert combination(second.as_mirrored(), first.as_mirrored()) == combination(first, second)
    sides = sides_of(BY_NAME["say-goodbye"], ["a", "b"], ["a", "b"])
    assert len(sides) == 6 and set(sides.values()) == {"train", "val", "test"}


def test_styled_pairs_are_of_every_style_but_normal_and_say_so(people, tmp_path):
    variants = [one for one in styled_interactions() if one.name in ("wave-back", "follow")]
    pools = {name: pool for name, pool in styled_pools().items() if name in ("wave", "walk")}
    assert {take.clip for take in takes([people], pools)["walk"]} <= {
        c.id for c in people.clips if c.style == "elderly"
    }
    made = tmp_path / "styled"
    prepare_duets(
        made, sets=[people.folder], counts=Counts(2, 1, 1), interactions=variants, pools=pools, note=STYLED_NOTE
    )
    lines = [json.loads(line) for line in (made / "duets.jsonl").read_text().splitlines()]
    assert {line["interaction"] for line in lines} == {"wave-back", "follow"}
    assert {people.by_id[clip].style for line in lines for clip in line["clips"]} == {"elderly"}
    card = yaml.safe_load((made / "card.yaml").read_text())
    assert "a style other than normal" in card["about"] and "styles_never_in_pairs" not in card
    assert "No style but normal" not in (made / "report.md").read_text()


def test_the_test_side_holds_out_clips_where_there_are_four_of_them(choreographer, tmp_path):
    assert choreographer.sides(BY_NAME["follow"])[0] == "clips"
    assert {take.split for duet in drawn(choreographer, "follow", "test") for take in duet.takes} == {"test"}
    few = Choreographer(takes([prepared_people(tmp_path / "few", clips=3)]))
    assert few.sides(BY_NAME["follow"])[0] == "combination"
    assert {take.split for duet in drawn(few, "follow", "test") for take in duet.takes} == {"train"}


@pytest.fixture(scope="module")
def folder(people, tmp_path_factory):
    out = tmp_path_factory.mktemp("duets") / "duets"
    made = prepare_duets(out, sets=[people.folder], counts=Counts(3, 1, 2), interactions=CHOSEN)
    assert "report: " in made
    return out


def test_pairs_are_read_by_interhumans_reader(folder):
    reader = InterHuman(folder, individual_captions=True)
    assert len(reader.ids("train")) == 3 * len(CHOSEN) and len(reader.ids("test")) == 2 * len(CHOSEN)
    for name in reader.ids("train"):
        sample = reader.sample(name)
        assert sample.features.shape[::2] == (2, 262) and sample.frames >= 44
        assert len(sample.captions) == 3 and all(sample.individual_captions)
        joints = sample.features[0, :, :66].reshape(-1, 22, 3)
        np.testing.assert_allclose(joints[0, 0, [0, 2]], 0.0, atol=1e-5)
    normaliser = reader.normaliser()
    rows = np.concatenate([reader.sample(n).features.reshape(-1, 262) for n in reader.ids("train")])
    np.testing.assert_allclose(normaliser.mean, rows.mean(axis=0), atol=1e-3)


def test_test_pairs_say_a_trained_and_an_unseen_sentence(folder):
    reader = InterHuman(folder, individual_captions=True)
    lines = {line["id"]: line for line in map(json.loads, (folder / "duets.jsonl").read_text().splitlines())}
    for name in reader.ids("test"):
        words = interaction_words(lines[name]["interaction"])
        seen, unseen = (caption.text for caption in reader.captions(name)[0])
        assert seen in words.trained and unseen in words.held_out
    for name in reader.ids("train"):
        words = interaction_words(lines[name]["interaction"])
        assert {caption.text for caption in reader.captions(name)[0]} <= set(words.trained)


def test_the_card_says_what_these_pairs_are(folder):
    card = yaml.safe_load((folder / "card.yaml").read_text())
    assert "choreographed" in card["about"] and "raise-up-both-hands" in card["contents_never_in_pairs"]
    assert "elderly" in card["styles_never_in_pairs"] and "normal" not in card["styles_never_in_pairs"]
    report = (folder / "report.md").read_text()
    assert "Intersection check" in report and "| wave-back | wave, wave | face_to_face | 3 | 1 | 2 | clips |" in report


def test_the_same_seed_gives_the_same_bytes_and_kept_pairs_are_kept(people, folder, tmp_path):
    again = tmp_path / "again"
    prepare_duets(again, sets=[people.folder], counts=Counts(3, 1, 2), interactions=CHOSEN)
    for path in sorted(folder.rglob("*.npy")) + sorted(folder.rglob("*.txt")):
        assert path.read_bytes() == (again / path.relative_to(folder)).read_bytes()
    with pytest.raises(DataError, match="--force"):
        prepare_duets(again, sets=[people.folder], counts=Counts(1, 0, 1), interactions=CHOSEN)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(DataError, match="something else"):
        prepare_duets(tmp_path / "mine", sets=[people.folder], interactions=CHOSEN, force=True)


def test_sets_that_lack_a_part_are_one_sentence(people, tmp_path):
    with pytest.raises(DataError, match=r"bow-to-each-other: .*'bow'"):
        prepare_duets(tmp_path / "d", sets=[people.folder], interactions=[BY_NAME["bow-to-each-other"]])
    assert not (tmp_path / "d").exists() and not list(tmp_path.iterdir())


def test_recorded_people_share_a_world_and_a_side(tmp_path):
    pair = {
        "pair": "cmu_20_21_06", "skeleton": "cmu22", "file_a": "bvh/20/20_06.bvh", "file_b": "bvh/21/21_06.bvh",
        "text": "two people march", "text_a": "a person marches", "text_b": "another person marches",
    }  # fmt: skip
    files = {
        "cmu/pairs.json": json.dumps({"pairs": [pair]}).encode(),
        "cmu/bvh/20/20_06.bvh": cmu_bvh(start=(0.0, 0.0)),
        "cmu/bvh/21/21_06.bvh": cmu_bvh(start=(0.0, -1.5), heading=180.0),
    }
    write_folder(files, tmp_path)
    [found] = recorded_pairs(tmp_path)
    assert found.split == "test" and found.individual_texts == ("a person marches", "another person marches")
    assert found.clips == ("cmu/20_06", "cmu/21_06")
    one, other = found.scene
    apart = np.linalg.norm((one.root - other.root)[:, [0, 2]], axis=-1)
    assert len(found.scene) == 2 and apart[0] == pytest.approx(1.5 * one.skeleton.offsets[4, 1] / -0.386, rel=0.1)
    assert np.dot(*(heading(person.joints[0]) for person in found.scene)) < -0.99
    with pytest.raises(DataError, match="is missing"):
        (tmp_path / "cmu" / "bvh" / "21" / "21_06.bvh").unlink()
        list(recorded_pairs(tmp_path))
