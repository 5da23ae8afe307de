"""Style vectors of what is no motion: an encoder of pictures and sounds, a projection pi, and a bank of motion styles.

``motifmix align`` writes such a folder. As in StyleMotif, an embedding goes through pi to where the style vectors of
motions lie, and the nearest motion's style vector is used (``retrieval``); or what pi gives is used itself
(``projection``). The folder belongs to one style encoder, by its checksum, and remembers where the encoder's weights lie.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from motifmix.errors import FileError, RequestError, WeightsError
from motifmix.home import home

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from motifmix.encoders.joint import JointEncoder, Modality

PROJECTION, BANK = "projection", "bank"
By = Literal["retrieval", "projection"]
SHOWN = 5  # files of which it is said one by one what was read
AGAIN = "run 'motifmix align --weights FILE' again"


@dataclass(frozen=True)
class Reading:
    """What was read of a file: its style vector ``[style]``, and the nearest motion's style with the cosine to it."""

    vector: "Tensor"
    style: str
    likeness: float
    by: By


def aligned_home() -> Path:
    """Return where ``motifmix align`` puts its folders, one an encoder and a style encoder."""
    return home() / "aligned"


def aligned_folders() -> list[Path]:
    """Return the folders that ``motifmix align`` finished, the latest first."""
    found = aligned_home().glob(f"*/{PROJECTION}.yaml")
    return [path.parent for path in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)]


def find_aligned(style_encoder: str) -> "Aligned":
    """Return the latest alignment to the style encoder with this checksum. Raises ``RequestError`` where there is none."""
    broken: WeightsError | None = None
    for folder in aligned_folders():
        try:
            found = Aligned(folder)
        except WeightsError as error:  # another folder may do
            broken = broken or error
            continue
        if found.style_encoder == style_encoder:
            return found
    if broken is not None:
        raise broken
    raise RequestError(
        "pictures, sounds and the content of videos were aligned to other weights than these; run "
        "'motifmix align --weights FILE --model FOLDER' with these weights' folder"
    )


class Aligned:
    """A folder of ``motifmix align``. Raises ``WeightsError`` for one that is none; the encoder is opened when needed."""

    def __init__(self, folder: Path | str) -> None:
        from motifmix.pretrained.cards import read_weights
        from motifmix.style.stylemotif import StyleProjection

        self.folder = Path(folder)
        card, tensors = read_weights(self.folder, PROJECTION)
        bank, rows = read_weights(self.folder, BANK)
        try:
            facts: dict[str, Any] = card.extra
            self.encoder_name, self.weights = str(facts["encoder"]), Path(str(facts["encoder_weights"]))
            self.style_encoder, self.identity = str(facts["style_encoder"]), str(facts["encoder_identity"])
            self.styles = tuple(map(str, bank.extra["styles"]))
            self.vectors, self.owners = rows["vectors"], rows["owners"].long()
            width, inputs = tensors["weight"].shape
            self.projection = StyleProjection(inputs, width)
            self.projection.load_state_dict(tensors)
            fits = self.vectors.shape == (len(self.owners), width) and int(self.owners.max()) < len(self.styles)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise WeightsError(f"{self.folder} is no folder of 'motifmix align' ({error}); {AGAIN}") from error
        if facts.get("bank") != bank.sha256 or not fits:
            raise WeightsError(f"{self.folder}: projection and bank are not of one run; {AGAIN}")
        self.projection.requires_grad_(False)
        self.licence = str(facts.get("encoder_licence") or card.licence)
        self._read: dict[tuple[Path, int, Modality], Tensor] = {}

    @cached_property
    def encoder(self) -> "JointEncoder":
        """The encoder with the weights that were aligned. Raises ``WeightsError`` where they are gone or others."""
        from motifmix.encoders.joint import find_weights, identity, offer

        if not self.weights.exists():
            raise WeightsError(
                f"{self.weights}, from which pictures and sounds were aligned, is gone; put it back, or {AGAIN}"
            )
        found = find_weights(self.encoder_name, self.weights)
        if identity(found) != self.identity:
            raise WeightsError(f"{self.weights} holds other weights than those that were aligned; {AGAIN}")
        return offer(self.encoder_name).open(found)

    def embedding(self, path: Path, modality: "Modality") -> "Tensor":
        """Return the unit vector of a file, kept for the next time. Raises ``FileError`` or ``RequestError``."""
        try:
            key = (path, path.stat().st_mtime_ns, modality)
        except OSError as error:
            raise FileError(f"{path}: this file cannot be read ({error.strerror})") from None
        if key not in self._read:
            read = {"image": self.encoder.image, "video": self.encoder.video, "sound": self.encoder.sound}[modality]
            self._read[key] = read(path)
        return self._read[key]

    def read(self, path: Path, modality: "Modality", by: By = "retrieval") -> Reading:
        """Return the style of a picture, a sound or what a video shows."""
        return self.reading(self.embedding(path, modality), by)

    def reading(self, embedding: "Tensor", by: By = "retrieval") -> Reading:
        """Return the style of an embedding ``[width]`` of the encoder's space."""
        made = projected(self.projection, embedding[None])
        row, likeness = nearest(made, self.vectors)
        style = self.styles[int(self.owners[row[0]])]
        vector = self.vectors[row[0]] if by == "retrieval" else made[0]
        return Reading(vector, style, float(likeness[0]), by)


def projected(projection: "Module", embeddings: "Tensor") -> "Tensor":
    """Return pi of ``embeddings`` ``[N, width]`` at the length that style vectors have, ``[N, style]``."""
    from torch.nn.functional import layer_norm

    made = projection(embeddings)
    return layer_norm(made, made.shape[-1:])


def nearest(features: "Tensor", bank: "Tensor") -> tuple["Tensor", "Tensor"]:
    """Return, for each of ``features`` ``[N, D]``, the nearest row of ``bank`` ``[M, D]`` by cosine, and the cosine."""
    from torch.nn.functional import normalize

    likeness, row = (normalize(features, dim=-1) @ normalize(bank, dim=-1).T).max(dim=-1)
    return row, likeness


def described(readings: Sequence[tuple[str, Reading]], licence: str) -> list[str]:
    """Say what was read of files, given by name, a sentence each, and under which terms what is made of them stands."""
    lines = []
    for name, reading in readings[:SHOWN]:
        how = "projected; nearest to it is" if reading.by == "projection" else "read as the nearest motion's style,"
        lines.append(f"{name}: {how} {reading.style!r} (cosine {reading.likeness:.2f})")
    if len(readings) > SHOWN:
        lines.append(f"and {len(readings) - SHOWN} more files were read in the same way")
    if readings:
        lines.append(
            f"how well styles are read from pictures and sounds has not been measured; what is made of them: {licence}"
        )
    return lines
