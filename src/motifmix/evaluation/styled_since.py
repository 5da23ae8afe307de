"""Tables of stylisation measured in parts: rows whose weights are not at hand stand as an earlier run measured them.

All rows of a table take hours to train; who changed one model need not train the others to see where it stands now.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from motifmix.errors import FileError, RequestError
from motifmix.evaluation.metrics import Interval
from motifmix.evaluation.styled_tables import Study, StudyRow, StudyTable

ALIKE = ("judge", "retrieval", "repeats", "questions")
"""Facts on which figures depend whatever is measured: rows under others may not stand in one table."""
NOTE = (
    "\n\nWhat is marked with ¹ was measured by an earlier run of this command, under the same judges and questions; the JSON names "
    "the weights of every row."
)


@dataclass(frozen=True)
class Earlier:
    """An earlier run of a table: its ``facts``, and its ``rows`` by the title of their table."""

    name: str
    facts: Mapping[str, Any]
    rows: Mapping[str, list[StudyRow]]

    @classmethod
    def read(cls, path: Path, name: str) -> "Earlier":
        """Read ``NAME.json`` of an earlier run. Raises ``FileError`` for what is none."""
        try:
            content = json.loads(path.read_text("utf-8"))
            if content["name"] != name:
                raise ValueError("another table")
            rows = {str(table["title"]): [_row(row) for row in table["rows"]] for table in content["tables"]}
            return cls(name, dict(content["facts"]), rows)
        except OSError as error:
            raise FileError(f"{path}: cannot be read ({error.strerror or error})") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FileError(f"{path}: --since takes the {name}.json of an earlier run of this table") from error

    def check(self, facts: Mapping[str, Any]) -> None:
        """Raise ``RequestError`` where a run with these ``facts`` has other judges or questions."""
        if other := [name for name in ALIKE if self.facts.get(name) != facts.get(name)]:
            raise RequestError(
                f"--since: the earlier run had {other[0]} {self.facts.get(other[0])!r}, this one {facts.get(other[0])!r}; "
                "measure all rows again"
            )


def since(study: Study, earlier: Earlier) -> Study:
    """Return the study with the rows that it could not measure taken from an ``earlier`` run of the same judges and questions."""
    earlier.check(study.facts)
    facts = dict(study.facts)
    tables = tuple(_completed(table, earlier.rows.get(table.title, [])) for table in study.tables)
    for name, value in earlier.facts.items():  # weights by row, operating points by method: what was not measured now
        if isinstance(value, Mapping):
            facts[name] = {**value, **facts.get(name, {})}
    carried = any(row.earlier for table in tables for row in table.rows)
    return replace(study, tables=tables, facts=facts, intro=study.intro + (NOTE if carried else ""))


def _completed(table: StudyTable, earlier: list[StudyRow]) -> StudyTable:
    """Put earlier rows in the places of those that have no figures; rows of the paper are of no run."""
    own = {row.key: row for row in table.rows if row.figures}
    if len(own) == len(table.rows) == len(earlier):
        return table
    rows = [own.get(row.key) or row for row in earlier if row.figures]
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
        str(said["key"]),
        str(said["title"]),
        figures,
        str(said.get("lack", "")),
        bool(said.get("reference")),
        earlier=True,
    )
