"""What holds for every test: hypothesis keeps no folder of its own, and a slow machine is no failure; and how one runs commands."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings

settings.register_profile("house", database=None, deadline=None)
settings.load_profile("house")


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """An empty folder to stand in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(capsys):
    """Run the command line in this process; returns its exit code and what it said on stdout and stderr."""

    def command(*arguments: object) -> SimpleNamespace:
        from motifmix.apps.cli.main import main

        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return SimpleNamespace(code=code, out=said.out, err=said.err, lines=said.err.splitlines())

    return command
