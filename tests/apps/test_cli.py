"""What all commands share: a quick start, one line for a mistake, tidy ends."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import motifmix
from motifmix.files import write

COMMANDS = [
    "generate",
    "convert",
    "styles",
    "batch",
    "train",
    "evaluate",
    "bench",
    "data",
    "data prepare",
    "data describe",
]


def started(*arguments: str, **options) -> subprocess.Popen:
    # A shell's background job ignores Ctrl-C and hands that down; a person's terminal does not, so neither does this.
    return subprocess.Popen(
        [sys.executable, "-m", "motifmix", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL), **options,
    )  # fmt: skip


def test_help_and_mistakes_start_without_anything_heavy():
    code = (
        "import json, sys; from motifmix.apps.cli.main import main\n"
        "for words in ['--help'], ['generate', '--help'], ['--version'], ['nonsense']: main(words)\n"
        "heavy = {'numpy', 'torch', 'scipy', 'av', 'PIL', 'yaml', 'tokenizers', 'safetensors'}\n"
        "print(json.dumps(sorted(heavy & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_the_default_model_loads_without_the_compiler_of_torch():
    code = (
        "import json, sys, motifmix; motifmix.load()\n"
        "print(json.dumps(sorted({'torch._dynamo', 'sympy', 'transformers', 'diffusers'} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_the_module_and_the_script_are_one_command():
    process = started("--version")
    out, err = process.communicate()
    assert (process.returncode, out, err) == (0, f"motifmix {motifmix.__version__}\n", "")


def test_without_a_command_the_commands_are_listed(run):
    for words in [[], ["--help"], ["-h"]]:
        done = run(*words)
        assert done.code == 0 and done.err == ""
        assert all(command in done.out for command in COMMANDS if " " not in command)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(run, command):
    done = run(*command.split(), "--help")
    assert done.code == 0 and "Usage" in done.out and done.err == ""


@pytest.mark.parametrize(
    "words", [["nonsense"], ["--nonsense"], ["data", "nonsense"], ["train"], ["data", "prepare", "dogs"]]
)
def test_a_slip_costs_one_line(run, words):
    done = run(*words)
    assert done.code == 2 and done.out == "" and len(done.lines) == 1 and done.err.startswith("motifmix: ")


def test_public_names_are_there_and_others_are_not():
    assert set(motifmix.__all__) <= set(dir(motifmix))
    for name in ("MOTIFMIX", "Motion", "MotifmixError", "Scene", "Skeleton", "read", "write"):
        assert getattr(motifmix, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        _ = motifmix.nonsense


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_film_that_is_interrupted_leaves_nothing(here, walk, sent, code):
    write("long.npz", walk(60.0))
    process = started("convert", "long.npz", "long.mp4", cwd=here)
    deadline = time.monotonic() + 60
    while len(os.listdir(here)) < 2 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    assert len(os.listdir(here)) == 2  # the clip, and the film that is being written beside its target
    process.send_signal(sent)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code and "Traceback" not in err
    assert os.listdir(here) == ["long.npz"]


def test_a_reader_that_goes_away_is_no_mistake(here, walk):
    write("in.npz", walk(1.0))
    process = started("convert", "in.npz", *(f"out{n}.npz" for n in range(20)), cwd=here)
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate(timeout=60)
    assert "Traceback" not in err and "Exception" not in err
    assert Path("out0.npz").exists()


def test_a_console_without_the_letters_of_a_name_is_no_obstacle(here, walk):
    write("in.npz", walk(1.0))
    process = started("convert", "in.npz", "歩く.npz", cwd=here, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and out == "\\u6b69\\u304f.npz\n" and "Traceback" not in err
    assert Path("歩く.npz").exists()
