"""Stories run the commands of the README in this process, with the weights that the package carries."""

import pytest


@pytest.fixture
def motifmix_command(run, here):
    """Run a command in an empty folder; returns its exit code, its stdout and its stderr."""
    return run
