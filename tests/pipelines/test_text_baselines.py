"""The base alone, and the base told a style in its text: by templates, and by a language model on a local server."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from pydantic import SecretStr

from motifmix.data.labels import STYLES
from motifmix.errors import RequestError
from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot
from motifmix.pipelines.baselines.language_model import Endpoint, LanguageModel
from motifmix.pipelines.baselines.registry import METHODS, with_language_model
from motifmix.pipelines.baselines.rewritten import Rewritten, _templates, template_sentence
from motifmix.pipelines.baselines.unstyled import Unstyled

WALK = "a person walks forward"
KEY = "sk-very-secret-0815"


def clip(**labels):
    rotations = np.tile(rot.IDENTITY, (24, 22, 1))
    return Motion(MOTIFMIX, rotations, np.tile([0.0, 0.93, 0.0], (24, 1)), 20.0, labels=labels)


def test_a_style_leaves_the_base_alone_as_it_is(model):
    (plain,) = model.generate([WALK], seconds=2.0, seeds=[3], steps=2)
    (asked,) = Unstyled(model).generate([WALK], [clip(style="old")], 2.0, [3], steps=2)
    assert np.array_equal(plain.rotations, asked.rotations) and "style" not in asked.labels
    total, trained = Unstyled(model).parameters()
    assert trained == 0 and total == sum(
        p.numel() for part in (model.vae, model.denoiser.denoiser, model.length_predictor) for p in part.parameters()
    )


def test_every_style_has_a_template():
    assert set(_templates()) == set(STYLES)


@pytest.mark.parametrize(
    ("text", "style", "begins", "ends"),
    [
        (WALK, "old", "an old person walks forward, ", "small shuffling steps"),
        ("A person waves.", "elderly", "an old person waves, ", "small shuffling steps"),
        (WALK, "normal", WALK, "forward"),
        (WALK, "upbeat-ish", "an upbeat-ish person walks forward", "forward"),
        (WALK, "like a cat on hot stones", "a person walks forward, like a cat", "hot stones"),
        ("walking in a circle", "proud", "walking in a circle, upright", "chin up"),
        ("walking in a circle", "limping", "walking in a circle, like a limping", "person"),
    ],
)
def test_templates_write_the_style_into_the_text(text, style, begins, ends):
    sentence = template_sentence(text, style)
    assert sentence.startswith(begins) and sentence.endswith(ends)


def test_the_base_hears_the_sentence_and_the_labels_keep_what_was_asked(model):
    pipeline = Rewritten(model)
    made = pipeline.generate([WALK, WALK, WALK], ["old", None, clip(style="old")], 2.0, [1, 1, 1], steps=2)
    (heard,) = model.generate([template_sentence(WALK, "old")], seconds=2.0, seeds=[1], steps=2)
    assert np.allclose(made[0].rotations, heard.rotations, atol=1e-5)
    assert np.array_equal(made[0].rotations, made[2].rotations)
    assert not np.allclose(made[0].rotations, made[1].rotations, atol=1e-3)
    assert made[0].labels["text"] == WALK and made[0].labels["style"] == "old"
    assert made[0].labels["rewritten"] == template_sentence(WALK, "old") and "rewritten" not in made[1].labels
    assert pipeline.parameters()[1] == 0


@pytest.mark.parametrize("style", [clip(), [("old", 1.0), ("happy", 1.0)]])
def test_a_style_without_words_is_refused(model, style):
    with pytest.raises(RequestError, match="writes the style into the text"):
        Rewritten(model).generate([WALK], [style])


@pytest.fixture
def server():
    """A server that answers as ``server.answer`` says and remembers what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            running.seen.append((self.path, dict(self.headers), asked))
            status, body, headers, wait = running.answer
            time.sleep(wait)
            try:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:  # who asked did not wait
                pass

        def log_message(self, *_):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.seen, running.answer = [], reply("An old person walks forward slowly.")
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()


def reply(content=None, status=200, headers=None, body=None, wait=0.0):
    data = json.dumps({"choices": [{"message": {"content": content}}]}).encode() if body is None else body
    return status, data, headers or {}, wait


def asking(server, model="tiny", **more):
    return LanguageModel(
        Endpoint(base_url=f"http://127.0.0.1:{server.server_port}/v1/", model=model, key=SecretStr(KEY), **more)
    )


def test_the_model_is_asked_once_a_pair_with_the_key_in_one_header(server):
    ask = asking(server)
    assert ask(WALK, "old") == ask(WALK, "old") == "An old person walks forward slowly."
    ((path, headers, asked),) = server.seen
    assert path == "/v1/chat/completions" and headers["Authorization"] == f"Bearer {KEY}"
    assert asked["model"] == "tiny" and WALK in asked["messages"][-1]["content"]
    assert "old" in asked["messages"][-1]["content"]
    assert KEY not in repr(ask.endpoint) and KEY not in str(vars(ask))


def test_tables_get_a_row_of_the_model_beside_that_of_the_templates(server, weights):
    writer = asking(server)
    rows = with_language_model(writer)
    key = list(rows)[list(rows).index("rewritten") + 1]
    assert set(rows) - set(METHODS) == {key} and rows["rewritten"] is METHODS["rewritten"]
    assert "by templates" in rows["rewritten"].title and rows[key].title.endswith("by tiny")
    assert rows[key].key == key != f"rewritten-{asking(server, model='other').fingerprint}"  # no answers are shared
    (motion,) = rows[key].assemble(weights).generate([WALK], ["old"], 2.0, [0], steps=2)
    assert motion.labels["rewritten"] == "An old person walks forward slowly." and len(server.seen) == 1


def test_a_pipeline_takes_the_model_for_its_rewriter(server, model):
    (motion,) = Rewritten(model, asking(server)).generate([WALK], ["old"], 2.0, [0], steps=2)
    assert motion.labels["rewritten"] == "An old person walks forward slowly."


def test_quotation_marks_and_further_lines_are_left_out(server):
    server.answer = reply('\n"A proud person walks."\nI hope this helps!')
    assert asking(server)(WALK, "proud") == "A proud person walks."


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (reply(status=401, body=KEY.encode()), "error 401; check the key"),
        (reply(status=500, body=b"oops"), "error 500"),
        (reply(status=302, headers={"Location": "http://127.0.0.1:9/elsewhere"}), "error 302"),
        (reply(body=b"<html>"), "no JSON"),
        (reply(body=b"[" * 100_000), "no JSON"),
        (reply(body=b"[]"), "holds no sentence"),
        (reply(body=b'{"choices": []}'), "holds no sentence"),
        (reply("  \n "), "holds no sentence"),
        (reply("word " * 500), "no short sentence"),
        (reply("a person \x1b[2J walks"), "no short sentence"),
        (reply(body=b" " * 1_200_000), "longer than"),
        (reply("late", wait=1.0), "no answer within 0.3 seconds"),
    ],
)
def test_a_wrong_answer_is_one_clear_sentence_without_the_key(server, answer, said):
    server.answer = answer
    with pytest.raises(RequestError, match=said) as caught:
        asking(server, seconds=0.3)(WALK, "old")
    assert KEY not in str(caught.value) and "\n" not in str(caught.value) and len(server.seen) == 1


def test_a_server_that_is_not_there_is_named():
    with pytest.raises(RequestError, match=r"127\.0\.0\.1:9/v1.*cannot be reached"):
        LanguageModel(Endpoint(base_url="http://127.0.0.1:9/v1", model="tiny"))(WALK, "old")


def test_the_endpoint_is_read_from_a_file(tmp_path, server):
    path = tmp_path / "model.yaml"
    path.write_text(f"base_url: http://127.0.0.1:{server.server_port}/v1\nmodel: tiny\nkey: {KEY}\nseconds: 5\n")
    assert LanguageModel.from_file(path)(WALK, "old") == "An old person walks forward slowly."


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("model: tiny\n", "base_url"),
        (f"base_url: ftp://x/v1\nmodel: t\nkey: {KEY}\n", "base_url"),
        (f"base_url: http://user:hunter2@host/v1\nmodel: t\nkey: {KEY}\n", "base_url"),
        (f"base_url: http://x/v1\nmodel: t\nkey: [{KEY}]\n", "key"),
        (f"base_url: http://x/v1\nmodel: t\nkeys: {KEY}\n", "keys"),
        (f"- {KEY}\n", "the whole file"),
        (f'key: "{KEY}\n', "no YAML"),
    ],
)
def test_a_wrong_file_is_named_with_its_field_but_never_its_key(tmp_path, content, said):
    path = tmp_path / "model.yaml"
    path.write_text(content)
    with pytest.raises(RequestError, match=said) as caught:
        LanguageModel.from_file(path)
    assert KEY not in str(caught.value) and "hunter2" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RequestError, match="nowhere"):
        LanguageModel.from_file(tmp_path / "nowhere.yaml")
