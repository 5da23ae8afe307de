"""One way in for all weights: our own, and published ones that were converted."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from motifmix.pretrained.converted import MODEL_CARD, load_model

if TYPE_CHECKING:
    from motifmix.pipelines.text_to_motion import TextToMotion


@overload
def load(weights: None = None) -> "TextToMotion": ...
@overload
def load(weights: Path | str) -> Any: ...
def load(weights: Path | str | None = None) -> Any:
    """Load the default model, or what lies in the folder ``weights``.

    Our own parts give a ``TextToMotion``; a folder that ``motifmix models convert`` wrote gives its
    ``PublishedNetworks``: networks by part, statistics, and the card with licence and schedule; where it is a model that
    makes motions, with a ``generate`` of its own (``pipelines.published``). Raises ``WeightsError``.
    """
    if weights is not None and (Path(weights) / MODEL_CARD).exists():
        from motifmix.pipelines.published import at_work

        return at_work(load_model(Path(weights)))
    from motifmix.pipelines.text_to_motion import TextToMotion

    return TextToMotion(weights)
