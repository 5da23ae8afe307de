"""Published text encoders with tiny random weights in the published files' layout."""

import pickle
import time

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from motifmix.encoders import encoder_files, published
from motifmix.encoders.clip_text import ClipText
from motifmix.encoders.clip_tokenizer import normalised
from motifmix.encoders.encoder_files import EncoderFiles, hub_answers
from motifmix.encoders.glove import TAGS, GloVe, tagged
from motifmix.encoders.published import PUBLISHED_ENCODERS, text_encoder
from motifmix.errors import DataError, MotifmixError, RequestError, WeightsError
from motifmix.models.clip_text import ClipTextTower
from motifmix.models.sentence_t5 import SentenceT5
from motifmix.pretrained.conversion import convert
from motifmix.pretrained.published import published as card_of

TEXTS = [
    "a person walks",
    "",
    "someone turns slowly to the left and then sits down on a chair, tired",
    "a person walks",
]
CLIP = [name for name in PUBLISHED_ENCODERS if name.startswith("clip")]


@pytest.fixture(autouse=True)
def no_hub(monkeypatch, tmp_path):
    monkeypatch.setenv("MOTIFMIX_HOME", str(tmp_path / "own"))
    monkeypatch.setattr(EncoderFiles, "_from_hub", lambda self, names, download: None)
    monkeypatch.setattr(encoder_files, "hub_answers", lambda: False)


def write_clip(folder, *, half: bool = False, name: str = "model.safetensors") -> ClipTextTower:
    torch.manual_seed(0)
    tower = ClipTextTower(width=16, layers=2, heads=1, projection_dim=12)
    state = {"vision_model.x": torch.ones(3), "text_model.embeddings.position_ids": torch.arange(77)[None]}
    for key, tensor in tower.state_dict().items():
        for ours, theirs in (
            ("blocks.", "text_model.encoder.layers."), ("attention_norm", "layer_norm1"),
            ("attention.out", "self_attn.out_proj"), ("feed_forward_norm", "layer_norm2"), ("widen", "mlp.fc1"),
            ("narrow", "mlp.fc2"), ("positions", "text_model.embeddings.position_embedding.weight"),
            ("token_embedding", "text_model.embeddings.token_embedding"),
            ("final_norm", "text_model.final_layer_norm"), ("projection.weight", "text_projection.weight"),
        ):  # fmt: skip
            key = key.replace(ours, theirs)
        if "attention.qkv" in key:
            for letter, part in zip("qkv", tensor.chunk(3), strict=True):
                state[key.replace("attention.qkv", f"self_attn.{letter}_proj")] = part.contiguous()
        else:
            state[key] = tensor
    if half:
        state = {key: tensor.half() for key, tensor in state.items()}
    folder.mkdir(parents=True, exist_ok=True)
    if name.endswith(".bin"):
        torch.save(state, folder / name)
    else:
        save_file(state, folder / name)
    return tower.eval()


@pytest.mark.parametrize("name", CLIP)
def test_clip_reads_a_folder_and_a_text_does_not_depend_on_its_neighbours(name, tmp_path):
    write_clip(tmp_path / "clip")
    encoder = text_encoder(name, tmp_path / "clip", offline=True)
    features = encoder.encode(TEXTS)
    length = 77 if name.endswith("336") else 1
    assert features.values.shape == (4, length, encoder.width)
    assert torch.equal(features.values[0], features.values[3])
    torch.testing.assert_close(encoder.encode(TEXTS[:1]).values, features.values[:1])
    assert encoder.encode([]).values.shape[0] == 0
    assert not features.values.requires_grad


def test_the_three_towers_are_used_as_their_models_do(tmp_path):
    tower = write_clip(tmp_path / "clip")
    mld, intergen, mdm = (text_encoder(name, tmp_path / "clip") for name in CLIP)
    long = " ".join(["walk"] * 40)
    with torch.no_grad():
        ids = intergen.tokenizer.encode([long])
        assert ids.shape == (1, 77)
        everything = tower(ids)
        cut = tower(mdm.tokenizer.encode([long], 22))
    torch.testing.assert_close(mld.encode([long]).values[:, 0], everything.embedding)
    torch.testing.assert_close(mdm.encode([long]).values[:, 0], cut.embedding)
    tokens = intergen.encode([long])
    torch.testing.assert_close(tokens.values, everything.tokens)
    assert torch.equal(tokens.ids, ids)
    assert tokens.valid_mask.sum() == 42
    # MLD's library pads with the end token and repairs nothing; the pooled feature is the same, "hidden" is not.
    hidden = ClipText(tower, "tokens", padding=None, clean=normalised).encode(["walk"])
    assert hidden.ids is not None
    assert hidden.ids[0, 2:].tolist() == [49407] * 75
    torch.testing.assert_close(hidden.values[:, 2], intergen.encode(["walk"]).values[:, 2])


def test_other_forms_of_the_weights_are_read_too(tmp_path):
    tower = write_clip(tmp_path / "a", half=True, name="pytorch_model.bin")
    encoder = text_encoder(CLIP[0], tmp_path / "a")
    found = encoder.encode(["walk"]).values
    assert found.dtype == torch.float32
    with torch.no_grad():
        expected = tower(encoder.tokenizer.encode(["walk"])).embedding
    torch.testing.assert_close(found[:, 0], expected, atol=1e-2, rtol=1e-2)
    write_clip(tmp_path / "own" / "encoders" / CLIP[0])
    assert text_encoder(CLIP[0], offline=True).width == 12  # motifmix's own folder


class Program(torch.nn.Module):
    """Parameters under dotted names, for an archive of the authors' package."""

    def __init__(self, state: dict[str, torch.Tensor]) -> None:
        super().__init__()
        for name in dict.fromkeys(name.partition(".")[0] for name in state):
            below = {key.partition(".")[2]: tensor for key, tensor in state.items() if key.startswith(f"{name}.")}
            if below:
                self.add_module(name, Program(below))
            else:
                self.register_parameter(name, torch.nn.Parameter(state[name], requires_grad=False))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def write_clip_program(path, tower: ClipTextTower) -> None:
    """The same tower as the authors' package keeps it: a TorchScript archive in half precision, sizes among the tensors."""
    state = {"visual.conv1.weight": torch.ones(2), "vocab_size": torch.tensor(49408)}
    for key, tensor in tower.state_dict().items():
        for ours, theirs in (
            ("blocks.", "transformer.resblocks."), ("attention_norm", "ln_1"), ("attention.qkv.", "attn.in_proj_"),
            ("attention.out", "attn.out_proj"), ("feed_forward_norm", "ln_2"), ("widen", "mlp.c_fc"),
            ("narrow", "mlp.c_proj"), ("positions", "positional_embedding"), ("final_norm", "ln_final"),
        ):  # fmt: skip
            key = key.replace(ours, theirs)
        state["text_projection" if key == "projection.weight" else key] = tensor.T if "projection" in key else tensor
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {key: t.half() if t.is_floating_point() and t.ndim > 1 else t for key, t in state.items()}
    torch.jit.save(torch.jit.script(Program(state)), path)


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
@pytest.mark.parametrize(
    ("name", "file"), [*zip(CLIP, ("ViT-L-14.pt", "ViT-L-14-336px.pt", "ViT-B-32.pt"), strict=True)]
)
def test_the_archives_of_clips_authors_are_read_as_data(name, file, tmp_path):
    tower = write_clip(tmp_path / "other")
    write_clip_program(tmp_path / "own" / "encoders" / name / file, tower)
    expected = text_encoder(name, tmp_path / "other").encode(TEXTS).values
    found = text_encoder(name, offline=True).encode(TEXTS).values
    torch.testing.assert_close(found, expected, atol=2e-2, rtol=2e-2)
    said: list[str] = []
    sizes = {"text": {"heads": 1}}
    path = tmp_path / "own" / "encoders" / name / file
    if name == "clip-vit-base-patch32":  # its sizes stand in its card
        sizes["text"] |= {"width": 16, "layers": 2, "projection_dim": 12}
    convert(card_of(name), [path], tmp_path / "converted", sizes=sizes, say=said.append)
    assert f"{file}: 1 x program (TorchScript) is no data and was passed over" in said
    assert torch.equal(text_encoder(name, tmp_path / "converted").encode(TEXTS).values, found)


def write_t5(folder) -> SentenceT5:
    torch.manual_seed(0)
    network = SentenceT5(vocabulary=12, width=16, layers=2, heads=2, head_width=4, feed_forward=24, output_dim=6)
    state = {}
    for key, tensor in network.state_dict().items():
        for ours, theirs in (
            ("token_embedding", "shared"), ("final_norm", "encoder.final_layer_norm"),
            ("relative_bias.table", "encoder.block.0.layer.0.SelfAttention.relative_attention_bias"),
            ("blocks.", "encoder.block."), (".out.", ".layer.0.SelfAttention.o."), (".query.", ".layer.0.SelfAttention.q."),
            (".key.", ".layer.0.SelfAttention.k."), (".value.", ".layer.0.SelfAttention.v."),
            (".attention_norm", ".layer.0.layer_norm"), (".feed_forward_norm", ".layer.1.layer_norm"),
            (".widen", ".layer.1.DenseReluDense.wi"), (".narrow", ".layer.1.DenseReluDense.wo"),
        ):  # fmt: skip
            key = key.replace(ours, theirs)
        if key != "dense.weight":
            state[key] = tensor
    (folder / "2_Dense").mkdir(parents=True)
    save_file(state, folder / "model.safetensors")
    save_file({"linear.weight": network.dense.weight.detach()}, folder / "2_Dense" / "model.safetensors")
    pieces = [
        ("<pad>", 0.0),
        ("</s>", 0.0),
        ("<unk>", 0.0),
        *((f"\u2581{word}", -1.0) for word in ["a", "person", "walks"]),
    ]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer.save(str(folder / "tokenizer.json"))
    return network.eval()


def test_sentence_t5_gives_unit_vectors(tmp_path):
    network = write_t5(tmp_path / "t5")
    encoder = text_encoder("sentence-t5-large", tmp_path / "t5", offline=True)
    features = encoder.encode(["a person walks", "", "walks"])
    assert features.values.shape == (3, 1, 6)
    torch.testing.assert_close(features.values.norm(dim=-1), torch.ones(3, 1))
    with torch.no_grad():
        alone = network(torch.tensor([[5, 1]]), torch.ones(1, 2, dtype=torch.bool))
    torch.testing.assert_close(features.values[2], alone)
    (tmp_path / "t5" / "tokenizer.json").write_text("{}")
    with pytest.raises(WeightsError, match=r"tokenizer\.json is no tokeniser"):
        text_encoder("sentence-t5-large", tmp_path / "t5", offline=True)


def write_glove(folder) -> np.ndarray:
    words = ["sos", "eos", "unk", "a", "man", "walk", "left"]
    vectors = np.random.default_rng(0).normal(size=(len(words), 5))
    folder.mkdir()
    np.save(folder / "our_vab_data.npy", vectors)
    for name, value in (("words", words), ("idx", {word: i for i, word in enumerate(words)})):
        (folder / f"our_vab_{name}.pkl").write_bytes(pickle.dumps(value))
    return vectors.astype(np.float32)


def test_glove_reads_tagged_captions(tmp_path):
    vectors = write_glove(tmp_path / "glove")
    encoder = text_encoder("glove", tmp_path / "glove", offline=True)
    assert isinstance(encoder, GloVe)
    words, tags, lengths = encoder.words(["a/DET man/NOUN walk/VERB left/ADV oddly/ADV", "man/X " * 30])
    assert (words.shape, tags.shape, lengths.tolist()) == ((2, 22, 5), (2, 22, 15), [7, 22])
    assert words[0, :8].numpy().tolist() == vectors[[0, 3, 4, 5, 6, 2, 1, 2]].tolist()
    named = [TAGS[i] for i in tags[0].argmax(-1)]
    # A word with a tag of its own keeps it; an unknown word, and an unknown tag, are OTHER.
    assert named[:8] == ["OTHER", "DET", "NOUN", "Act_VIP", "Loc_VIP", "OTHER", "OTHER", "OTHER"]
    assert TAGS[int(tags[1, 1].argmax())] == "OTHER"
    features = encoder.encode(["a/DET man/NOUN"])
    assert features.values.shape == (1, 22, encoder.width)
    assert features.valid_mask.sum() == 4
    for wrong in ("a man", "a//DET"):
        with pytest.raises(DataError, match="word/TAG"):
            encoder.words([wrong])
    (tmp_path / "glove" / "our_vab_idx.pkl").write_bytes(pickle.dumps({"sos": 99}))
    with pytest.raises(WeightsError, match="do not belong together"):
        text_encoder("glove", tmp_path / "glove")


class Word:
    def __init__(self, text: str, lemma: str, tag: str) -> None:
        self.text, self.lemma_, self.pos_ = text, lemma, tag


def test_free_text_is_tagged_as_the_caption_files_were():
    said = []

    def parser(text: str) -> list[Word]:
        said.append(text)
        return [
            Word("walks", "walk", "VERB"), Word("left", "leave", "VERB"), Word("two", "two", "NUM"),
            Word(".", ".", "PUNCT"), Word("steps", "step", "NOUN"),
        ]  # fmt: skip

    assert tagged("Walks LEFT two half-steps.", parser) == "walk/VERB left/VERB two/NUM step/NOUN"
    assert said == ["walks left two halfsteps."]


def test_without_spacy_tagging_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "spacy", None)
    with pytest.raises(RequestError, match="en_core_web_sm"):
        tagged("a man walks")


@pytest.mark.parametrize("name", PUBLISHED_ENCODERS)
@pytest.mark.parametrize("offline", [True, False])
def test_without_files_it_says_what_to_fetch_and_where_it_goes(name, offline, tmp_path):
    files = PUBLISHED_ENCODERS[name].files
    with pytest.raises(WeightsError) as caught:
        text_encoder(name, offline=offline)
    message = str(caught.value)
    assert files.source in message
    assert str(tmp_path / "own" / "encoders" / name) in message
    assert all(names[0] in message for names in files.needed)
    with pytest.raises(WeightsError, match="nowhere"):
        text_encoder(name, tmp_path / "nowhere", offline=offline)


def test_offline_never_asks_the_hub(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(EncoderFiles, "_from_hub", lambda self, names, download: asked.append(download))
    with pytest.raises(WeightsError, match="offline"):
        text_encoder(CLIP[0], offline=True)
    assert asked == [False]


def test_a_hub_that_does_not_answer_is_given_up_soon(monkeypatch):
    def silent(*_, **__):
        time.sleep(0.5)
        raise OSError("timed out")

    monkeypatch.setattr("urllib.request.urlopen", silent)
    start = time.monotonic()
    assert not hub_answers(0.1)
    assert time.monotonic() - start < 0.4


def test_wrong_names_and_files_are_named(tmp_path):
    with pytest.raises(RequestError, match="did you mean clip-vit-base-patch32"):
        text_encoder("clip-vit-base-patch16")
    (tmp_path / "model.safetensors").write_bytes(b"cut off")
    with pytest.raises(WeightsError, match=r"model\.safetensors cannot be read"):
        text_encoder(CLIP[0], tmp_path)
    save_file({"text_model.strange": torch.ones(2)}, tmp_path / "model.safetensors")
    with pytest.raises(WeightsError, match="strange"):
        text_encoder(CLIP[0], tmp_path)
    assert published.WEIGHTS[0] == "model.safetensors"


@pytest.mark.parametrize("name", ["clip-vit-base-patch32", "sentence-t5-large"])
def test_names_and_shapes_in_a_file_ask_for_no_memory(name, tmp_path):
    if name.startswith("clip"):
        state = {
            "token_embedding.weight": torch.ones(4, 2),
            "transformer.resblocks.900000000.ln_1.weight": torch.ones(2),
        }
        state["positional_embedding"] = torch.ones(1, 1).expand(1, 1 << 22)  # as wide as 16 bytes can say
    else:
        write_t5(tmp_path)
        (tmp_path / "model.safetensors").unlink()
        state = {
            "shared.weight": torch.ones(4, 1).expand(4, 1 << 22),
            "encoder.block.900000000.layer.0.x": torch.ones(2),
        }
    torch.save(state, tmp_path / "pytorch_model.bin")
    with pytest.raises(WeightsError, match=r"pytorch_model\.bin does not fit .*; fetch it again"):
        text_encoder(name, tmp_path)
    files = [tmp_path / "pytorch_model.bin"] * len(card_of(name).files)
    with pytest.raises(MotifmixError):
        convert(card_of(name), files, tmp_path / "out")


def test_a_converted_folder_is_an_encoder_too(tmp_path):
    write_clip(tmp_path / "published")
    expected = text_encoder(CLIP[0], tmp_path / "published").encode(TEXTS).values
    convert(card_of(CLIP[0]), [tmp_path / "published" / "model.safetensors"], tmp_path / "ours")
    assert torch.equal(text_encoder(CLIP[0], tmp_path / "ours", offline=True).encode(TEXTS).values, expected)
    with pytest.raises(WeightsError, match=f"holds {CLIP[0]}, not {CLIP[2]}"):
        text_encoder(CLIP[2], tmp_path / "ours")
    write_glove(tmp_path / "glove")
    captions = ["a/DET man/NOUN walk/VERB"]
    expected = text_encoder("glove", tmp_path / "glove").encode(captions).values
    convert(card_of("glove"), sorted((tmp_path / "glove").iterdir()), tmp_path / "words")
    assert torch.equal(text_encoder("glove", tmp_path / "words").encode(captions).values, expected)
