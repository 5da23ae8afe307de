"""The methods that are compared, by name: what each is given, which weights it needs, and which recipe makes them.

Two blocks that are not mixed up. ``frozen``: everything stands on one base that was never shown a style and is not
trained any further, as in the paper; what is said of trained parameters and FID is said here. ``joint``: the default
model, whose denoiser learned contents and styles together.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from motifmix.errors import WeightsError
from motifmix.home import PACKAGE_WEIGHTS
from motifmix.pretrained.cards import weights_version

if TYPE_CHECKING:
    from motifmix.pipelines.baselines.language_model import LanguageModel

Kind = Literal["motion", "text"]
Block = Literal["frozen", "joint"]
DEFAULT = "default"  # the name of the weights that come with the package


@dataclass(frozen=True)
class Method:
    """One row: ``guided_by`` is empty for a method that takes no style, ``folders`` lie below ``MOTIFMIX_HOME``.

    ``assemble`` gets the folders' paths in that order; ``trained`` names the parts that were trained for style where the
    pipeline is a plain ``TextToMotion`` (others count with their own ``parameters()``). ``paper`` is the paper's name for it,
    ``runs`` are the folders below ``MOTIFMIX_HOME/runs`` that its recipes train in.
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
    runs: tuple[str, ...] = ()

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


def _rewritten(folder: Path, rewrite: Callable[[str, str], str] | None = None) -> Any:
    from motifmix.pipelines.baselines.rewritten import Rewritten

    return Rewritten(folder, rewrite)


def _restyled(base: Path, restyler: Path) -> Any:
    from motifmix.pipelines.baselines.restyled import Restyled

    return Restyled(base, restyler)


def _smoodi(folder: Path) -> Any:
    from motifmix.pipelines.baselines.smoodi import LatentSMooDi

    return LatentSMooDi(folder)


def _smoodi_without_classifier(folder: Path) -> Any:
    from motifmix.pipelines.baselines.smoodi import LatentSMooDi

    return LatentSMooDi(folder, guidance=None)


def _retrieved(folder: Path) -> Any:
    from motifmix.home import home
    from motifmix.pipelines.baselines.retrieved import Retrieved

    return Retrieved.of(folder, home() / "data" / "bandai")


FROM_THE_FIRST = {"style_start": 1.0}
"""How the tables ask the default model: as every other row, its style from the first step on, whatever the content."""
STYLE_PARTS = ("style_encoder", "project")
JOINT_PARTS = ("denoiser", "style_encoder", "project", "length_predictor")
_BASE, _STYLEMOTIF = "recipes/stylemotif/base.yaml", "recipes/stylemotif/stylemotif.yaml"
_DEFAULT = ("recipes/default/denoiser.yaml", "recipes/default/places.yaml")

_ALL = (
    Method("unstyled", "no style (frozen base)", "frozen", (), ("weights-base",), (_BASE,), _text_to_motion, paper="MLD", runs=("base",)),
    Method(
        "rewritten", "base, style written into the text by templates", "frozen", ("text",), ("weights-base",), (_BASE,), _rewritten,
        paper="MLD + ChatGPT",
    ),
    Method(
        "aberman", "base + Aberman et al.", "frozen", ("motion",), ("weights-base", "weights-aberman"),
        (_BASE, "recipes/stylemotif/aberman.yaml"), _restyled, paper="MLD + Aberman et al.", runs=("aberman",),
    ),
    Method(
        "motion-puzzle", "base + Motion Puzzle", "frozen", ("motion",), ("weights-base", "weights-motion-puzzle"),
        (_BASE, "recipes/stylemotif/motion_puzzle.yaml"), _restyled, paper="MLD + Motion Puzzle", runs=("motion-puzzle",),
    ),
    Method(
        "smoodi", "SMooDi", "frozen", ("motion",), ("weights-smoodi",), ("recipes/stylemotif/smoodi.yaml",), _smoodi,
        paper="SMooDi", runs=("style_network", "smoodi_latent"),
    ),
    Method(
        "smoodi-no-classifier", "SMooDi without its classifier", "frozen", ("motion",), ("weights-smoodi",),
        ("recipes/stylemotif/smoodi.yaml",), _smoodi_without_classifier,
    ),
    Method(
        "smoodi-own-reference", "SMooDi, each clip its own reference in training, as published", "frozen", ("motion",),
        ("weights-smoodi-own-reference",), ("recipes/stylemotif/smoodi.yaml --set size=own_reference",), _smoodi,
        runs=("smoodi-own-reference",),
    ),
    Method(
        "stylemotif-own-reference", "StyleMotif, each clip its own reference in training, as published", "frozen",
        ("motion", "text"), ("weights-stylemotif-own-reference",), (f"{_STYLEMOTIF} --set size=own_reference",),
        _text_to_motion, STYLE_PARTS, runs=("stylemotif-own-reference",),
    ),
    Method(
        "stylemotif", "StyleMotif", "frozen", ("motion", "text"), ("weights-stylemotif",), (_STYLEMOTIF,),
        _text_to_motion, STYLE_PARTS, paper="StyleMotif", runs=("stylemotif",),
    ),
    Method(
        "stylemotif-hybrid", "StyleMotif with hybrid guidance", "frozen", ("motion", "text"), ("weights-stylemotif",),
        (_STYLEMOTIF,), _text_to_motion, STYLE_PARTS, options={"gradient": 0.5},
    ),
    Method(
        "joint-unstyled", "no style (default model)", "joint", (), (DEFAULT,), _DEFAULT, _text_to_motion,
    ),
    Method(
        "joint", "default model", "joint", ("motion", "text"), (DEFAULT,), _DEFAULT, _text_to_motion, JOINT_PARTS,
        options=FROM_THE_FIRST, runs=("denoiser", "places"),
    ),
    Method(
        "joint-late", "default model as people use it, its style late where training showed a content in none", "joint",
        ("motion", "text"), (DEFAULT,), _DEFAULT, _text_to_motion, JOINT_PARTS,
    ),
)  # fmt: skip
METHODS: dict[str, Method] = {method.key: method for method in _ALL}


def with_language_model(writer: "LanguageModel") -> dict[str, Method]:
    """Return :data:`METHODS` with a row more: the base whose texts a language model wrote, beside that of the templates."""
    templates, model = METHODS["rewritten"], writer.endpoint.model
    row = replace(
        templates, key=f"rewritten-{writer.fingerprint}", title=f"base, style written into the text by {model}",
        assemble=lambda folder: _rewritten(folder, writer),
    )  # fmt: skip
    rows = [[method, row] if method is templates else [method] for method in METHODS.values()]
    return {method.key: method for own in rows for method in own}


def _row(size: str, title: str) -> Method:
    """A row of the ablation that is trained: a size of the StyleMotif recipe."""
    run = f"stylemotif-{size.replace('_', '-')}"
    recipe = f"{_STYLEMOTIF} --set size={size}"
    return Method(
        f"ablation-{size}",
        title,
        "frozen",
        ("motion", "text"),
        (f"weights-{run}",),
        (recipe,),
        _text_to_motion,
        runs=(run,),
    )


ABLATIONS: dict[str, tuple[Method, ...]] = {
    "pre-training of the style encoder": (
        _row("ablation", "on both sets (contents, then styles)"),
        _row("content_only", "pre-trained on contents only"),
        _row("style_only", "pre-trained on styles only"),
        _row("not_pretrained", "not pre-trained"),
    ),
    "block m after which the style is fused": (
        _row("block_1", "m = 1"),
        _row("ablation", "m = 2"),
        _row("block_3", "m = 3"),
        _row("block_4", "m = 4"),
        _row("every_block", "after every block"),
    ),
    "way of fusing": (
        _row("ablation", "cross normalisation"),
        _row("adain", "AdaIN"),
        _row("zero_layers", "zero-initialised layers, as SMooDi's"),
    ),
    "reference in training (as many steps each)": (
        METHODS["stylemotif"],
        _row("own_reference", "StyleMotif, each clip its own reference in training, as the paper has it"),
    ),
}
"""Rows of Table 3 and of the ablations beyond it, in groups of equal training."""

RETRIEVED: dict[str, Method] = {
    "stylemotif": replace(
        METHODS["stylemotif"], key="retrieved", title="StyleMotif, retrieved", guided_by=("text",), assemble=_retrieved
    ),
    "joint": replace(
        METHODS["joint"], key="joint-retrieved", title="default model, retrieved", guided_by=("text",),
        assemble=_retrieved,
    ),
}  # fmt: skip
"""Text-guided methods by the paper's retrieval in the place of the direct projection."""


@dataclass(frozen=True)
class Transfer(Method):
    """A way of giving a recording a style: what ``assemble`` returns takes motions and styles and gives motions.

    Their feet are not cleaned: who compares does that for all alike.
    """


def _untouched(*folders: Path) -> Any:
    return lambda motions, styles: list(motions)


def _restyling(base: Path, restyler: Path) -> Any:
    from functools import partial

    return partial(_restyled(base, restyler).restyle, clean_feet=False)


def _inverted(folder: Path) -> Any:
    from functools import partial

    from motifmix.pipelines.style_transfer import StyleTransfer

    return partial(StyleTransfer(_text_to_motion(folder)).transfer, clean_feet=False)


def _inverted_smoodi(folder: Path) -> Any:
    from functools import partial

    from motifmix.pipelines.baselines.smoodi import LatentSMooDiTransfer

    return partial(LatentSMooDiTransfer(_smoodi(folder)).transfer, clean_feet=False)


def _transfer(key: str, title: str, assemble: Callable[..., Any]) -> Transfer:
    method = METHODS[key]
    return Transfer(key, title, method.block, ("motion",), method.folders, method.recipes, assemble, paper=method.paper)


TRANSFERS: tuple[Transfer, ...] = (
    Transfer("untouched", "the recordings, untouched", "frozen", (), (), (), _untouched),
    _transfer("aberman", "Aberman et al.", _restyling),
    _transfer("motion-puzzle", "Motion Puzzle", _restyling),
    _transfer("smoodi", "SMooDi (inversion)", _inverted_smoodi),
    _transfer("stylemotif", "StyleMotif on the frozen base (inversion)", _inverted),
    _transfer("joint", "default model (inversion)", _inverted),
)


def parameters(method: Method, pipeline: Any) -> tuple[int, int]:
    """Return the parameters in all and those trained for style.

    As in the paper, the projection of words to styles is not counted; nor is the sentence encoder (MiniLM, the same for all
    and trained by none). Autoencoder and length predictor are.
    """
    from motifmix.models.parameter_count import parameter_count

    if hasattr(pipeline, "parameters"):
        return pipeline.parameters()
    parts = {
        "vae": pipeline.vae,
        "denoiser": pipeline.denoiser.denoiser,
        "project": pipeline.denoiser.project,
        "style_encoder": pipeline.style_encoder,
        "length_predictor": pipeline.length_predictor,
    }
    counts = {name: parameter_count(part) for name, part in parts.items()}
    total = sum(count for name, count in counts.items() if method.guided_by or name not in STYLE_PARTS)
    return total, sum(counts[name] for name in method.trained)
