"""``motifmix models``: the published models, and their files made ours."""

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from motifmix.apps.cli.terminal import escaped, remark, say

app = typer.Typer(
    help="Published models: what there is, what it may be used for, and their files converted and verified."
)

# Of published models whose figures a paper's evaluation here measures: protocol, folder that judges, whether styles are named.
PROTOCOLS = {
    "mld": ("mld", "T2M_EVALUATOR", False),
    "smoodi": ("smoodi", "T2M_EVALUATOR", True),
    "intergen": ("intergen", "INTERCLIP", False),
    "in2in": ("in2in", "INTERCLIP", False),
    "mixermdm": ("mixermdm", "INTERCLIP", False),
}

Offline = Annotated[bool, typer.Option("--offline", help="Never ask a hub; these commands need none anyway.")]


@app.callback(invoke_without_command=True)
def _start(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        say(context.get_help())


@app.command("list")
def list_models(offline: Offline = False) -> None:
    """List the published models, how far each is proven, and what it is."""
    from motifmix.pretrained.published import published, published_names

    models = [published(name) for name in published_names()]
    width = max(len(model.name) for model in models)
    proven = max(len(", ".join(model.proof)) for model in models)
    for model in models:
        say(f"{model.name:<{width}}  {', '.join(model.proof) or 'nothing':<{proven}}  {model.title}")


@app.command()
def info(
    name: Annotated[str, typer.Argument(help="A name from models list.")],
    cite: Annotated[bool, typer.Option("--cite", help="Print the BibTeX entry and nothing else.")] = False,
    offline: Offline = False,
) -> None:
    """Say where a published model is, what may be done with it, how large it is, and how to cite it."""
    from motifmix.pretrained.published import published

    model = published(name)
    if cite:
        say(model.citation)
        return
    for line in described(model):
        say(line)


@app.command()
def convert(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="The files as published, in the card's order.")
    ],
    name: Annotated[str, typer.Option("--as", help="Which published model they are; models list names all.")],
    out: Annotated[Path, typer.Option(help="The folder to make.")],
    stats: Annotated[Path | None, typer.Option(help="The folder with mean and std, where the files hold none.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="PART.SIZE=VALUE for weights that were trained in another size than the published."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a folder converted before.")] = False,
    offline: Offline = False,
) -> None:
    """Make published files a folder of safetensors with cards; nothing that stands in them is executed."""
    from motifmix.pretrained.published import published

    model = published(name)
    sizes = _sizes(settings or [])

    from motifmix import __version__
    from motifmix.pretrained.conversion import convert as convert_files

    version = f"motifmix {__version__}"

    def tell(line: str) -> None:
        remark(escaped(line))

    convert_files(model, files, out, stats=stats, sizes=sizes, force=force, version=version, say=tell)
    remark(f"licence: {model.licence.consequence}")
    say(out)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that models convert wrote, or one of ours.")],
    offline: Offline = False,
) -> None:
    """Check hashes, keys, shapes, finite numbers and a forward pass of every part."""
    from motifmix.pretrained.converted import MODEL_CARD, read_model_card
    from motifmix.pretrained.converted import verify as verify_folder
    from motifmix.pretrained.published import published, published_names

    verify_folder(folder, lambda line: say(escaped(line)))
    if (folder / MODEL_CARD).exists():
        name = read_model_card(folder).published
        for what, figures in published(name).figures.items() if name in published_names() else ():
            remark(f"with its data at hand, compare the published figures: {what}: {figures}")
        if name in PROTOCOLS:
            remark(f"to measure them: {measuring(name, folder)}")


def measuring(name: str, folder: Path) -> str:
    """Return the command that measures the published model ``name`` in ``folder`` by its paper's protocol."""
    protocol, evaluator, styled = PROTOCOLS[name]
    command = (
        f"motifmix evaluate {protocol} --weights {shlex.quote(str(folder))} --data DATASET --evaluator {evaluator}"
    )
    return f"{command} --classifier STYLE_NETWORK" if styled else command


def described(model: Any) -> list[str]:
    """Return what ``info`` prints of a published model, line by line."""
    from motifmix.pretrained.published import PROOFS

    lines = [f"{model.name}: {model.title}", model.does, "", f"paper    {model.paper}", f"page     {model.page}"]
    for file in model.files.values():
        lines += [f"file     {file.name}", f"         from {file.where}"]
        lines += [f"         into {file.folder}"] if file.folder else []
        lines += [f"         size: {file.size}; sha256: {file.sha256 or 'no real file was seen'}"]
        lines += [f"         {file.note}"] if file.note else []
    if not model.files:
        lines += ["file     none is published"]
    for name, statistics in model.statistics.items():
        inside = "in the file" if statistics.inside else f"--stats: {statistics.mean[0]}, {statistics.std[0]}"
        lines += [f"mean/std {name}: {inside}; {statistics.where}"]
    count = model.parameters
    trained = f", of them trained {count.trained:,}" if count.trained else ""
    lines += [f"size     {count.whole:,} parameters{trained}{f' ({count.note})' if count.note else ''}"]
    lines += [f"parts    {', '.join(f'{name} ({part.architecture})' for name, part in model.parts.items())}"]
    lines += [f"space    {model.space}"] if model.space else []
    lines += [f"text     {model.text_encoder}"] if model.text_encoder else []
    quirks = [*model.quirks, *(quirk for part in model.parts.values() for quirk in part.quirks)]
    lines += [f"quirks   {', '.join(quirks)} (docs/fidelity.md explains them)"] if quirks else []
    nothing = "nothing: no code and no weights are published to compare with"
    lines += [f"proven   {'; '.join(PROOFS[proof] for proof in model.proof) or nothing}"]
    licence = model.licence
    lines += [
        f"licence  code: {licence.code}",
        f"         weights: {licence.weights}",
        f"         data: {licence.data}",
    ]
    lines += [f"         so: {licence.consequence}"]
    lines += [f"figures  {what}: {figures}" for what, figures in model.figures.items()]
    return [*lines, "", model.citation]


def _sizes(settings: list[str]) -> dict[str, dict[str, Any]]:
    import yaml

    from motifmix.errors import RequestError

    sizes: dict[str, dict[str, Any]] = {}
    for setting in settings:
        place, equals, value = setting.partition("=")
        part, dot, size = place.partition(".")
        if not (part and dot and size and equals):
            raise RequestError(f"--set {setting}: write PART.SIZE=VALUE, for example denoiser.layers=5")
        sizes.setdefault(part, {})[size] = yaml.safe_load(value)
    return sizes
