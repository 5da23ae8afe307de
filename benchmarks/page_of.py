"""What a benchmark does whose figures lie in docs/NAME.json and whose page is docs/NAME.md."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def run(name: str, said: str | None, measured: Callable[[], dict], page: Callable[[dict], str]) -> None:
    """Measure, unless ``--page`` asks for the page alone, and write the page; ``said`` is what ``--help`` says."""
    parser = argparse.ArgumentParser(description=said, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", action="store_true", help=f"write the page from docs/{name}.json")
    figures = DOCS / f"{name}.json"
    if not parser.parse_args().page:
        figures.write_text(json.dumps(measured(), indent=1) + "\n", "utf-8")
    (DOCS / f"{name}.md").write_text(page(json.loads(figures.read_text("utf-8"))), "utf-8")
