"""`motifmix styles`: the list, and the film of it."""

from types import SimpleNamespace


def test_styles_and_contents_are_listed_with_clips_and_synonyms(run, pipeline, here):
    done = run("styles")
    assert done.code == 0 and done.err == ""
    lines = [line.split() for line in done.out.splitlines()]
    assert ["elderly", "275", "old,", "aged"] in lines and ["walk", "188", "a", "person", "walks"] in lines
    assert not pipeline.calls


def test_a_film_shows_every_style(run, pipeline, here, monkeypatch, walk):
    import av

    pipeline.styles = [SimpleNamespace(name=name, clips=1, synonyms=()) for name in ("old", "happy", "sad")]
    monkeypatch.setattr("motifmix.apps.cli.styles.SECONDS", 0.5)
    done = run("styles", "--out", "styles.mp4")
    assert done.code == 0 and done.out.splitlines()[-1] == "styles.mp4"
    assert pipeline.calls[0].styles == ["old", "happy", "sad"] and len(set(pipeline.calls[0].seeds)) == 1
    with av.open("styles.mp4") as film:
        pictures = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(pictures) == 10 and pictures[0].shape == (256, 768, 3)
    again = run("styles", "--out", "styles.mp4")
    assert again.code == 2 and "--force" in again.err
    assert run("styles", "--out", "styles.txt").code == 2
