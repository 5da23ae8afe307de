"""CLIP's text tower, ImageBind and its preprocessing."""

from collections.abc import Callable

import numpy as np
import torch
from golden import Case
from safetensors.torch import load_file

from motifmix.encoders import image, sound, video
from motifmix.encoders.clip_times import clip_times
from motifmix.encoders.clip_tokenizer import ClipTokenizer
from motifmix.models.clip_text import ClipTextTower
from motifmix.models.imagebind import ImageBind
from motifmix.pretrained.maps import clip_text as clip_map
from motifmix.pretrained.maps.imagebind import IMAGEBIND
from motifmix.pretrained.maps.key_map import load_published

Outputs = dict[str, np.ndarray]


@torch.no_grad()
def clip_text(case: Case) -> Outputs:
    config = case.config
    published = load_file(case.folder / "weights.safetensors")
    key_map = clip_map.key_map_for(published)
    legacy = key_map is clip_map.AUTHORS or config["hf_eos_token_id"] == 2
    tower = ClipTextTower(
        vocabulary=config["vocab_size"],
        context_length=config["context_length"],
        width=config["width"],
        layers=config["layers"],
        heads=config["heads"],
        feed_forward=config["feed_forward"],
        projection_dim=config["projection_dim"],
        end_token=None if legacy else config["hf_eos_token_id"],
        epsilon=config["layer_norm_eps"],
    ).eval()
    load_published(tower, published, key_map)
    ids = torch.from_numpy(case.inputs["tokens"])
    embeddings, *states = tower.hidden_states(ids)
    features = tower(ids)
    return {
        "embeddings": embeddings.numpy(),
        **{f"after_block_{i}": state.numpy() for i, state in enumerate(states)},
        "token_features": features.tokens.numpy(),
        "pooled_position": tower.pooled_positions(ids).numpy(),
        "pooled": features.pooled.numpy(),
        "text_embedding": features.embedding.numpy(),
    }


@torch.no_grad()
def imagebind(case: Case) -> Outputs:
    config = case.config
    vision, text, audio = config["vision"], config["text"], config["audio"]
    network = ImageBind(
        output_dim=config["output_dim"],
        image_size=config["image_size"],
        vision_width=vision["width"],
        vision_layers=vision["layers"],
        vision_heads=vision["heads"],
        vision_patch=tuple(vision["patch"]),
        text_width=text["width"],
        text_layers=text["layers"],
        text_heads=text["heads"],
        vocabulary=text["vocab_size"],
        context_length=text["context_length"],
        audio_width=audio["width"],
        audio_layers=audio["layers"],
        audio_heads=audio["heads"],
        audio_patch=audio["patch"],
        audio_stride=audio["stride"],
        mel_bins=audio["mel_bins"],
        audio_frames=audio["frames"],
        audio_logit_scale=audio["fixed_logit_scale"],
        mlp_ratio=config["mlp_ratio"],
        max_logit_scale=config["max_logit_scale"],
    ).eval()
    load_published(network, load_file(case.folder / "weights.safetensors"), IMAGEBIND)
    out: Outputs = {}
    for name, value in case.inputs.items():
        modality, x = name.split("_")[0], torch.from_numpy(value)
        stages = network.stages(modality, x)
        out[f"tokens.{name}"] = stages.tokens.numpy()
        out[f"trunk.{name}"] = stages.trunk.numpy()
        out[f"head.{name}"] = stages.head.numpy()
        out[f"embedding.{name}"] = network(modality, x).numpy()
    return out


def prepared_text(case: Case) -> Outputs:
    config = case.config
    merges = [tuple(pair.split(" ")) for pair in config["merges"]] if "merges" in config else None
    tokenizer = ClipTokenizer(merges)
    assert (tokenizer.start_token, tokenizer.end_token) == (config["start_token"], config["end_token"])
    ids = tokenizer.encode(config["sentences"], config["context_length"], config["pad_token"])
    return {"tokens": ids.numpy(), "lengths": tokenizer.lengths(ids).numpy()}


def prepared_image(case: Case) -> Outputs:
    config = case.config
    tensor = image.prepared_image(
        case.inputs["image"], config["image_size"], tuple(config["mean"]), tuple(config["std"])
    )
    return {"tensor": tensor.numpy()}


def prepared_video(case: Case) -> Outputs:
    config, frames = case.config, case.inputs["frames"]
    fps, clips, seconds = config["frames_per_second"], config["clips"], config["clip_seconds"]
    tensor = video.prepared_video(
        frames,
        len(frames),
        fps,
        size=config["image_size"],
        clips=clips,
        seconds=seconds,
        frames_per_clip=config["frames_per_clip"],
        crops=config["spatial_crops"],
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
    )
    times = clip_times(len(frames) / fps, clips, seconds)
    return {"clips": tensor.numpy(), "clip_times": np.array(times, float)}


def prepared_sound(case: Case) -> Outputs:
    config, waveform = case.config, case.inputs["waveform"]
    rate, clips, seconds = config["sample_rate"], config["clips"], config["clip_seconds"]
    size = {"mel_bins": config["mel_bins"], "frames": config["target_frames"], "quirks": [sound.CLIP_MEANS_ADD_UP]}
    samples = sound.resampled(waveform, config["input_sample_rate"], rate)
    tensor = sound.prepared_sound(
        waveform, config["input_sample_rate"], clips, seconds, rate, mean=config["mean"], std=config["std"], **size
    )
    return {
        "resampled_waveform": samples,
        "clip_times": np.array(clip_times(samples.shape[1] / rate, clips, seconds), float),
        "log_mel_before_normalisation": sound.clip_energies(samples, rate, clips, seconds, **size),
        "clips": tensor.numpy(),
    }


def imagebind_preproc(case: Case) -> Outputs:
    prepare = {"text": prepared_text, "image": prepared_image, "video": prepared_video, "audio": prepared_sound}
    return prepare[case.config["modality"]](case)


RUNNERS: dict[str, Callable[[Case], Outputs]] = {
    "clip_text": clip_text,
    "imagebind": imagebind,
    "imagebind_preproc": imagebind_preproc,
}
