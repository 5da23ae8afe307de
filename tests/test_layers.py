"""The floors of the house: import-linter's contracts in pyproject.toml, and what the contracts cannot say."""

import subprocess
import sys
import tomllib
from pathlib import Path

HOUSE = Path(__file__).parents[1]
LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, config_filename=sys.argv[1]))"


def lint(config: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LINT, str(config)], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_room_imports_only_from_the_floors_below_it():
    done = lint(HOUSE / "pyproject.toml", HOUSE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 kept, 0 broken" in done.stdout, done.stdout


def test_the_linter_sees_a_room_that_imports_upwards(tmp_path):
    # The same contracts on a house of two rooms with one wrong import: the test above can fail.
    house = tmp_path / "upward"
    for room in ("", "motion", "files"):
        (house / room).mkdir(exist_ok=True)
        (house / room / "__init__.py").write_text("")
    (house / "motion" / "__init__.py").write_text("import upward.files\n")
    config = tmp_path / "config.toml"
    config.write_text(
        '[tool.importlinter]\nroot_package = "upward"\n[[tool.importlinter.contracts]]\nname = "floors"\n'
        'type = "layers"\ncontainers = ["upward"]\nexhaustive = true\nlayers = ["files", "motion"]\n'
    )
    done = lint(config, tmp_path)
    assert done.returncode != 0
    assert "upward.motion -> upward.files" in done.stdout, done.stdout


def test_every_room_stands_on_a_floor():
    contract = tomllib.loads((HOUSE / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    floors = {room.strip() for floor in contract["layers"] for room in floor.split("|")}
    source = HOUSE / "src" / "motifmix"
    rooms = {path.parent.name for path in source.glob("*/__init__.py")}
    assert contract["exhaustive"] is True
    assert rooms <= floors, f"without a floor: {rooms - floors}"


def test_the_rooms_without_torch_load_without_it():
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"  # from here on, importing torch fails
        "import motifmix.motion, motifmix.drawing, motifmix.files, motifmix.features\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_help_loads_nothing_heavy():
    code = (
        "import sys\n"
        "from motifmix.apps.cli.main import main\n"
        "code = main(['--help'])\n"
        "heavy = {'torch', 'av', 'scipy', 'PIL', 'pydantic', 'tokenizers', 'numpy'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {sorted(heavy)}' if heavy else code)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "generate" in done.stdout
