"""`motifmix batch`: tables as people save them, folders that outlive a kill, failures that stay with their row."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from motifmix.apps import batch as batches
from motifmix.apps.cli import terminal
from motifmix.credits import MADE_WITH
from motifmix.errors import MotifmixError
from motifmix.files import read

TABLE = (
    "text,style,seconds,seed,name\na person walks,old,2,7,first\na person jumps,,,,\nwaves,old:0.7|happy:0.3,3,,third\n"
)


def table(text: str, encoding: str = "utf-8", name: str = "prompts.csv") -> Path:
    Path(name).write_bytes(text.encode(encoding))
    return Path(name)


def made(folder: str = "out") -> list[str]:
    return sorted(name for name in os.listdir(folder) if name != batches.MANIFEST)


def test_every_row_becomes_a_file_with_what_it_asked_for(run, pipeline, here):
    table(TABLE)
    done = run("batch", "prompts.csv", "--out", "out")
    assert done.code == 0 and done.out == "out: 3 made, 0 kept from before, 0 failed\n" and done.err == ""
    assert made() == ["a-person-jumps.npz", "first.npz", "third.npz"]
    with np.load("out/first.npz", allow_pickle=False) as first:
        assert (str(first["text"]), str(first["style"]), int(first["seed"])) == ("a person walks", "old", 7)
        assert first["fps"] == 30 and abs(len(first["joints"]) / 30 - 2.0) < 0.1
    asked = {text: style for call in pipeline.calls for text, style in zip(call.texts, call.styles, strict=True)}
    assert asked == {"a person walks": "old", "a person jumps": None, "waves": [("old", 0.7), ("happy", 0.3)]}


def test_what_is_not_known_is_said_once_with_its_line(run, pipeline, here, monkeypatch):
    asked = []

    def describe(text, style):
        asked.append((text, style))
        return [f"the style {style} is not known; nearest: old"] if style in ("olden", "aged") else []

    monkeypatch.setattr(pipeline, "describe", describe)
    rows = ["a,olden", "a,olden", "b,olden", "a,", "a,aged"]
    table("text,style\n" + "\n".join(rows) + "\n")
    done = run("batch", "prompts.csv", "--out", "out")
    assert done.code == 0 and done.err.splitlines() == [
        "prompts.csv line 2: the style olden is not known; nearest: old",
        "prompts.csv line 6: the style aged is not known; nearest: old",
    ]
    assert len(asked) == 3 and run("batch", "prompts.csv", "--out", "out").err == ""


def test_a_table_of_unknown_styles_is_not_all_said(run, pipeline, here, monkeypatch):
    monkeypatch.setattr(pipeline, "describe", lambda text, style: [f"{style} is not known"])
    table("text,style\n" + "".join(f"a,style{row}\n" for row in range(40)))
    lines = run("batch", "prompts.csv", "--out", "out").err.splitlines()
    assert len(lines) == batches.MOST_NOTES + 1 and lines[-1].startswith("prompts.csv and so on")


def test_settings_stand_in_columns_and_rows_of_one_setting_go_together(run, pipeline, here):
    table("text,style,strength,gamma,steps,gradient\na,old,,,,\nb,old,0.5,,,\nc,old,,0.3,12,\nd,,,,,\ne,old,,0.3,12,\n")
    assert run("batch", "prompts.csv", "--out", "out").code == 0
    asked = [(call.texts, call.strength, call.steps, getattr(call, "gamma", None)) for call in pipeline.calls]
    assert asked == [(["a", "d"], 1.0, None, None), (["b"], 0.5, None, None), (["c", "e"], 1.0, 12, 0.3)]
    assert all(not hasattr(call, "gradient") for call in pipeline.calls)


def test_a_bad_setting_fails_its_row_alone_and_a_changed_one_makes_it_again(run, pipeline, here):
    table("text,gamma,name\na,much,one\nb,,two\n")
    done = run("batch", "prompts.csv", "--out", "out")
    assert done.code == 2 and "gamma goes from 0 to 10" in done.err and made() == ["errors.csv", "two.npz"]
    table("text,gamma,name\nb,0.4,two\n")
    assert "1 made, 0 kept" in run("batch", "prompts.csv", "--out", "out").out
    assert "0 made, 1 kept" in run("batch", "prompts.csv", "--out", "out").out


def test_a_setting_for_all_rows_gives_way_to_a_row_of_its_own(run, pipeline, here):
    table("text,gamma,name,style\na,,one,old\nb,0.4,two,\n")
    assert run("batch", "prompts.csv", "--out", "out", "--gamma", 0.9, "--shift", 2).code == 0
    asked = {call.texts[0]: (call.gamma, call.shift) for call in pipeline.calls}
    assert asked == {"a": (0.9, 2.0), "b": (0.4, 2.0)}
    assert run("batch", "prompts.csv", "--out", "out", "--gamma", 0.8, "--shift", 2).out.startswith(
        "out: 1 made, 1 kept"
    )
    assert "shift goes from 0.1" in run("batch", "prompts.csv", "--out", "other", "--shift", 0).err


def test_an_option_that_acts_on_styles_needs_one_in_some_row(run, pipeline, here):
    table("text,style,gamma,strength\na,,0.4,2\nb,,,\n")
    for option, value in (("--gamma", 0.9), ("--strength", 1.5)):
        done = run("batch", "prompts.csv", "--out", "out", option, value)
        refused(done, f"{option} belongs to a style, and no row of prompts.csv has one in a column style")
    refused(run("batch", "prompts.csv", "--out", "out", "--style-by", "projection"), "--style-by projection belongs to")
    assert not pipeline.calls and not Path("out").exists()
    assert run("batch", "prompts.csv", "--out", "out").code == 0  # a column may say it beside an empty style
    table("text,style\na,\nb,old\n")
    assert run("batch", "prompts.csv", "--out", "other", "--gamma", 0.9, "--strength", 1.5).code == 0


def test_formats_are_chosen(run, pipeline, here):
    table("text\nwalk\n")
    done = run("batch", "prompts.csv", "--out", "out", "--format", "bvh,.NPZ", "--units", "cm", "--fps", 60)
    assert done.code == 0 and done.err.count(MADE_WITH) == len(done.lines) == 1
    assert made() == ["walk.bvh", "walk.npz"]
    assert read("out/walk.bvh").people[0].fps == 60
    done = run("batch", "prompts.csv", "--out", "out", "--format", "fbx")
    assert done.code == 2 and "npz" in done.err and len(done.lines) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_tables_are_read_as_spreadsheets_save_them(run, pipeline, here, encoding, delimiter):
    table(f"Name{delimiter} Text \r\nä1{delimiter}geht müde und langsam\r\n\r\n", encoding)
    done = run("batch", "prompts.csv", "--out", "out")
    assert done.code == 0 and made() == ["ä1.npz"] and pipeline.calls[0].texts == ["geht müde und langsam"]
    assert ("Windows-1252" in done.err) == (encoding == "cp1252")


def refused(done, *words):
    assert done.code == 2 and done.out == "" and len(done.lines) == 1, done.err
    for word in words:
        assert word in done.err, done.err


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"style,name\nold,a\n", ["column 'text' is missing", "style, name"]),
        (b"", ["empty"]),
        (b" \n\n", ["empty"]),
        (b"text,style\n", ["no rows"]),
        (b"text,text\na,b\n", ["stands twice"]),
        ("text\nwalk\n".encode("utf-16-le"), ["zero bytes", "UTF-8"]),
        (b"PK\x03\x04\x00\x00\x00", ["zero bytes", "CSV"]),
        (b"text\n\x81\x8d\x8f\n", ["encoding", "UTF-8"]),
        (b'text\n"walk\nrun\n', ["line 3", "double quotes"]),
    ],
)
def test_a_table_of_no_use_is_refused_in_one_line(run, pipeline, here, data, words):
    Path("prompts.csv").write_bytes(data)
    refused(run("batch", "prompts.csv", "--out", "out"), "prompts.csv", *words)
    assert not Path("out").exists() and not pipeline.calls


def test_a_missing_table_and_a_folder_that_cannot_be_are_refused(run, pipeline, here):
    refused(run("batch", "none.csv", "--out", "out"), "none.csv", "cannot be read")
    table("text\nwalk\n")
    Path("file").write_text("x")
    refused(run("batch", "prompts.csv", "--out", "file"), "file", "choose another")
    refused(run("batch", "prompts.csv", "--out", "out", "--strength", 3), "strength goes from 0 to 2")


def test_a_column_that_is_not_read_is_said(run, pipeline, here):
    table("text,speed\nwalk,3\n")
    done = run("batch", "prompts.csv", "--out", "out")
    assert done.code == 0 and "speed" in done.err and len(done.lines) == 1


def test_failed_rows_are_reported_with_their_line_and_the_rest_is_done(run, pipeline, here):
    table('text,seconds,style\nwalk,,\nimpossible,,\nrun,600,\n,,\n"",2,\nwave,,none.bvh\nbow,1,,,surplus\njump,,\n')
    done = run("batch", "prompts.csv", "--out", "out")
    assert done.code == 2 and done.out == "out: 2 made, 0 kept from before, 5 failed\n"
    assert made() == ["errors.csv", "jump.npz", "walk.npz"]
    with open("out/errors.csv", encoding="utf-8", newline="") as file:
        errors = {int(row["line"]): row["error"] for row in csv.DictReader(file)}
    assert sorted(errors) == [3, 4, 6, 7, 8]
    assert "cannot be met" in errors[3] and "600" in errors[4] and "empty" in errors[6]
    assert "none.bvh" in errors[7] and "5 cells" in errors[8]
    assert "prompts.csv line 3: this text cannot be met" in done.err and "Traceback" not in done.err
    table("text\nwalk\njump\n")
    again = run("batch", "prompts.csv", "--out", "out")
    assert again.code == 0 and made() == ["jump.npz", "walk.npz"]


def test_a_bug_in_one_row_is_shown_and_the_rest_is_done(run, pipeline, here):
    table("text\nwalk\nbuggy\njump\n")
    done = run("batch", "prompts.csv", "--out", "out")
    assert done.code == 2 and "ZeroDivisionError" in done.err and "Traceback" in done.err
    assert made() == ["errors.csv", "jump.npz", "walk.npz"]


def test_a_second_run_makes_only_what_is_missing_or_changed(run, pipeline, here):
    table(TABLE)
    run("batch", "prompts.csv", "--out", "out")
    before = {name: Path("out", name).stat().st_mtime_ns for name in made()}
    pipeline.calls.clear()
    assert run("batch", "prompts.csv", "--out", "out").out == "out: 0 made, 3 kept from before, 0 failed\n"
    assert not pipeline.calls
    Path("out/first.npz").unlink()
    table(TABLE.replace("waves,old:0.7", "waves,old:0.5"))
    assert run("batch", "prompts.csv", "--out", "out").out == "out: 2 made, 1 kept from before, 0 failed\n"
    assert sorted(text for call in pipeline.calls for text in call.texts) == ["a person walks", "waves"]
    assert Path("out/a-person-jumps.npz").stat().st_mtime_ns == before["a-person-jumps.npz"]
    assert run("batch", "prompts.csv", "--out", "out", "--force").out.startswith("out: 3 made")


def test_a_kill_between_chunks_is_resumed_with_the_same_motions(run, pipeline, here, monkeypatch):
    rows = 2 * batches.CHUNK + 5
    table("text\n" + "".join(f"walk number {n}\n" for n in range(rows)))
    run("batch", "prompts.csv", "--out", "whole")

    def kill():
        if len(pipeline.calls) == 2:
            raise KeyboardInterrupt

    pipeline.calls.clear()
    pipeline.after_call = kill
    done = run("batch", "prompts.csv", "--out", "out")
    assert done.code == 130 and "run the same command again" in done.err
    assert len(made()) == batches.CHUNK
    pipeline.after_call = lambda: None
    done = run("batch", "prompts.csv", "--out", "out")
    assert done.out == f"out: {rows - batches.CHUNK} made, {batches.CHUNK} kept from before, 0 failed\n"
    for name in made():
        with np.load(f"out/{name}") as a, np.load(f"whole/{name}") as b:
            assert np.array_equal(a["joints"], b["joints"])


def test_an_interruption_while_writing_leaves_whole_files_only(run, pipeline, here, monkeypatch):
    table("text\n" + "".join(f"walk {n}\n" for n in range(5)))
    replace, count = os.replace, [0]

    def third(*arguments, **options):
        count[0] += 1
        if count[0] == 4:  # the list of rows is the first file that is renamed
            raise KeyboardInterrupt
        return replace(*arguments, **options)

    monkeypatch.setattr(os, "replace", third)
    assert run("batch", "prompts.csv", "--out", "out").code == 130
    assert len(made()) == 2
    for name in made():
        with np.load(f"out/{name}") as arrays:
            assert len(arrays["joints"]) > 10
    monkeypatch.setattr(os, "replace", replace)
    assert run("batch", "prompts.csv", "--out", "out").out == "out: 3 made, 2 kept from before, 0 failed\n"


def test_files_that_the_batch_did_not_make_are_kept(run, pipeline, here):
    table("text,name\nwalk,mine\njump,yours\n")
    Path("out").mkdir()
    Path("out/mine.npz").write_text("precious")
    done = run("batch", "prompts.csv", "--out", "out")
    assert done.code == 2 and "--force" in done.err and made() == ["errors.csv", "mine.npz", "yours.npz"]
    assert Path("out/mine.npz").read_text() == "precious"
    assert run("batch", "prompts.csv", "--out", "out", "--force").code == 0


def test_a_broken_list_of_rows_is_said(run, pipeline, here):
    table("text\nwalk\n")
    Path("out").mkdir()
    Path("out", batches.MANIFEST).write_text('{"rows": [')
    refused(run("batch", "prompts.csv", "--out", "out"), batches.MANIFEST)


def test_names_stay_inside_the_folder_and_equal_ones_are_numbered(run, pipeline, here):
    table("text,name\nwalk,../../evil\nwalk,/etc/passwd\nwalk,Take\nwalk,take\nwalk,\nwalk,\nwalk,walk_2\nwalk,con\n")
    assert run("batch", "prompts.csv", "--out", "out").code == 0
    assert made() == sorted(
        [
            "evil.npz",
            "etc-passwd.npz",
            "Take.npz",
            "take_2.npz",
            "walk.npz",
            "walk_3.npz",
            "walk_2.npz",
            "motion-con.npz",
        ]
    )
    assert sorted(os.listdir(here)) == ["out", "prompts.csv"]


def test_rows_of_unlike_strength_are_made_apart_and_stay_in_their_rows(run, pipeline, here):
    table("text,style,seconds\nwalk,old:0.5,1\njump,old,2\nrun,sad:0.5,3\n")
    assert run("batch", "prompts.csv", "--out", "out").code == 0
    assert {tuple(call.texts): call.strength for call in pipeline.calls} == {("walk", "run"): 0.5, ("jump",): 1.0}
    lengths = [
        len(np.load(f"out/{name}")["joints"]) / 30 for name in ("walk_old-0.5.npz", "jump_old.npz", "run_sad-0.5.npz")
    ]
    assert np.allclose(lengths, [1, 2, 3], atol=0.1)


def test_a_style_file_is_looked_for_beside_the_table(run, pipeline, here):
    (here / "deep").mkdir()
    (here / "deep" / "old.bvh").write_text("x")
    table("text,style\nwalk,old.bvh\n", name="deep/prompts.csv")
    assert run("batch", "deep/prompts.csv", "--out", "out").code == 0
    assert pipeline.calls[0].styles == [Path("deep/old.bvh")]


def test_ten_thousand_rows_are_made_in_chunks(run, pipeline, here, monkeypatch):
    saved = []

    def save(path, *arguments, **options):
        path.touch()  # what a file holds is tested above; here the number of rows is the matter
        saved.append(path)
        return (path,)

    monkeypatch.setattr("motifmix.apps.outputs.save", save)
    monkeypatch.setattr("motifmix.apps.outputs.finished", lambda motion, request, seed: motion)
    table("text,seconds\n" + "".join(f"walk {n},1\n" for n in range(10_000)))
    done = run("batch", "prompts.csv", "--out", "out")
    assert done.code == 0 and done.out == "out: 10000 made, 0 kept from before, 0 failed\n"
    assert max(len(call.texts) for call in pipeline.calls) == batches.CHUNK and len(set(saved)) == 10_000
    assert len(json.loads(Path("out", batches.MANIFEST).read_text(encoding="utf-8"))["rows"]) == 10_000
    assert run("batch", "prompts.csv", "--out", "out").out == "out: 0 made, 10000 kept from before, 0 failed\n"


@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: ("text,style,name\n" + text).encode("utf-8", "replace"))
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_no_table_is_a_bug(tmp_path, data):
    path = tmp_path / "prompts.csv"
    path.write_bytes(data)
    try:
        rows = batches.read_table(path, batches.Options()).rows
    except MotifmixError as error:
        assert str(path) in str(error)
    else:
        names = [row.name.casefold() for row in rows]
        assert rows and len(set(names)) == len(names)
        assert all((row.request is None) == bool(row.error) for row in rows)


def test_rows_are_told_of_while_they_are_read_and_a_log_gets_a_line_now_and_then(run, pipeline, here, monkeypatch):
    rows = 2 * batches.CHECKED + 50
    table("text\n" + "a person walks\n" * rows)
    told = []
    batches.read_table(Path("prompts.csv"), batches.Options(), lambda done, total: told.append((done, total)))
    assert told == [(batches.CHECKED, rows), (2 * batches.CHECKED, rows), (rows, rows)]
    table("text,seconds\na person walks,1\n")
    monkeypatch.setattr(terminal, "SECONDS_BETWEEN_LINES", 0.0)
    done = run("batch", "prompts.csv", "--out", "out")
    assert done.code == 0 and "rows read: 1 of 1\nmotions: 0 of 1\n" in done.err
    assert done.err.endswith("motions: 1 of 1\n")
