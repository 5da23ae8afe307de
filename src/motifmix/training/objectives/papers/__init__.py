"""What the recipes of the papers train (``recipes/papers``): one file a family; the losses stand in ``published/``."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from motifmix.training.loop import Objective
    from motifmix.training.recipe import Recipe

PAPERS = {
    "mld_vae": "mld:MotionVAEObjective",
    "mld": "mld:MLDObjective",
    "smoodi_style_network": "smoodi:StyleNetworkObjective",
    "smoodi": "smoodi:SMooDiObjective",
    "stylemotif": "stylemotif:StyleMotifObjective",
    "intergen": "interaction:InterGenObjective",
    "in2in_interaction": "interaction:In2INObjective",
    "in2in_individual": "interaction:IndividualObjective",
    "mixermdm": "mixermdm:MixerMDMObjective",
}


def paper_objective(recipe: "Recipe") -> "Objective":
    """Build the objective of a paper's recipe. Raises ``RequestError`` and ``DataError`` for what is missing."""
    module, _, name = PAPERS[recipe.objective].partition(":")
    kind: Any = getattr(import_module(f"{__name__}.{module}"), name)
    return kind(recipe)
