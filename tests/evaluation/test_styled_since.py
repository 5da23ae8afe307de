import json
import math

import pytest

from motifmix.errors import RequestError
from motifmix.evaluation.metrics import Interval
from motifmix.evaluation.styled_since import since
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


EARLIER = json.loads(
    as_json(
        study([row("a", 0.5), row("b-word", 0.6), row("b-phrase", 0.7), row("c", 0.8)], {"a": "1", "b": "1", "c": "1"})
    )
)


def test_rows_without_weights_stand_as_an_earlier_run_measured_them_and_say_so():
    now = study([row("a", 0.1), row("b", None, lack="b missing"), row("c", None, lack="c missing")], {"a": "2"})
    merged = since(now, EARLIER)
    for table in merged.tables:
        assert [own.key for own in table.rows] == ["a", "b-word", "b-phrase", "c"]
        assert [own.figures["sra"].mean for own in table.rows] == [0.1, 0.6, 0.7, 0.8]
        assert [own.earlier for own in table.rows] == [False, True, True, True]
    assert merged.facts["weights"] == {"a": "2", "b": "1", "c": "1"}
    assert math.isnan(merged.tables[0].rows[1].figures["seconds"].half_width)
    page = as_markdown(merged)
    assert "¹" in page.split("## ")[0] and "| the c ¹ |" in page and "| the a |" in page
    again = since(now, json.loads(as_json(merged)))
    assert as_json(again) == as_json(merged)  # marks do not pile up


def test_what_was_measured_by_nobody_still_says_what_it_lacks():
    now = study([row("a", 0.1), row("d", None, lack="d missing")], {"a": "2"})
    assert [own.lack for own in since(now, EARLIER).tables[0].rows if own.key == "d"] == ["d missing"]


@pytest.mark.parametrize(
    ("earlier", "said"),
    [
        ({}, "takes the stylization.json"),
        ({**EARLIER, "name": "transfer"}, "takes the stylization.json"),
        ({**EARLIER, "facts": {**EARLIER["facts"], "judge": "x"}}, "judge 'x', this one 'a'"),
        ({**EARLIER, "facts": {**EARLIER["facts"], "repeats": 5}}, "repeats 5, this one 2"),
    ],
)
def test_another_table_or_other_judges_are_refused(earlier, said):
    with pytest.raises(RequestError, match=said):
        since(study([row("a", 0.1)], {"a": "2"}), earlier)


def test_a_table_of_nothing_but_what_lacks_is_a_table():
    page = as_markdown(study([row("a", None, lack="a missing; train it")], {}))
    assert "| | SRA ↑ |\n|---|---|\n| the a | a missing; train it |\n" in page
