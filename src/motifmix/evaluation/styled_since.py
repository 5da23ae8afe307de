"""Tables of stylisation measured in parts: rows whose weights are not at hand stand as an earlier run measured them.

All rows of a table take hours to train; who changed one model need not train the others to see where it stands now.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from motifmix.errors import RequestError
from motifmix.evaluation.metrics import Interval
from motifmix.evaluation.styled_tables import Study, StudyRow, StudyTable

ALIKE = ("judge", "retrieval", "repeats", "questions")
"""Facts on which figures depend whatever is measured: rows under others may not stand in one table."""
NOTE = (
    "\n\nWhat is marked with ¹ was measured by an earlier run of this command, under the same judges and questions; the JSON names "
    "the weights of every row."
)


def since(study: Study, earlier: Mapping[str, Any]) -> Study:
    """Return the study with the rows that it could not measure taken from an ``earlier`` one, as its JSON says them.

    Raises ``RequestError`` where that is no such study, or was measured under other judges or questions.
    """
    facts, former = dict(study.facts), earlier.get("facts")
    if (
        not isinstance(former, Mapping)
        or earlier.get("name") != study.name
        or not isinstance(earlier.get("tables"), list)
    ):
        raise RequestError(f"--since takes the {study.name}.json of an earlier run of this table")
    if other := [name for name in ALIKE if former.get(name) != facts.get(name)]:
        raise RequestError(
            f"--since: the earlier run had {other[0]} {former.get(other[0])!r}, this one {facts.get(other[0])!r}; "
            "measure all rows again"
        )
    known = {table["title"]: table["rows"] for table in earlier["tables"]}
    tables = [_completed(table, [_row(row) for row in known.get(table.title, [])]) for table in study.tables]
    for name, value in former.items():  # weights by row, operating points by method: what was not measured now
        if isinstance(value, Mapping):
            facts[name] = {**value, **facts.get(name, {})}
    return replace(study, tables=tuple(tables), facts=facts, intro=study.intro + NOTE)


def _completed(table: StudyTable, earlier: list[StudyRow]) -> StudyTable:
    """Put earlier rows in the places of those that have no figures; rows of the paper are of no run."""
    own = {row.key: row for row in table.rows if row.figures}
    if len(own) == len(table.rows) == len(earlier):
        return table
    rows = [own.get(row.key) or replace(row, earlier=True) for row in earlier if row.figures]
    told = {row.key for row in rows}
    new = [row for row in table.rows if row.key not in told and not (row.lack and _told_in_parts(row.key, told))]
    return replace(table, rows=(*rows, *new))


def _told_in_parts(key: str, told: set[str]) -> bool:
    """Whether there are rows of a method that is asked in several ways, each with a row of its own."""
    return any(other.startswith(f"{key}-") for other in told)


def _row(said: Mapping[str, Any]) -> StudyRow:
    figures = {}
    for name, own in said.get("figures", {}).items():
        mean, half_width = (
            float("nan") if own.get(part) is None else float(own[part]) for part in ("mean", "half_width")
        )
        figures[name] = Interval(mean, half_width, tuple(own.get("values") or ()))
    return StudyRow(
        str(said["key"]), str(said["title"]), figures, str(said.get("lack", "")), bool(said.get("reference"))
    )
