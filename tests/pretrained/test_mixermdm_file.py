"""MixerMDM's published file: 1,718 names, most of which stand for a net that stands there under other names too."""

import re
from pathlib import Path

import pytest
import torch
from torch import Tensor

from motifmix.pretrained.gathering import fits, gather
from motifmix.pretrained.published import published
from motifmix.pretrained.safe_reading import SafeFile

from .published_files import files_of

NET = {"width": 8, "feed_forward": 8, "heads": 2}
HEAD = {"width": 8, "layers": 1, "heads": 2, "feed_forward": 8}
CLIP = {"vocabulary": 10, "width": 8, "layers": 1, "heads": 1}
TINY = {
    "individual": {**NET, "blocks": 2, "text": 8},
    "interaction": {**NET, "blocks": 1, "text": 8},
    "mixer": {**NET, "blocks": 2, "text": 8},
    "individual_discriminator": {**NET, "blocks": 1, "text": 8},
    "interaction_discriminator": {**NET, "blocks": 1, "text": 8},
    **dict.fromkeys(("individual_text_head", "interaction_text_head", "text_head"), HEAD),
    **dict.fromkeys(("individual_clip", "clip"), CLIP),
}


def whole_file(sizes: dict, device: str = "cpu") -> dict[str, Tensor]:
    """The state dict with all copies and tables that the authors' module writes."""
    (state,) = files_of(published("mixermdm"), sizes, device).values()
    state = dict(state)
    for name, tensor in list(state.items()):
        for number, net in (("1", "individual"), ("2", "interaction")):
            if name.startswith(f"mixing.denoiser{number}."):
                own = name.removeprefix("mixing.")
                state[own] = state[own.replace(f"denoiser{number}", f"model{number}.decoder.net_{net}")] = tensor
        if re.match(r"clip_transformer\.|token_embedding|ln_final|positional_embedding", name):
            state[f"model2.{name}"] = tensor
    nets = [f"{at}denoiser{n}." for at in ("", "mixing.") for n in "12"]
    nets += ["model1.decoder.net_individual.", "model2.decoder.net_interaction.", "mixing."]
    nets += ["discriminator_i.", "discriminator_I."]
    for net in nets:
        for table in ("sequence_pos_encoder.pe", "embed_timestep.sequence_pos_encoder.pe"):
            state[net + table] = torch.zeros(1, device=device)
    return state


def test_all_1718_names_of_the_full_size_are_there_and_fit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("motifmix.pretrained.gathering._equal", lambda one, other: True)
    state = whole_file({}, "meta")
    assert len(state) == 1718
    model = published("mixermdm")
    found, complaints = fits(model, gather(model, {"mixermdm": SafeFile(Path("MixerMDM.ckpt"), state)}), {})
    assert complaints == [] and found.keys() == model.parts.keys()
    positions = 77 * 768  # the interaction model's own table, dropped as a double
    assert sum(part.parameters or 0 for part in model.parts.values()) + positions == model.parameters.whole


@pytest.mark.parametrize("prefix", ["", "model."])
def test_equal_copies_are_left_out_and_unequal_ones_are_reported(prefix: str):
    model, state = published("mixermdm"), whole_file(TINY)
    odd = "model1.decoder.net_individual.out.linear.bias"
    state[odd] = state[odd] + 1
    file = SafeFile(Path("MixerMDM.ckpt"), {prefix + name: tensor for name, tensor in state.items()})
    gathered = gather(model, {"mixermdm": file})
    found, complaints = fits(model, gathered, TINY)
    assert complaints == [] and found.keys() == model.parts.keys()
    assert f"{odd} differs from individual.out.linear.bias, which is used" in gathered.remarks
    assert sum("differs" in remark for remark in gathered.remarks) == 1
    bias = state["mixing.denoiser1.out.linear.bias"]
    assert torch.equal(found["individual"].fit.tensors["output.bias"], bias)
    assert found["mixer"].sizes["granularity"] == "spatio_temporal"


def test_a_strange_name_is_not_passed_over():
    model, state = published("mixermdm"), whole_file(TINY)
    state["model1.decoder.net_individual.gate"] = torch.zeros(1)
    _, complaints = fits(model, gather(model, {"mixermdm": SafeFile(Path("MixerMDM.ckpt"), state)}), TINY)
    assert complaints == ["individual: unknown: gate"]


def test_dualmdm_takes_clip_from_the_individual_file_as_its_authors_do():
    model = published("dualmdm")
    sizes = {
        name: TINY[name] for name in ("individual", "interaction", "individual_text_head", "interaction_text_head")
    }
    sizes["clip"] = CLIP
    files = {s: SafeFile(Path(model.files[s].name), dict(c)) for s, c in files_of(model, sizes).items()}
    clip = {name: t for name, t in files["individual"].content.items() if name.startswith(("clip_tr", "ln_f"))}
    files["interaction"].content.update({name: tensor + 1 for name, tensor in clip.items()})
    gathered = gather(model, files)
    found, complaints = fits(model, gathered, sizes)
    assert complaints == [] and found.keys() == model.parts.keys()
    assert torch.equal(found["clip"].fit.tensors["final_norm.bias"], clip["ln_final.bias"])
    assert any(f"{len(clip)} tensors override earlier ones" in remark for remark in gathered.remarks)
    assert sum(part.parameters or 0 for part in model.parts.values()) == model.parameters.whole
