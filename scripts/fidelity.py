"""Write docs/fidelity.md: how near our code comes to the numbers of published code, model by model.

``python scripts/fidelity.py`` runs every golden case at hand (MOTIFMIX_GOLDEN, by default the folder beside the
repository) and writes the whole page. With ``--lists`` only the lists of models and quirks are written anew; figures stay.
"""

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

HOUSE = Path(__file__).resolve().parents[1]
PAGE = HOUSE / "docs" / "fidelity.md"
SOURCE = HOUSE / "src" / "motifmix"

HEAD = """# Fidelity

How far each published model here is proven to compute what its authors' code computes. This page is written by
`make fidelity`; nobody types it.

## Numbers

Each item is a piece of published code that was run by its authors' own files on small inputs and weights; the outputs are
kept with a tolerance that comes from single against double precision of the original. Every output counts, in every
case, and `tests/oracle` fails on the first that is off. The largest error is that of the output which comes nearest to its
tolerance: the error there, the tolerance there, and the share of the one in the other.

"""
MODELS = """
## Models

What is behind each model that `motifmix models` knows. *Numbers equal to the authors' code*: the items named are compared
above. *File layout read from their loader*: names, wrapping and order of the files are taken from the code that reads
them. *Real file seen*: the published file itself was converted here, and its sha256 stands in its card.

"""
QUIRKS = """
## Quirks

Where published code has a mistake or a peculiarity that its weights or its figures depend on, the behaviour has a name
here. Published checkpoints and published measurements choose theirs; nothing of ours has one by default.

"""


@dataclass
class Row:
    """What was found for one item."""

    cases: int = 0
    tensors: int = 0
    share: float = -1.0
    error: float = 0.0
    tolerance: float = 0.0
    skipped: set[str] = field(default_factory=set)


def measured() -> dict[str, Row]:
    """Run every case of every golden folder at hand."""
    sys.path.insert(0, str(HOUSE / "tests" / "oracle"))
    from golden import cases, errors, golden_folders
    from runners import RUNNERS

    rows: dict[str, Row] = {}
    for folder in golden_folders():
        for case in cases(folder):
            row = rows.setdefault(case.item, Row())
            row.cases += 1
            ours = RUNNERS[case.item](case)
            row.skipped |= case.meta["outputs"].keys() - ours.keys()
            for error, tolerance, share in errors(case, ours).values():
                row.tensors += 1
                if not share <= row.share:
                    row.share, row.error, row.tolerance = share, error, tolerance
            print(f"{case}: {row.share:.0%} of its tolerance so far", file=sys.stderr)
    if not rows:
        sys.exit("no golden folder: name one or more in MOTIFMIX_GOLDEN")
    return rows


def numbers(rows: dict[str, Row]) -> str:
    """The table of items, and which optional outputs are not produced."""
    lines = ["| item | cases | tensors | largest error | its tolerance | share |", "|---|--:|--:|--:|--:|--:|"]
    for item, row in sorted(rows.items()):
        figures = f"{row.error:.1e} | {row.tolerance:.1e} | {row.share:.0%}" if row.error else "0 | - | 0%"
        lines.append(f"| `{item}` | {row.cases} | {row.tensors} | {figures} |")
    skipped = [f"`{item}`: {', '.join(sorted(row.skipped))}" for item, row in sorted(rows.items()) if row.skipped]
    if skipped:
        lines += ["", "Outputs marked optional that are not produced: " + "; ".join(skipped) + "."]
    return "\n".join(lines) + "\n"


def models() -> str:
    """The table of published models and how far each is proven."""
    from motifmix.pretrained.published import PROOFS, published, published_names

    lines = ["| model | what it is | parameters | proven | items |", "|---|---|--:|---|---|"]
    for model in map(published, published_names()):
        proven = "; ".join(PROOFS[proof] for proof in model.proof)
        items = ", ".join(f"`{item}`" for item in model.items) or "-"
        lines.append(f"| `{model.name}` | {model.title} | {model.parameters.whole:,} | {proven} | {items} |")
    return "\n".join(lines) + "\n"


def quirks() -> str:
    """The table of all named quirks in the sources, each with its one line."""
    lines = ["| quirk | where | why |", "|---|---|---|"]
    lines += [f"| `{name}` | `{where}` | {why} |" for name, where, why in sorted(found_quirks())]
    return "\n".join(lines) + "\n"


def found_quirks() -> Iterator[tuple[str, str, str]]:
    """Name, module and reason of every ``Quirk`` constant, read from the sources without importing them."""
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text("utf-8")
        if "Quirk(" not in text:
            continue
        where = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "Quirk":
                given = dict(zip(("name", "why"), node.args, strict=False))
                given |= {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
                name, why = (ast.literal_eval(given[key]) for key in ("name", "why"))
                yield name, where, " ".join(why.replace("|", "\\|").split())


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lists", action="store_true", help="leave the figures as they are")
    if parser.parse_args().lists:
        kept = re.search(r"^\| item .*?(?=^## Models)", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
        table = kept[0].rstrip("\n") + "\n" if kept else sys.exit(f"{PAGE} has no figures yet; run without --lists")
    else:
        rows = measured()
        table = numbers(rows)
        if any(not np.isfinite(row.share) or row.share > 1 for row in rows.values()):
            sys.exit("an item is off; run pytest tests/oracle and mend that first")
    text = HEAD + table + MODELS + models() + QUIRKS + quirks()
    temporary = PAGE.with_suffix(".part")
    temporary.write_text(text, "utf-8")
    temporary.replace(PAGE)
    print(PAGE)


if __name__ == "__main__":
    main()
