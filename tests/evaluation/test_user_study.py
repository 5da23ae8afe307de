"""The page of a user study is blind and whole, and its tally believes nobody."""

import json
import re
import shutil

import numpy as np
import pytest

from motifmix.errors import FileError, MotifmixError, RequestError
from motifmix.evaluation.user_study import as_json, as_markdown, make_study, tally
from motifmix.files import write
from motifmix.motion import MOTIFMIX, Motion, Scene
from motifmix.motion import rotations as rot

CLIPS = ("bow", "greet", "part")
HOSTILE = '</script><img src=x onerror="alert(1)"> & more'


@pytest.fixture
def folders(tmp_path):
    for method in ("mixer", "blend", "alone"):
        folder = tmp_path / method
        folder.mkdir()
        for name in CLIPS:
            (folder / f"{name}.mp4").write_bytes(f"{method} {name}".encode())
    prompts = {name: {"text": f"two people {name}", "people": ["a person bows", ""]} for name in CLIPS}
    prompts["bow"]["text"] = HOSTILE
    (tmp_path / "mixer" / "prompts.json").write_text(json.dumps(prompts))
    return [tmp_path / name for name in ("mixer", "blend", "alone")]


def _data(page):
    return json.loads(re.findall(r'<script id="data"[^>]*>(.*?)</script>', page.read_text(), re.S)[0])


def _answers(path, key, order, participant="0123456789ab", kinds=("interaction", "individual"), **changes):
    rows = [
        {
            "question": q["id"],
            "kind": kind,
            "ranks": {token: order.index(name) + 1 for token, name in q["methods"].items()},
        }
        for q in json.loads(key.read_text())["questions"]
        for kind in kinds
    ]
    study = json.loads(key.read_text())["study"]
    path.write_text(json.dumps({"study": study, "participant": participant, "answers": rows, **changes}))
    return path


def test_the_page_is_blind_shuffled_and_holds_what_it_shows(folders, tmp_path):
    page, key = make_study(folders, tmp_path / "page", seed=3)
    text, shown = page.read_text(), _data(page)
    assert not any(name in text for name in ("mixer", "blend", "alone/")) and "http" not in text
    assert HOSTILE not in text and HOSTILE in [question["text"] for question in shown["questions"]]
    known = {q["id"]: q for q in json.loads(key.read_text())["questions"]}
    for question in shown["questions"]:
        own = known[question["id"]]
        assert list(own["methods"]) == question["clips"] and set(own["methods"].values()) == {"mixer", "blend", "alone"}
        for token, method in own["methods"].items():
            assert (page.parent / "clips" / f"{token}.mp4").read_text() == f"{method} {own['clip']}"
    orders = {tuple(q["methods"].values()) for q in known.values()}
    assert len(orders) > 1 and key.parent == page.parent.parent
    assert len(list(page.parent.rglob("*.mp4"))) == 9
    again, _ = make_study(folders, tmp_path / "again", seed=3)
    assert again.read_text() == page.read_text()


def test_scenes_are_drawn_and_say_themselves_what_was_asked(tmp_path):
    still = Motion(MOTIFMIX, np.tile(rot.IDENTITY, (4, 22, 1)), np.tile([0.0, 0.92, 0.0], (4, 1)), 30.0)
    people = [still.with_labels(interaction="two people stand", text=f"person {n}") for n in (1, 2)]
    for method in ("one", "two"):
        (tmp_path / method).mkdir()
        write(tmp_path / method / "stand.npz", Scene((people[0], people[1].moved(np.array([1.0, 0.0, 0.0])))))
    page, _ = make_study([tmp_path / "one", tmp_path / "two"], tmp_path / "page")
    assert _data(page)["questions"][0] | {"clips": 0} == {
        "id": "q1", "clips": 0, "text": "two people stand", "people": ["person 1", "person 2"],
    }  # fmt: skip
    assert all(b"ftyp" in film.read_bytes()[:16] for film in page.parent.rglob("*.mp4"))


def test_folders_that_do_not_fit_are_refused_and_nothing_is_written(folders, tmp_path):
    out = tmp_path / "page"
    with pytest.raises(RequestError, match="2 to 9 methods"):
        make_study(folders[:1], out)
    with pytest.raises(RequestError, match="no such folder"):
        make_study([folders[0], tmp_path / "none"], out)
    with pytest.raises(RequestError, match="rename one"):
        make_study([folders[0], folders[0]], out)
    (folders[1] / "greet.mp4").unlink()
    with pytest.raises(RequestError, match="no clip 'greet'"):
        make_study(folders, out)
    shutil.copy(folders[0] / "greet.mp4", folders[1])
    for bad in (
        "[",
        "[1]",
        '{"bow": {"text": 3, "people": []}}',
        '{"bow": {"text": "a", "people": []}}',
        "[" * 100_000,
    ):
        (folders[0] / "prompts.json").write_text(bad)
        with pytest.raises(RequestError, match=r"prompts\.json"):
            make_study(folders, out)
    assert not out.exists() and not list(tmp_path.glob("*.key.json"))


def test_what_is_there_is_kept(folders, tmp_path):
    make_study(folders, tmp_path / "page")
    with pytest.raises(FileError, match="kept"):
        make_study(folders, tmp_path / "page")
    make_study(folders, tmp_path / "page", force=True)
    (tmp_path / "thesis").mkdir()
    with pytest.raises(FileError, match="no study"):
        make_study(folders, tmp_path / "thesis", force=True)
    (tmp_path / "thesis" / "index.html").write_text("<body>my page")
    with pytest.raises(FileError, match="no study"):
        make_study(folders, tmp_path / "thesis", force=True)
    (tmp_path / "page" / "notes.txt").write_text("mine")
    with pytest.raises(FileError, match="something else"):
        make_study(folders, tmp_path / "page", force=True)
    assert (tmp_path / "page" / "notes.txt").read_text() == "mine"


def test_ranks_and_first_places_are_counted(folders, tmp_path):
    _, key = make_study(folders, tmp_path / "page", seed=1)
    files = [
        _answers(tmp_path / f"{n}.json", key, order, f"participant-{n}")
        for n, order in enumerate(
            (("mixer", "blend", "alone"), ("mixer", "alone", "blend"), ("blend", "mixer", "alone"))
        )
    ]
    counted = tally(key, files)
    assert counted.participants == 3 and counted.answers == 18
    ranks, firsts = counted.mean_rank["interaction"], counted.first_places["individual"]
    assert ranks["mixer"].mean == pytest.approx(4 / 3) and ranks["alone"].mean == pytest.approx(8 / 3)
    assert firsts["mixer"].mean == pytest.approx(2 / 3) and firsts["alone"].mean == 0.0 == firsts["alone"].half_width
    assert 0 < ranks["mixer"].half_width < 1
    assert as_markdown(counted).index("| mixer") < as_markdown(counted).index("| alone")
    assert json.loads(as_json(counted))["mean_rank"]["interaction"]["mixer"][0] == pytest.approx(4 / 3)


def test_hostile_answers_are_refused(folders, tmp_path):
    _, key = make_study(folders, tmp_path / "page", seed=1)
    order = ("mixer", "blend", "alone")
    good = _answers(tmp_path / "good.json", key, order)
    data = json.loads(good.read_text())
    row = data["answers"][0]
    tokens = list(row["ranks"])
    bad = tmp_path / "bad.json"
    for content in (
        "", "[]", "null", "[" * 200_000, "{" + '"a":' * 5000, "x" * 2**21, '{"study": NaN}',
        json.dumps({**data, "study": "another"}),
        json.dumps({**data, "participant": "../../etc"}),
        json.dumps({**data, "extra": 1}),
        json.dumps({**data, "answers": [row, row]}),
        json.dumps({**data, "answers": []}),
        json.dumps({**data, "answers": [{**row, "question": "q99"}]}),
        json.dumps({**data, "answers": [{**row, "kind": "beauty"}]}),
        json.dumps({**data, "answers": [{**row, "ranks": dict.fromkeys(tokens, 1)}]}),
        json.dumps({**data, "answers": [{**row, "ranks": {tokens[0]: 1, tokens[1]: 2}}]}),
        json.dumps({**data, "answers": [{**row, "ranks": {**row["ranks"], "other": 4}}]}),
        json.dumps({**data, "answers": [{**row, "ranks": dict(zip(tokens, (1.0, 2.0, 3.5), strict=True))}]}),
        json.dumps({**data, "answers": [{**row, "ranks": dict(zip(tokens, (10**400, 2, 3), strict=True))}]}),
    ):  # fmt: skip
        bad.write_text(content)
        with pytest.raises(MotifmixError, match=r"bad\.json"):
            tally(key, [good, bad])
    with pytest.raises(RequestError, match="again"):
        tally(key, [good, _answers(tmp_path / "twin.json", key, order)])
    with pytest.raises(RequestError, match="no file"):
        tally(key, [])
    with pytest.raises(FileError, match="cannot be read"):
        tally(key, [tmp_path / "none.json"])
    with pytest.raises(RequestError, match=r"sound"):
        tally(good, [good])
