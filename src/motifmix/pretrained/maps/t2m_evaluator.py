"""Key map of the text-to-motion evaluators: the three dictionaries in the published file, one prefix each."""

from collections.abc import Mapping

import torch
from torch import Tensor

from motifmix.models.t2m_evaluator import CONTACTS, TextMotionEvaluator
from motifmix.pretrained.maps.key_map import KeyMap
from motifmix.pretrained.maps.transformer import KIND

EVALUATOR = KeyMap(
    [
        (r"movement_encoder\.main\.0\." + KIND, r"movement.first.\g<kind>"),
        (r"movement_encoder\.main\.3\." + KIND, r"movement.second.\g<kind>"),
        (r"movement_encoder\.out_net\." + KIND, r"movement.out.\g<kind>"),
        (r"text_encoder\.pos_emb\." + KIND, r"tags.\g<kind>"),
        (r"(?P<side>text|motion)_encoder\.input_emb\." + KIND, r"\g<side>.embed.\g<kind>"),
        (r"(?P<side>text|motion)_encoder\.gru\.(?P<name>.+)", r"\g<side>.gru.\g<name>"),
        (r"(?P<side>text|motion)_encoder\.hidden", r"\g<side>.start"),
        (
            r"(?P<side>text|motion)_encoder\.output_net\.(?P<number>[013])\." + KIND,
            r"\g<side>.output.\g<number>.\g<kind>",
        ),
    ]
)


def read_sizes(published: Mapping[str, Tensor]) -> dict[str, int]:
    """Return the number of features from the first convolution: 263 of HumanML3D, 251 of KIT-ML."""
    return {"features": published["movement_encoder.main.0.weight"].shape[1] + CONTACTS}


def try_evaluator(evaluator: TextMotionEvaluator) -> dict[str, Tensor]:
    """Embed a clip of two snippets and a caption of three words."""
    features = evaluator.movement.first.in_channels + CONTACTS
    tags, words = evaluator.tags.in_features, evaluator.tags.out_features
    return {
        "motion": evaluator.embed_motions(torch.zeros(1, 8, features), torch.tensor([8])),
        "text": evaluator.embed_texts(torch.zeros(1, 3, words), torch.zeros(1, 3, tags), torch.tensor([3])),
    }
