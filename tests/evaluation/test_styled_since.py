import json
import math
from pathlib import Path

import pytest

from motifmix.errors import FileError, RequestError
from motifmix.evaluation.metrics import Interval
from motifmix.evaluation.styled_since import Earlier, since
from motifmix.evaluation.styled_tables import SECONDS, SRA, Study, StudyRow, StudyTable, as_json, as_markdown

FACTS = {"judge": "a", "retrieval": "b", "repeats": 2, "questions": 8}


def row(key: str, sra: float | None, **more) -> StudyRow:
    figures = {} if sra is None else {"sra": Interval(sra, 0.1, (sra, sra)), "seconds": Interval(1.0, math.nan)}
    return StudyRow(key, f"the {key}", figures, **more)


def study(rows: list[StudyRow], weights: dict[str, str], **facts) -> Study:
    raw = tuple(own for own in rows if own.figures)
    tables = (StudyTable("one", (SRA, SECONDS), tuple(rows)), StudyTable("one, raw", (SRA,), raw))
    return Study(
        "stylization",
        "Title",
        "motifmix evaluate stylization",
        "Intro.",
        tables,
        {**FACTS, "weights": weights, **facts},
    )


SAID = json.loads(as_json(study([row("a", 0.5), row("b-word", 0.6), row("b-phrase", 0.7), row("c", 0.8)],
                                {"a": "1", "b": "1", "c": "1"})))  # fmt: skip


def earlier(tmp_path: Path, said: object = SAID) -> Earlier:
    path = tmp_path / "stylization.json"
    path.write_text(json.dumps(said), "utf-8")
    return Earlier.read(path, "stylization")


def test_rows_without_weights_stand_as_an_earlier_run_measured_them_and_say_so(tmp_path):
    now = study([row("a", 0.1), row("b", None, lack="b missing"), row("c", None, lack="c missing")], {"a": "2"})
    merged = since(now, earlier(tmp_path))
    for table in merged.tables:
        assert [own.key for own in table.rows] == ["a", "b-word", "b-phrase", "c"]
        assert [own.figures["sra"].mean for own in table.rows] == [0.1, 0.6, 0.7, 0.8]
        assert [own.earlier for own in table.rows] == [False, True, True, True]
    assert merged.facts["weights"] == {"a": "2", "b": "1", "c": "1"}
    assert math.isnan(merged.tables[0].rows[1].figures["seconds"].half_width)
    page = as_markdown(merged)
    assert "¹" in page.split("## ")[0] and "| the c ¹ |" in page and "| the a |" in page
    again = since(now, earlier(tmp_path, json.loads(as_json(merged))))
    assert as_json(again) == as_json(merged)  # marks do not pile up


def test_what_was_measured_by_nobody_still_says_what_it_lacks(tmp_path):
    now = study([row("a", 0.1), row("d", None, lack="d missing")], {"a": "2"})
    assert [own.lack for own in since(now, earlier(tmp_path)).tables[0].rows if own.key == "d"] == ["d missing"]


@pytest.mark.parametrize(
    "said",
    [
        {},
        [],
        3,
        {**SAID, "name": "transfer"},
        {**SAID, "tables": [{}]},
        {**SAID, "tables": [{"title": "one", "rows": [{}]}]},
    ],
)
def test_what_is_no_earlier_table_is_refused(tmp_path, said):
    with pytest.raises(FileError, match=r"takes the stylization\.json"):
        earlier(tmp_path, said)


def test_other_judges_or_questions_are_refused(tmp_path):
    for name, value in (("judge", "x"), ("repeats", 5)):
        before = earlier(tmp_path, {**SAID, "facts": {**SAID["facts"], name: value}})
        with pytest.raises(RequestError, match=f"{name} {value!r}, this one"):
            since(study([row("a", 0.1)], {"a": "2"}), before)
    with pytest.raises(FileError, match="cannot be read"):
        Earlier.read(tmp_path / "none.json", "stylization")


def test_a_table_of_nothing_but_what_lacks_is_a_table():
    page = as_markdown(study([row("a", None, lack="a missing; train it")], {}))
    assert "| | SRA ↑ |\n|---|---|\n| the a | a missing; train it |\n" in page
