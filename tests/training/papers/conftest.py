"""Tiny folders in the published layouts, and recipes of the papers at the size ``tiny``, each stage after those it needs."""

from pathlib import Path

import pytest
from tests import published_layouts

from motifmix.training.runs import train_recipe

RECIPES = Path(__file__).parents[3] / "recipes" / "papers"


class Workshop:
    """Trains a recipe where it was not trained yet; ``home`` is MOTIFMIX_HOME."""

    def __init__(self, home: Path, data: dict[str, Path]):
        self.home, self.data, self.trained = home, data, {}

    def folder_of(self, name: str) -> Path:
        for sets, names in {
            "humanml3d": ("mld_vae", "mld"),
            "262": ("in2in_individual",),
            "interhuman": ("intergen", "in2in_interaction", "mixermdm"),
        }.items():
            if name in names:
                return self.data[sets]
        return self.data["100style"]

    def train(self, name: str, **changes) -> Path:
        if name in self.trained:
            return self.trained[name]
        for before in NEEDS.get(name, ()):
            self.train(before)
        if name == "stylemotif_style_vae":
            changes["options.start_from"] = str(self.home / "mld")
        values = {"size": "tiny", "data_folder": str(self.folder_of(name)), **changes}
        self.trained[name] = train_recipe(RECIPES / f"{name}.yaml", values)
        return self.trained[name]


NEEDS = {
    "mld": ("mld_vae",),
    "smoodi": ("mld", "smoodi_style_network"),
    "stylemotif_style_vae": ("mld_vae",),
    "stylemotif": ("mld", "stylemotif_style_vae"),
    "mixermdm": ("in2in_individual", "in2in_interaction"),
}


@pytest.fixture(scope="package")
def published_data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    lengths = {"000000": 48, "000002": 44, "000003": 41, "000004": 44}
    interhuman = published_layouts.interhuman(folder / "interhuman", {"15": 15, "20": 20, "24": 24})
    published_layouts.write_list(interhuman / "split" / "test.txt", ["20", "24"])
    return {
        "humanml3d": published_layouts.humanml3d(folder / "humanml3d", lengths, damaged=""),
        "100style": published_layouts.style100_humanml3d(folder / "100style"),
        "262": published_layouts.humanml3d_262(folder / "262", lengths=(20, 24, 16)),
        "interhuman": interhuman,
    }


@pytest.fixture(scope="package")
def workshop(tmp_path_factory, published_data):
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTIFMIX_HOME", str(home))
        yield Workshop(home, published_data)
