"""Small promises about the tree itself: names, recipes, licences, and what the wheel carries."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from motifmix import credits

HOUSE = Path(__file__).parents[1]
SOURCE = HOUSE / "src" / "motifmix"
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "v2"}
# Folders of one machine. In two pieces, so that this page does not name them either.
MACHINE_FOLDERS = ("/" + "root/", "/" + "work/", "/" + "home/", "/" + "tmp/")
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".cff", ".sh", ".mjs", ".html", ".json", ""}
RECIPE_HEAD = re.compile(r"# (what|command|time|expected): +\S", re.IGNORECASE)


def tracked() -> list[Path]:
    """Return the files under version control, or all outside of builds where there is no git."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=HOUSE, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout: which files belong to the project is unknown")
    return [HOUSE / name for name in listed.split("\0") if name and (HOUSE / name).is_file()]


def words(text: str) -> str:
    """Return the text with every run of blanks and line ends as one blank."""
    return re.sub(r"[\s]+", " ", text)


def test_no_file_has_a_name_that_says_nothing():
    found = [path.name for path in SOURCE.rglob("*.py") if path.stem in NAMES_THAT_SAY_NOTHING]
    assert found == []


def test_no_text_names_a_folder_of_one_machine():
    found = []
    for path in tracked():
        if path.suffix in TEXT and path.name not in ("tokenizer.json",):
            text = path.read_text(encoding="utf-8", errors="replace")
            found += [f"{path.relative_to(HOUSE)}: {folder}" for folder in MACHINE_FOLDERS if folder in text]
    assert found == []


@pytest.mark.parametrize("recipe", sorted((HOUSE / "recipes").rglob("*.yaml")), ids=lambda path: path.name)
def test_a_recipe_begins_with_what_command_time_and_expected_figures(recipe):
    # A comment may go on in the next line; the four begin in this order, before anything else stands there.
    head = []
    for line in recipe.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        if RECIPE_HEAD.match(line):
            head.append(line)
    assert [line[2:].split(":")[0].lower() for line in head] == ["what", "command", "time", "expected"]
    assert f"motifmix train {recipe.relative_to(HOUSE).as_posix()}" in head[1]


def test_there_are_recipes():
    assert list((HOUSE / "recipes" / "default").glob("*.yaml"))


def test_the_changelog_has_a_place_for_what_comes_next():
    assert re.search(r"^## Unreleased$", (HOUSE / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_readme_leads_with_the_two_commands():
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", (HOUSE / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    assert blocks[0].splitlines() == [
        'pip install -c constraints.txt . && motifmix generate "a person walks forward" --style old '
        "--out walk.bvh --out walk.glb --out walk.mp4",
        "pip install -c constraints.txt '.[test]' && pytest",
    ]


def test_every_link_of_the_readme_leads_somewhere():
    text = (HOUSE / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)\)", text) + re.findall(r"src=\"([^\"]+)\"", text)
    assert [target for target in targets if "://" not in target and not (HOUSE / target).exists()] == []


def test_every_page_has_its_line_in_the_navigation():
    nav = (HOUSE / "mkdocs.yml").read_text(encoding="utf-8").split("\nnav:\n")[1]
    named = re.findall(r"^ +- [^:]+: (\S+\.md)$", nav, re.MULTILINE)
    pages = [path.name for path in tracked() if path.suffix == ".md" and path.parent == HOUSE / "docs"]
    assert sorted(named) == sorted([*pages, "adr/README.md"])


@pytest.mark.parametrize("page", ["NOTICE", "src/motifmix/weights/LICENSE.md"])
def test_every_credit_line_stands_in_the_notice_and_in_the_licence(page):
    text = words((HOUSE / page).read_text(encoding="utf-8"))
    missing = [credit.name for credit in credits.DATA if words(credit.line).rstrip(".") not in text]
    assert missing == []


def test_constraints_name_a_wheel_for_every_declared_python():
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text())["project"]
    version = re.search(r"torch==(\S+) ; sys_platform == \"linux\"", (HOUSE / "constraints.txt").read_text())
    assert version is not None
    links = re.findall(r'href="([^"]+)"', (HOUSE / "torch-cpu.html").read_text())
    minors = [c.rsplit(".", 1)[1] for c in project["classifiers"] if re.search(r"Python :: 3\.\d+$", c)]
    for minor in minors:
        wanted = f"torch-{version[1].replace('+', '%2B')}-cp3{minor}-cp3{minor}-manylinux_2_28_x86_64.whl"
        assert f"https://download.pytorch.org/whl/cpu/{wanted}" in links


def test_the_wheel_carries_what_the_program_reads(tmp_path):
    pytest.importorskip("hatchling", reason="the wheel is built with hatchling (pip install '.[test]')")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=HOUSE, check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        carried = {name for name in archive.namelist() if name.startswith("motifmix/")}
    there = {
        f"motifmix/{path.relative_to(SOURCE).as_posix()}"
        for path in tracked()
        if path.is_relative_to(SOURCE)
    }  # fmt: skip
    assert there - carried == set()
    for needed in (
        "motifmix/weights/LICENSE.md",
        "motifmix/drawing/mannequin.npz",
        "motifmix/weights/minilm/card.yaml",
        "motifmix/encoders/bpe_simple_vocab_16e6.txt.gz",
    ):
        assert needed in carried
