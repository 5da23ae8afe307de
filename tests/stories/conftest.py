"""Stories run the commands of the README in this process, with the weights that the package carries."""

from types import SimpleNamespace

import pytest

from motifmix.apps.cli.main import main


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to stand in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def motifmix_command(capsys, here):
    """Run a command; returns its exit code, its stdout and its stderr."""

    def command(*arguments: object) -> SimpleNamespace:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return SimpleNamespace(code=code, out=said.out, err=said.err)

    return command
