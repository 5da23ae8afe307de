"""The other stylisation tables, and the pictures beside them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from motifmix.drawing.charts import interval_chart
from motifmix.errors import RequestError
from motifmix.evaluation import styled_ablation, styled_transfer
from motifmix.evaluation.styled_ablation import POINTS, ablation, operating_point
from motifmix.evaluation.styled_curves import draw_curves, timing
from motifmix.evaluation.styled_studies import efficiency, text_style
from motifmix.evaluation.styled_transfer import transfer
from motifmix.home import PACKAGE_WEIGHTS
from motifmix.pipelines.baselines.registry import Transfer
from motifmix.pipelines.sampling import Sampling
from motifmix.pretrained.judges import load_judge

from .test_stylization import Styled, bench, home, judges, registry, sets

__all__ = ["home", "judges", "sets"]


class Settable(Styled):
    """Has settings, and keeps those that it was asked with; a gamma of 1 is none of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.options: list[dict] = []

    def generate(self, texts, *, styles=None, seconds=None, seeds=None, clean_feet=True, **options):
        if options.get("gamma") == 1.0:
            raise RequestError("no such gamma")
        self.options.append(options)
        return super().generate(texts, styles=styles, seconds=seconds, seeds=seeds, clean_feet=clean_feet)


def test_words_are_asked_in_every_kind_and_a_method_without_words_is_left_out(home, sets, judges):
    made: dict[str, Styled] = {}
    study = text_style(bench(home, sets, judges, made), "motifmix evaluate text-style")
    keys = {row.key for table in study.tables for row in table.rows}
    assert {"ours-word", "ours-labels", "ours-phrase", "ours-held_out", "ours-description", "floor-word"} <= keys
    assert not {key for key in keys if key.startswith("absent")}  # it reads motions only
    said = [style for style in made["ours"].styles if isinstance(style, str)]
    assert "elderly" in said and any(style.startswith("elderly, ") for style in said)
    assert any(len(style.split()) >= 12 for style in said)


def test_efficiency_says_sizes_and_seconds_side_by_side(home, sets, judges):
    made: dict[str, Styled] = {}
    study = efficiency(bench(home, sets, judges, made), "motifmix evaluate efficiency")
    rows = {row.key: row for table in study.tables[:2] for row in table.rows}
    assert rows["ours"].figures["total"].mean == 100 and rows["ours"].figures["trained"].mean == 10
    assert rows["ours"].figures["alone"].mean > 0 and rows["absent"].lack
    assert made["ours"].asked == made["floor"].asked


def test_recordings_are_carried_and_the_untouched_ones_stand_beside(home, sets, judges, monkeypatch):
    carried: list[int] = []

    def turned(path: Path):
        def work(motions, styles):
            carried.extend(motion.frames for motion in motions)
            return [motion.moved(np.array([1.0, 0.0, 0.0])) for motion in motions]

        return work

    untouched = styled_transfer.TRANSFERS[0]
    ours = Transfer("ours", "ours", "frozen", ("motion",), ("weights-a",), ("recipes/a.yaml",), turned)
    absent = replace(ours, key="absent", folders=("weights-c",))
    monkeypatch.setattr(styled_transfer, "TRANSFERS", (untouched, ours, absent))
    study = transfer(bench(home, sets, judges, {}), "motifmix evaluate transfer")
    rows = {row.key: row for row in study.tables[0].rows}
    assert rows["absent"].lack and rows["untouched"].reference
    # A judge reads how a body moves, not where it stands: what was only moved is what it was.
    assert rows["ours"].figures["sra"].mean == rows["untouched"].figures["sra"].mean
    before = len(carried)
    transfer(bench(home, sets, judges, {}), "motifmix evaluate transfer")
    assert before == len(carried) > 100


def test_the_operating_point_is_found_without_the_judge_that_scores(home, sets, judges):
    made: dict[str, Styled] = {}
    table = bench(home, sets, judges, made)
    point = operating_point(table, table.methods["ours"], load_judge("select", judges))
    assert point == POINTS[0]  # nobody recognises fidgeting
    trained = {c.id for c in sets[0].clips if c.split == "train"}
    assert {style.labels["clip"] for style in made["ours"].styles} <= trained
    with pytest.raises(Exception, match="has the role 'score'"):
        operating_point(table, table.methods["ours"], load_judge("score", judges))


def test_the_ablation_has_its_groups_and_says_what_cannot_be_set(home, sets, judges, monkeypatch):
    made: dict[str, Settable] = {}
    methods = registry(made)  # type: ignore[arg-type]
    ours = replace(
        methods["ours"], key="stylemotif", title="StyleMotif", assemble=lambda path: made.setdefault("s", Settable())
    )
    methods = {"unstyled": methods["floor"], "stylemotif": ours}
    monkeypatch.setattr(styled_ablation, "RETRIEVED", {})
    monkeypatch.setattr(styled_ablation, "ABLATIONS", {"way of fusing": (ours, replace(ours, folders=("weights-c",)))})
    study = ablation(bench(home, sets, judges, made, registry=methods), "motifmix evaluate ablation")  # type: ignore[arg-type]
    tables = {table.title: {row.title: row for row in table.rows} for table in study.tables}
    assert "weights-c missing" in tables["The way of fusing"]["StyleMotif"].lack
    gammas = tables["StyleMotif: gamma, set when it is used"]
    assert gammas["gamma = 1"].lack == "no such gamma" and "sra" in gammas["gamma = 0.6"].figures
    same = tables["StyleMotif: the reference's content (style set)"]
    assert set(same) == {"a reference of another content", "a reference of the same content"}
    assert {"style_scale", "gamma", "gradient"} <= {name for options in made["s"].options for name in options}


def test_a_row_that_another_table_asks_too_is_asked_once(home, sets, judges):
    table = bench(home, sets, judges, {})
    ours = table.methods["ours"]
    assert styled_ablation._known(table, replace(ours, key="row", options={"steps": Sampling.steps})) is ours
    assert styled_ablation._known(table, replace(ours, key="row", guided_by=())).key == "row"
    assert styled_ablation._known(table, replace(ours, key="row", options={"gamma": 0.6})).key == "row"
    card = (PACKAGE_WEIGHTS / "default" / "denoiser.yaml").read_text("utf-8")  # trained with 0.6
    (home / "weights-b" / "denoiser.yaml").write_text(card, "utf-8")
    assert styled_ablation._known(table, replace(ours, key="row", options={"gamma": 0.6})) is ours
    assert styled_ablation._known(table, replace(ours, key="row", options={"gamma": 0.4})).key == "row"


def test_curves_of_runs_are_drawn_where_there_are_any(home, tmp_path):
    run = home / "runs" / "ours"
    run.mkdir(parents=True)
    lines = [json.dumps({"step": step, "loss": 1.0 / step, "seconds": step}) for step in (1, 2, 3)]
    (run / "curve.jsonl").write_text("\n".join(lines) + '\n{"step": 4, "lo')  # being written
    methods = registry({})
    method = replace(methods["ours"], runs=("ours", "none"))
    drawn = draw_curves(home, method.runs, tmp_path, "table")
    assert [path.name for path in drawn.values()] == ["table_curve_ours.png"] and Image.open(
        *drawn.values()
    ).width > 300


def test_a_run_that_went_on_is_timed_in_all_its_parts(tmp_path):
    def run(name: str, *lines: dict[str, float]) -> Path:
        (tmp_path / name).mkdir()
        (tmp_path / name / "curve.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
        return tmp_path / name

    steps = ({"step": 10, "seconds": 30.0}, {"step": 20, "seconds": 40.0}, {"step": 30, "seconds": 20.0})
    interrupted = timing(run("interrupted", *steps))
    assert interrupted is not None
    assert (interrupted.steps, interrupted.clock, interrupted.processor) == (30, 60.0, None)
    assert interrupted.fastest == pytest.approx(30.0)  # a second a step between the first two lines
    counted = timing(run("counted", *({**line, "processor": line["step"] / 2} for line in steps[:2])))
    assert counted is not None and counted.processor == 10.0
    assert timing(tmp_path / "never begun") is None


def test_bars_are_as_long_as_what_they_show(tmp_path):
    panels = [("share", {"half": (0.5, 0.1), "whole": (1.0, float("nan"))})]
    picture = np.asarray(Image.open(interval_chart(panels, tmp_path / "bars.png"))).astype(int)
    lengths = [
        np.abs(picture - np.array(colour)).sum(axis=2).min(axis=0) < 40 for colour in ((54, 110, 160), (206, 106, 68))
    ]
    half, whole = (int(row.sum()) for row in lengths)
    assert whole == pytest.approx(2 * half, rel=0.05)


def test_a_picture_of_a_curve_that_is_gone_stands_as_it_was_drawn(tmp_path):
    earlier, now = tmp_path / "earlier", tmp_path / "now"
    earlier.mkdir(), now.mkdir()
    (earlier / "table_curve_gone.png").write_bytes(b"picture")
    drawn = draw_curves(tmp_path, ["gone", "never"], now, "table", earlier=earlier)
    assert drawn == {"training of gone": now / "table_curve_gone.png"}
    assert (now / "table_curve_gone.png").read_bytes() == b"picture"
    assert (
        draw_curves(tmp_path, ["gone"], now, "table", earlier=now) == drawn
        and draw_curves(tmp_path, ["gone"], tmp_path, "table") == {}
    )
