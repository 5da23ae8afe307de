"""The methods that are compared, by name: what each is given, which weights it needs, and which recipe makes them.

Two blocks that are not mixed up. ``frozen``: everything stands on one base that was never shown a style and is not
trained any further, as in the paper; what is said of trained parameters and FID is said here. ``joint``: the default
model, whose denoiser learned contents and styles together.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from motifmix.errors import WeightsError
from motifmix.home import PACKAGE_WEIGHTS
from motifmix.pretrained.cards import weights_version

Kind = Literal["motion", "text"]
Block = Literal["frozen", "joint"]
DEFAULT = "default"  # the name of the weights that come with the package
MINUTES = "15 minutes of one core"


@dataclass(frozen=True)
class Method:
    """One row: ``guided_by`` is empty for a method that takes no style, ``folders`` lie below ``MOTIFMIX_HOME``.

    ``assemble`` gets the folders' paths in that order; ``trained`` names the parts that were trained for style where the
    pipeline is a plain ``TextToMotion`` (others count with their own ``parameters()``). ``paper`` is the paper's name for it.
    """

    key: str
    title: str
    block: Block
    guided_by: tuple[Kind, ...]
    folders: tuple[str, ...]
    recipes: tuple[str, ...]
    assemble: Callable[..., Any]
    trained: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    paper: str = ""

    def paths(self, home: Path) -> list[Path]:
        """Return where its weights lie."""
        return [PACKAGE_WEIGHTS / DEFAULT if name == DEFAULT else home / name for name in self.folders]

    def missing(self, home: Path) -> str | None:
        """Return what is missing and what makes it, or None."""
        absent = [path.name for path in self.paths(home) if not any(path.glob("*.safetensors"))]
        if not absent:
            return None
        return f"{', '.join(absent)} missing; {' and '.join(f'motifmix train {r}' for r in self.recipes)}"

    def version(self, home: Path) -> str:
        """Return what tells its weights from others."""
        return "-".join(weights_version(path) for path in self.paths(home))

    def load(self, home: Path) -> Any:
        """Return the pipeline. Raises ``WeightsError`` where weights are missing."""
        missing = self.missing(home)
        if missing:
            raise WeightsError(f"{self.title}: {missing}")
        return self.assemble(*self.paths(home))


def _text_to_motion(folder: Path) -> Any:
    from motifmix.pipelines.text_to_motion import TextToMotion

    return TextToMotion(folder)


STYLE_PARTS = ("style_encoder", "project", "text_to_style")
JOINT_PARTS = ("denoiser", "style_encoder", "project", "text_to_style", "length_predictor")

_ALL = (
    Method(
        "unstyled", "no style (frozen base)", "frozen", (), ("weights-base",), ("recipes/stylemotif/base.yaml",),
        _text_to_motion, paper="MLD",
    ),
    Method(
        "stylemotif", "StyleMotif", "frozen", ("motion", "text"), ("weights-stylemotif",),
        ("recipes/stylemotif/stylemotif.yaml",), _text_to_motion, STYLE_PARTS, paper="StyleMotif",
    ),
    Method(
        "joint-unstyled", "no style (default model)", "joint", (), (DEFAULT,), ("recipes/default/denoiser.yaml",),
        _text_to_motion,
    ),
    Method(
        "joint", "default model", "joint", ("motion", "text"), (DEFAULT,), ("recipes/default/denoiser.yaml",),
        _text_to_motion, JOINT_PARTS,
    ),
)  # fmt: skip
METHODS: dict[str, Method] = {method.key: method for method in _ALL}


def parameters(method: Method, pipeline: Any) -> tuple[int, int]:
    """Return the parameters in all and those trained for style.

    The sentence encoder (MiniLM, the same for all and trained by none) is not counted; autoencoder and length predictor
    are.
    """
    if hasattr(pipeline, "parameters"):
        return pipeline.parameters()
    parts = {
        "vae": pipeline.vae,
        "denoiser": pipeline.denoiser.denoiser,
        "project": pipeline.denoiser.project,
        "style_encoder": pipeline.style_encoder,
        "text_to_style": pipeline.text_to_style,
        "length_predictor": pipeline.length_predictor,
    }
    counts = {name: sum(p.numel() for p in part.parameters()) for name, part in parts.items()}
    style = ("style_encoder", "project", "text_to_style")
    total = sum(count for name, count in counts.items() if method.guided_by or name not in style)
    return total, sum(counts[name] for name in method.trained)
