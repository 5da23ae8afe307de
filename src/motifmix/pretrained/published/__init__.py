"""The registry of published models: one YAML card a model, and what such a card says.

To add a model, write ``<name>.yaml`` here; its file name is the name on the command line. The fields are those of
:class:`PublishedModel`; ``mld.yaml`` is the example to copy. Names in cards are resolved so:

- ``architecture: mld_vae:MotionVAE`` is the class in ``motifmix/models/mld_vae.py``; ``sizes`` go to its constructor (an
  empty mapping means its defaults, the published full size), and so does ``quirks`` where there are any.
- ``key_map: mld:VAE`` is the ``KeyMap`` in ``motifmix/pretrained/maps/mld.py``. ``trial: mld:try_vae`` is a function there:
  it takes the network and returns the tensor (or a dict or sequence of tensors) of one small forward pass made of its
  own sizes. ``sizes_from: mdm:read_sizes`` is one that takes the part's published tensors by name and returns sizes;
  ``sizes`` in the card win over these.
- ``quirks`` are names of ``Quirk`` constants anywhere in ``motifmix``.

How several files become one network: ``order`` is worked through from top to bottom, each step takes tensors of one file
and gives them names in one common state dict; a later step overrides an earlier one, which is reported. Then names under
``doubled`` are compared with their originals and left out, names under ``dropped`` are left out, and each part takes what
its expression ``takes`` matches (the first such part wins), or what begins with its ``prefix`` (the longest one wins),
which is cut off. A name that no part takes is an error.

All this is data: nothing in a card is executed, and its module names are looked up in the two packages above only.
"""

import importlib
import re
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from motifmix.errors import RequestError, WeightsError

Proof = Literal["numbers", "layout", "file"]
PROOFS: dict[Proof, str] = {
    "numbers": "numbers equal to the authors' code",
    "layout": "file layout read from their loader",
    "file": "real file seen (sha256)",
}
_OBJECT = r"[a-z_][a-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PublishedFile(_Strict):
    """A file that the authors publish: ``where`` is a page or link, ``folder`` the one that their code expects."""

    name: str
    where: str
    folder: str = ""
    size: str = "not stated"
    sha256: str | None = None  # of the one real file that was seen
    note: str = ""


class Step(_Strict):
    """Take tensors of ``file`` into the common state dict.

    ``within``: the key under which the file holds them, or several that lead there; without it a flat file and one with
    ``state_dict`` are both read. ``holds: words`` reads a pickled list of words (tensor ``words``, one a line) or a
    dictionary of words to rows (also ``rows``). ``take``: expression over a whole name in the file; other names are not read here.
    ``name``: what it becomes (``\\1`` as in ``re``).
    """

    file: str
    within: tuple[str, ...] = ()
    holds: Literal["tensors", "words"] = "tensors"
    take: str = r"(.*)"
    name: str = r"\1"


class PublishedPart(_Strict):
    """One network: which class and sizes, which tensors (by ``takes`` or ``prefix``) and how they are renamed."""

    architecture: str = Field(pattern=f"^{_OBJECT}$")
    key_map: str = Field(pattern=f"^{_OBJECT}$")
    trial: str = Field(pattern=f"^{_OBJECT}$")
    prefix: str = ""
    takes: str | None = None  # expression over whole names, which the key map then gets whole
    role: Literal["generate", "guide", "select", "score"] = "generate"
    sizes: dict[str, Any] = {}
    sizes_from: str | None = Field(None, pattern=f"^{_OBJECT}$")
    quirks: tuple[str, ...] = ()
    parameters: int | None = None  # at full size
    optional: bool = False  # a file may lack the part as a whole


class Statistics(_Strict):
    """Mean and standard deviation: arrays ``[dim]`` in the folder given with ``--stats``, under one of these names.

    ``inside``: (name of the mean, name of the standard deviation) in the common state dict, where the file holds them.
    ``dim_from``: ``part.size`` of the network that takes these numbers, where it may be trained in another ``dim``.
    """

    dim: int
    dim_from: str | None = Field(None, pattern=r"^\w+\.\w+$")
    mean: tuple[str, ...] = ("mean.npy", "Mean.npy")
    std: tuple[str, ...] = ("std.npy", "Std.npy")
    inside: tuple[str, str] | None = None
    where: str


class Schedule(_Strict):
    """Diffusion as trained: names as in ``diffusion/``; ``options`` holds what else that schedule or solver takes."""

    kind: str
    steps: int
    prediction_type: Literal["epsilon", "sample", "v_prediction"]
    sampler: str
    options: dict[str, Any] = {}


class Licence(_Strict):
    """What may be done; ``consequence`` says it in one sentence that a user understands."""

    code: str
    weights: str
    data: str
    consequence: str


class Parameters(_Strict):
    """Counts at full size: all (with frozen encoders where the authors count them), and those that are trained."""

    whole: int
    trained: int | None = None
    note: str = ""


class PublishedModel(_Strict):
    """All that is known of one published model; see the module's page for how its fields work together."""

    name: str
    title: str
    does: str
    paper: str
    page: str
    files: dict[str, PublishedFile]  # by a short name, in the order of the command line; none: nothing is published
    order: tuple[Step, ...] = ()
    doubled: dict[str, str] = {}  # expression over names -> template of the name that it must equal
    dropped: dict[str, str] = {}  # expression over names -> why they are not needed
    parts: dict[str, PublishedPart]
    statistics: dict[str, Statistics] = {}  # by what they normalise, for example "motion"
    space: str | None  # feature space, as `motifmix.features` names it; None where there is none
    spaces: dict[int, str] = {}  # the space of a network that is trained in another number of features
    schedule: Schedule | None = None
    quirks: tuple[str, ...] = ()  # of sampling and use as a whole; those of a network stand at its part
    text_encoder: str | None = None  # its name in `motifmix.encoders`; read from the hub or a local folder
    licence: Licence
    parameters: Parameters
    figures: dict[str, str] = {}  # published end-to-end figures to check with the data at hand
    items: tuple[str, ...] = ()  # golden items that prove the numbers
    proof: tuple[Proof, ...]
    citation: str  # BibTeX

    @field_validator("citation")
    @classmethod
    def _bibtex(cls, value: str) -> str:
        if not re.match(r"@\w+\{[^,]+,", value.strip()):
            raise ValueError("citation is no BibTeX entry")
        return value.strip()

    @model_validator(mode="after")
    def _agrees(self) -> "PublishedModel":
        unknown = [step.file for step in self.order if step.file not in self.files]
        if unknown:
            raise ValueError(f"order names the file {unknown[0]!r}, which is not among files")
        if set(self.files) - {step.file for step in self.order}:
            raise ValueError("order leaves out a file")
        for expression in (*self.doubled, *self.dropped, *(step.take for step in self.order)):
            re.compile(expression)
        for part in self.parts.values():
            re.compile(part.takes or "")
        if "numbers" in self.proof and not self.items:
            raise ValueError("proof says 'numbers' but items names no golden item")
        return self


def published_names() -> list[str]:
    """Return the names of all published models, sorted."""
    return sorted(p.name.removesuffix(".yaml") for p in resources.files(__name__).iterdir() if p.name.endswith(".yaml"))


@cache
def published(name: str) -> PublishedModel:
    """Return the card of a published model. Raises ``RequestError`` for an unknown name, with near ones."""
    known = published_names()
    if name not in known:
        near = get_close_matches(name, known, n=3, cutoff=0.4)
        hint = f"did you mean {', '.join(near)}?" if near else f"known are {', '.join(known)}"
        raise RequestError(f"no published model is called {name!r}; {hint}")
    text = (resources.files(__name__) / f"{name}.yaml").read_text("utf-8")
    try:
        model = PublishedModel.model_validate(yaml.safe_load(text))
    except (yaml.YAMLError, ValidationError) as error:
        raise WeightsError(f"published/{name}.yaml: {error}") from error
    if model.name != name:
        raise WeightsError(f"published/{name}.yaml: the card calls itself {model.name!r}")
    return model


def named_object(reference: str, package: Literal["models", "pretrained.maps"]) -> Any:
    """Return the object that ``module:name`` stands for in ``motifmix.models`` or ``motifmix.pretrained.maps``.

    Raises ``WeightsError`` where there is none; nothing outside these packages can be named.
    """
    if not re.fullmatch(_OBJECT, reference) or ".." in reference:
        raise WeightsError(f"{reference!r} is not of the form module:name")
    module, _, name = reference.partition(":")
    try:
        return getattr(importlib.import_module(f"motifmix.{package}.{module}"), name)
    except (ImportError, AttributeError) as error:
        raise WeightsError(f"{reference!r} is not in motifmix.{package}; install motifmix again") from error
