"""The text encoders that published motion models were trained with, by name.

| name | users | feature |
| --- | --- | --- |
| clip-vit-large-patch14 | MLD, SMooDi, StyleMotif on MLD | projected end token, 768 |
| clip-vit-large-patch14-336 | InterGen, in2IN, MixerMDM | all 77 tokens, 768 |
| clip-vit-base-patch32 | MDM | projected end token of at most 22 tokens, 512 |
| sentence-t5-large | MotionLCM | one unit vector, 768 |
| glove | evaluators of text-to-motion | words and tags of tagged captions, 300 + 15 |
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from torch import Tensor, nn

from motifmix.encoders.encoder_files import EncoderFiles
from motifmix.encoders.text_features import TextEncoder
from motifmix.errors import RequestError, WeightsError
from motifmix.pretrained.converted import MODEL_CARD
from motifmix.pretrained.maps.key_map import KeyMap

MOST_LAYERS = 1_000
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
GLOVE_SOURCE = (
    "github.com/EricGuo5513/text-to-motion (folder glove/), or https://drive.google.com/file/d/"
    "1cmXKUT31pqd7_XpJAiWEo1K81TMYHA5n (glove.zip)"
)


@dataclass(frozen=True)
class PublishedEncoder:
    """Where an encoder's files are, and how it is built of them."""

    files: EncoderFiles
    build: Callable[[dict[str, Path]], TextEncoder]
    of_network: Callable[[nn.Module], TextEncoder] | None = None  # from a folder that ``models convert`` wrote


def text_encoder(name: str, folder: Path | str | None = None, *, offline: bool = False) -> TextEncoder:
    """Return a published text encoder; its files come from ``folder``, motifmix's own folder or the hub.

    ``folder`` may also be one that ``motifmix models convert`` wrote. Raises ``RequestError`` for an unknown name and
    ``WeightsError`` that says which file to fetch and where it goes.
    """
    encoder = PUBLISHED_ENCODERS.get(name)
    if encoder is None:
        near = get_close_matches(name, PUBLISHED_ENCODERS, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(PUBLISHED_ENCODERS)}"
        raise RequestError(f"no text encoder is called {name!r}; {hint}")
    own = Path(folder) if folder is not None else encoder.files.folder
    if encoder.of_network is not None and (own / MODEL_CARD).is_file():
        return encoder.of_network(_converted(name, own))
    return encoder.build(encoder.files.found(folder, offline=offline))


def _converted(name: str, folder: Path) -> nn.Module:
    from motifmix.pretrained.converted import load_model

    model = load_model(folder)
    if model.card.published != name:
        raise WeightsError(f"{folder} holds {model.card.published}, not {name}; name the folder of the right one")
    (network,) = model.parts.values()
    return network


def _tensors(path: Path, passed_over: str | tuple[str, ...] = ()) -> dict[str, Tensor]:
    """Read the tensors of a weights file, but for those whose names begin with ``passed_over``."""
    from safetensors import SafetensorError, safe_open

    if path.suffix == ".safetensors":
        try:
            with safe_open(path, "pt") as file:
                names = [n for n in file.keys() if not n.startswith(passed_over)]  # noqa: SIM118
                return {n: file.get_tensor(n) for n in names}
        except (SafetensorError, OSError) as error:
            raise WeightsError(f"{path} cannot be read ({error}); fetch it again") from error
    from motifmix.pretrained.safe_reading import read_safely

    content = read_safely(path).content
    if not isinstance(content, Mapping):
        raise WeightsError(f"{path} holds no state dict; fetch it again")
    return {n: t for n, t in content.items() if isinstance(t, Tensor) and not str(n).startswith(passed_over)}


def _clip_tower(files: dict[str, Path]) -> nn.Module:
    from motifmix.models.clip_text import ClipTextTower
    from motifmix.pretrained.maps import clip_text

    published = _tensors(files[WEIGHTS[0]], passed_over=("vision_model.", "visual."))
    return _filled(ClipTextTower, clip_text.read_sizes, published, clip_text.EITHER, files[WEIGHTS[0]])


def _filled(
    kind: type[nn.Module],
    read_sizes: Callable[[Mapping[str, Tensor]], Mapping[str, int]],
    published: Mapping[str, Tensor],
    key_map: KeyMap,
    path: Path,
) -> nn.Module:
    """Build a network of the sizes that its tensors tell, and load them; memory is taken once they are known to fit."""
    import torch

    from motifmix.pretrained.maps.key_map import fit, load_published

    sizes: Mapping[str, int] = {}
    try:
        sizes = read_sizes(published)
        if sizes.get("layers", 0) > MOST_LAYERS:
            raise WeightsError(f"{sizes['layers']:,} layers are more than it has")
        with torch.device("meta"):
            complaints = str(fit(kind(**sizes), published, key_map))
    except (KeyError, TypeError, ValueError, IndexError, RuntimeError, ZeroDivisionError, WeightsError) as error:
        complaints = str(error)
    if complaints:
        raise WeightsError(f"{path} does not fit {kind.__name__}: {complaints}; fetch it again")
    network = kind(**sizes)
    load_published(network, published, key_map)
    return network


def _mld_text(tower: nn.Module) -> TextEncoder:
    from motifmix.encoders.clip_text import ClipText
    from motifmix.encoders.clip_tokenizer import normalised

    return ClipText(_tower(tower), "embedding", padding=None, clean=normalised)


def _intergen_text(tower: nn.Module) -> TextEncoder:
    from motifmix.encoders.clip_text import ClipText

    return ClipText(_tower(tower), "tokens")


def _mdm_text(tower: nn.Module) -> TextEncoder:
    from motifmix.encoders.clip_text import ClipText

    # 20 tokens of text, as MDM cuts for HumanML3D and KIT-ML.
    return ClipText(tower := _tower(tower), "embedding", max_tokens=min(22, tower.context_length))


def _tower(module: nn.Module):
    from motifmix.models.clip_text import ClipTextTower

    if not isinstance(module, ClipTextTower):
        raise WeightsError(f"this is a {type(module).__name__}, no text tower of CLIP")
    return module


def _sentence_t5(files: dict[str, Path]) -> TextEncoder:
    from motifmix.encoders.sentence_t5 import SentenceT5Text, read_tokenizer
    from motifmix.models.sentence_t5 import SentenceT5
    from motifmix.pretrained.maps.sentence_t5 import SENTENCE_T5, read_sizes

    published = _tensors(files[WEIGHTS[0]])
    published |= {f"dense.{name}": t for name, t in _tensors(files[f"2_Dense/{WEIGHTS[0]}"]).items()}
    network = _filled(SentenceT5, read_sizes, published, SENTENCE_T5, files[WEIGHTS[0]])
    assert isinstance(network, SentenceT5)
    return SentenceT5Text(network, read_tokenizer(files["tokenizer.json"]))


def _glove(files: dict[str, Path]) -> TextEncoder:
    from motifmix.encoders.glove import glove_of
    from motifmix.pretrained.safe_reading import read_safely

    return glove_of({path.stem.rpartition("_")[2]: read_safely(path).content for path in files.values()})


def _glove_converted(network: nn.Module) -> TextEncoder:
    from motifmix.encoders.glove import GloVe
    from motifmix.models.word_vectors import WordVectors

    if not isinstance(network, WordVectors):
        raise WeightsError(f"this is a {type(network).__name__}, no table of word vectors")
    return GloVe(network.vectors.numpy(), network.words)


def _clip(repository: str, archive: str, of_tower: Callable[[nn.Module], TextEncoder]) -> PublishedEncoder:
    """``archive`` is the file of the authors' own package, which is read where it lies in the folder."""
    name = repository.partition("/")[2]
    files = EncoderFiles(name, (WEIGHTS,), f"https://huggingface.co/{repository}", repository, ((archive,),))
    return PublishedEncoder(files, lambda found: of_tower(_clip_tower(found)), of_tower)


PUBLISHED_ENCODERS = {
    "clip-vit-large-patch14": _clip("openai/clip-vit-large-patch14", "ViT-L-14.pt", _mld_text),
    "clip-vit-large-patch14-336": _clip("openai/clip-vit-large-patch14-336", "ViT-L-14-336px.pt", _intergen_text),
    "clip-vit-base-patch32": _clip("openai/clip-vit-base-patch32", "ViT-B-32.pt", _mdm_text),
    "sentence-t5-large": PublishedEncoder(
        EncoderFiles(
            "sentence-t5-large",
            (WEIGHTS, tuple(f"2_Dense/{name}" for name in WEIGHTS), ("tokenizer.json",)),
            "https://huggingface.co/sentence-transformers/sentence-t5-large",
            "sentence-transformers/sentence-t5-large",
        ),
        _sentence_t5,
    ),
    "glove": PublishedEncoder(
        EncoderFiles("glove", (("our_vab_data.npy",), ("our_vab_words.pkl",), ("our_vab_idx.pkl",)), GLOVE_SOURCE),
        _glove,
        _glove_converted,
    ),
}
