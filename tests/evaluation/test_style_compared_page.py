import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "compare_styled.py"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False)


def test_the_page_is_of_the_tables_beside_it():
    result = run("--check")
    assert result.returncode == 0, result.stderr


def test_pairs_are_compared_within_repeats_and_what_tells_nothing_is_named(tmp_path):
    def row(key: str, sra: list[float], **more: list[float]) -> dict:
        figures = {name: {"mean": sum(own) / len(own), "values": own} for name, own in {"sra": sra, **more}.items()}
        return {"key": key, "title": key, "figures": figures, "reference": False}

    swing = [0.2, 0.4, 0.6]  # far apart from repeat to repeat, and ever the same between the rows
    methods = [
        row("stylemotif", swing, fid=[1.0, 1.0, 1.3]),
        row("smoodi", [v + 0.1 for v in swing], fid=[1.1, 0.9, 1.4]),
    ]
    full = [row("a", [0.95, 0.99, 1.0]), row("b", [0.95, 0.99, 1.0])]
    for name, rows in (("stylization", methods), ("ablation", full)):
        tables = [{"title": f"Table of {name}", "rows": rows}]
        (tmp_path / f"{name}.json").write_text(json.dumps({"tables": tables}), "utf-8")
    assert run(tmp_path).returncode == 0
    page = (tmp_path / "style_compared.md").read_text("utf-8")
    line = next(line for line in page.splitlines() if line.startswith("| stylemotif − smoodi"))
    assert "**-10.0 ± 0.0**" in line and "| -0.033 ±" in line  # the second is not bold
    assert "more than 90% of every row" in page and "a; b: the same share of styles in every repeat" in page


def test_the_page_of_targets_is_of_the_figures_beside_it():
    command = [sys.executable, ROOT / "scripts" / "list_targets.py", "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
