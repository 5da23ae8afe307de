import pytest
from tests.data.duet_clips import prepared_people

from motifmix.data.duets.interactions import BY_NAME
from motifmix.data.duets.preparing import Counts, prepare_duets


@pytest.fixture(scope="session")
def duets_home(tmp_path_factory):
    """A MOTIFMIX_HOME with a few single clips (bandai) and the pairs that they make (duets)."""
    folder = tmp_path_factory.mktemp("home")
    people = prepared_people(folder / "data" / "bandai")
    chosen = [BY_NAME[name] for name in ("wave-back", "chase")]
    prepare_duets(folder / "data" / "duets", sets=[people.folder], counts=Counts(3, 1, 1), interactions=chosen)
    return folder
