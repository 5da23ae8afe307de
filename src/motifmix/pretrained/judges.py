"""Judges: trained readers of motion, each with one role, and the rule that no judge serves two.

``guide`` may lead a model (a loss, a guidance), ``select`` may choose checkpoints and settings, ``score`` does nothing
but score. A model that is chosen by its examiner passes the exam. A judge is a safetensors file with a card (YAML)
beside it that names role, classes, size, training, licence, numbers and the file's checksum.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors.torch import load, save

from motifmix.atomic import replacing
from motifmix.errors import MotifmixError
from motifmix.models.recogniser import Recogniser, TemporalConfig
from motifmix.models.retrieval_evaluator import RetrievalEvaluator
from motifmix.motion.motion import Motion

Role = Literal["guide", "select", "score"]
Kind = Literal["recogniser", "retrieval"]
LONGEST_SECONDS = 10.0  # longer clips are cropped to their first ten seconds, real and generated ones alike


class JudgeCard(BaseModel):
    """What stands beside a judge's weights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: Kind
    role: Role
    config: TemporalConfig
    contents: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    seed: int
    data: str
    licence: str
    recipe: str
    commit: str
    numbers: dict[str, Any] = {}
    sha256: str


@dataclass(frozen=True)
class Reading:
    """What a judge read off ``n`` clips.

    ``content [n, contents]`` and ``style [n, styles]`` are probabilities, ``features [n, 128]`` what stands before.
    """

    content: np.ndarray
    style: np.ndarray
    features: np.ndarray


class Judge:
    """A recogniser with its card."""

    def __init__(self, card: JudgeCard, model: Recogniser) -> None:
        self.card = card
        self.model = model.eval()

    def read(self, clips: Sequence[Motion | np.ndarray]) -> Reading:
        """Read clips: motions of any rate, or joint positions ``[T, 22, 3]`` in metres at the judge's own rate."""
        return read_joints(self.model, [joint_positions(clip, self.card.config.fps) for clip in clips])

    def content_names(self, reading: Reading) -> list[str]:
        """Return the likeliest content of every clip."""
        return [self.card.contents[i] for i in reading.content.argmax(axis=1)]

    def style_names(self, reading: Reading) -> list[str]:
        """Return the likeliest style of every clip."""
        return [self.card.styles[i] for i in reading.style.argmax(axis=1)]


class RetrievalJudge:
    """A motion-text evaluator with its card."""

    def __init__(self, card: JudgeCard, model: RetrievalEvaluator) -> None:
        self.card = card
        self.model = model.eval()

    def embed_motions(self, clips: Sequence[Motion | np.ndarray]) -> np.ndarray:
        """Embed clips (motions, or joint positions at the judge's rate), ``[n, 128]``."""
        return embed_motion_joints(self.model, [joint_positions(clip, self.card.config.fps) for clip in clips])

    @torch.inference_mode()
    def embed_texts(self, sentences: np.ndarray) -> np.ndarray:
        """Embed sentence embeddings ``[n, 384]`` (MiniLM, unit length) into the common space, ``[n, 128]``."""
        return self.model.embed_texts(torch.as_tensor(sentences, dtype=torch.float32)).double().numpy()


def appoint(**judges: Judge | RetrievalJudge) -> dict[str, Judge | RetrievalJudge]:
    """Give judges their roles, ``appoint(guide=..., score=...)``.

    Raises :class:`MotifmixError` when a card names another role, or when two roles got the same weights.
    """
    holders: dict[str, str] = {}
    for role, judge in judges.items():
        if role not in get_args(Role):
            raise MotifmixError(f"{role!r} is no role of a judge; the roles are {', '.join(get_args(Role))}.")
        if judge.card.role != role:
            raise MotifmixError(
                f"The judge {judge.card.name!r} has the role {judge.card.role!r}, so it may not {role}."
            )
        if judge.card.sha256 in holders:
            raise MotifmixError(
                f"The judge {judge.card.name!r} would serve as {holders[judge.card.sha256]} and as {role}; "
                "a judge has one role, train another one."
            )
        holders[judge.card.sha256] = role
    return dict(judges)


def default_folder() -> Path:
    """Return the folder of the judges that come with the package."""
    return Path(str(resources.files("motifmix").joinpath("weights", "judges")))


def load_judge(role: Role, folder: Path | None = None) -> Judge:
    """Load the recogniser of one role; raises :class:`MotifmixError` for missing, altered or misplaced weights."""
    card, state = _read_folder(f"recogniser-{role}", folder or default_folder())
    if card.kind != "recogniser" or card.role != role:
        raise MotifmixError(
            f"{card.name}: the card says {card.kind}, {card.role}, not recogniser, {role}; put it back."
        )
    model = Recogniser(card.config, len(card.contents), len(card.styles))
    model.load_state_dict(state)
    return Judge(card, model)


def load_retrieval_judge(folder: Path | None = None) -> RetrievalJudge:
    """Load the motion-text evaluator that scores."""
    card, state = _read_folder("retrieval-score", folder or default_folder())
    model = RetrievalEvaluator(card.config)
    model.load_state_dict(state)
    return RetrievalJudge(card, model)


def save_judge(folder: Path, model: torch.nn.Module, **card: Any) -> JudgeCard:
    """Write a judge in half precision and its card; ``card`` are the fields of :class:`JudgeCard` but the checksum."""
    data = save({name: tensor.detach().half().contiguous() for name, tensor in model.state_dict().items()})
    written = JudgeCard(sha256=hashlib.sha256(data).hexdigest(), **card)
    folder.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(written.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=120)
    for suffix, content in ((".safetensors", data), (".yaml", text.encode())):
        with replacing(folder / f"{written.name}{suffix}", force=True) as beside:
            beside.write_bytes(content)
    return written


def read_card(path: Path) -> JudgeCard:
    """Read a judge's card; raises :class:`MotifmixError` that names the field."""
    try:
        return JudgeCard.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except FileNotFoundError:
        raise MotifmixError(
            f"{path}: no such judge; train it with `motifmix train recipes/default/judge.yaml`."
        ) from None
    except (ValidationError, yaml.YAMLError) as error:
        raise MotifmixError(
            f"{path}: no sound card of a judge ({str(error).splitlines()[0]}); restore the file."
        ) from None


def joint_positions(clip: Motion | np.ndarray, fps: float) -> np.ndarray:
    """Return a clip's joints ``[T, 22, 3]`` as every figure reads them: at ``fps``, its first ten seconds."""
    joints = clip.resampled(fps).joints if isinstance(clip, Motion) else clip
    return joints[: int(LONGEST_SECONDS * fps)]


@torch.inference_mode()
def read_joints(model: Recogniser, clips: Sequence[np.ndarray]) -> Reading:
    """Read joint positions ``[T, 22, 3]`` (metres, at the model's rate; the first ten seconds) with a recogniser."""
    limit = int(LONGEST_SECONDS * model.net.config.fps)
    order, content, style, features = [], [], [], []
    for indices, joints, mask in _batches([clip[:limit] for clip in clips]):
        seen = model(joints, mask)
        order.append(indices)
        content.append(seen.content.softmax(dim=1).double().numpy())
        style.append(seen.style.softmax(dim=1).double().numpy())
        features.append(seen.features.double().numpy())
    back = np.argsort(np.concatenate(order))
    return Reading(*(np.concatenate(rows)[back] for rows in (content, style, features)))


@torch.inference_mode()
def embed_motion_joints(model: RetrievalEvaluator, clips: Sequence[np.ndarray]) -> np.ndarray:
    """Embed joint positions ``[T, 22, 3]`` (metres, at the model's rate; the first ten seconds), ``[n, 128]``."""
    limit = int(LONGEST_SECONDS * model.motion_net.config.fps)
    order, rows = [], []
    for indices, joints, mask in _batches([clip[:limit] for clip in clips]):
        order.append(indices)
        rows.append(model.embed_motions(joints, mask).double().numpy())
    return np.concatenate(rows)[np.argsort(np.concatenate(order))]


def _read_folder(name: str, folder: Path) -> tuple[JudgeCard, dict[str, torch.Tensor]]:
    card = read_card(folder / f"{name}.yaml")
    path = folder / f"{name}.safetensors"
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise MotifmixError(f"{path}: the weights of this judge are missing; restore the file.") from None
    if hashlib.sha256(data).hexdigest() != card.sha256:
        raise MotifmixError(f"{path}: the checksum is not the card's; the file was altered or cut, restore it.")
    return card, {key: tensor.float() for key, tensor in load(data).items()}


def _batches(clips: Sequence[np.ndarray], size: int = 32) -> list[tuple[np.ndarray, torch.Tensor, torch.Tensor]]:
    """Cut clips into padded batches of similar length: indices, joints ``[B, T, 22, 3]`` and mask ``[B, T]``."""
    if not len(clips):
        raise ValueError("no clip to read")
    order = np.argsort([len(clip) for clip in clips], kind="stable")
    batches = []
    for start in range(0, len(order), size):
        indices = order[start : start + size]
        longest = max(2, len(clips[indices[-1]]))
        padded = np.zeros((len(indices), longest, 22, 3), dtype=np.float32)
        mask = np.zeros((len(indices), longest), dtype=bool)
        for row, index in enumerate(indices):
            padded[row, : len(clips[index])] = clips[index]
            mask[row, : len(clips[index])] = True
        batches.append((indices, torch.from_numpy(padded), torch.from_numpy(mask)))
    return batches
