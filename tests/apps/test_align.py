"""`motifmix align` refuses at once what it would pass over in silence."""

import pytest

from motifmix.apps.cli.main import main


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["align", "--encoder", "nobody"], "no encoder of pictures and sounds is called 'nobody'"),
        (["align", "--examples", "folder"], "--examples belongs to --check"),
        (["align", "--check"], "--examples"),
    ],
)
def test_mistakes_are_one_sentence(capsys, tmp_path, monkeypatch, words, said):
    monkeypatch.setenv("MOTIFMIX_HOME", str(tmp_path))
    assert main(words) == 2
    err = capsys.readouterr().err
    assert said in err and len(err.splitlines()) == 1 and not list(tmp_path.iterdir())
