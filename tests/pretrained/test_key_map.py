import pytest
import torch
from torch import nn

from motifmix.errors import WeightsError
from motifmix.pretrained.maps.key_map import KeyMap, load_published


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2, 3), nn.Linear(3, 1)])
        self.register_buffer("table", torch.arange(4.0))


def published() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    state = {"net.0.w": torch.randn(3, 2), "net.0.b": torch.randn(3), "net.1.w": torch.randn(1, 3)}
    return {**state, "net.1.b": torch.randn(1), "ema.decay": torch.tensor(0.9)}


MAP = KeyMap(
    renames=[(r"net\.(\d)\.w", r"layers.\1.weight"), (r"net\.(\d)\.b", r"layers.\1.bias"), ("pe", "table")],
    dropped={r"ema\..*": "the average's own state"},
    computed=["table"],
)


def test_every_tensor_finds_its_place_with_and_without_the_fixed_table():
    network = Small()
    report = load_published(network, published(), MAP)
    assert (report.loaded, report.computed, list(report.dropped)) == (4, ("table",), ["ema.decay"])
    assert torch.equal(network.layers[0].weight, published()["net.0.w"])
    report = load_published(network, {**published(), "pe": torch.full((4,), 7.0)}, MAP)
    assert report.computed == ()
    assert torch.equal(network.table, torch.full((4,), 7.0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extra": torch.zeros(1)}, "1 unknown: extra"),
        ({"net.0.w": None}, r"1 missing: layers\.0\.weight"),
        ({"net.2.w": torch.zeros(1)}, r"1 unknown: layers\.2\.weight"),
        ({"net.0.b": torch.zeros(4)}, r"1 of another shape: layers\.0\.bias \(\[4\], expected \[3\]\)"),
        ({"net.0.b": torch.full((3,), torch.nan)}, r"1 not finite: layers\.0\.bias"),
    ],
)
def test_what_does_not_fit_is_named_and_changes_nothing(change, message):
    network = Small()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = {name: value for name, value in {**published(), **change}.items() if value is not None}
    with pytest.raises(WeightsError, match=message):
        load_published(network, state, MAP)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_steps_split_and_merge_and_two_claims_are_refused():
    def cut(tensors):
        whole = tensors.pop("both.weight")
        return {**tensors, "layers.0.weight": whole[:3], "layers.1.weight": whole[3:, :1].reshape(1, 1).expand(1, 3)}

    joined = KeyMap(renames=[("both", "both.weight"), *MAP.renames], computed=["table"], steps=[cut])
    state = {"both": torch.arange(8.0).reshape(4, 2), "net.0.b": torch.zeros(3), "net.1.b": torch.zeros(1)}
    network = Small()
    load_published(network, state, joined)
    assert network.layers[0].weight[2, 1] == 5.0
    with pytest.raises(WeightsError, match="both claim the place"):
        KeyMap(renames=[(r"a|b", "c")]).apply({"a": torch.zeros(1), "b": torch.zeros(1)})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("pe", torch.arange(4), r"1 of another kind of number: table \(integer, expected floating\)"),
        ("pe", torch.ones(4, dtype=torch.bool), r"table \(bool, expected floating\)"),
        ("pe", torch.ones(4, dtype=torch.complex64), r"table \(complex, expected floating\)"),
        ("ids", torch.arange(4.0), r"ids \(floating, expected integer\)"),
        ("ids", torch.arange(4, dtype=torch.int32), None),
        ("pe", torch.ones(4, dtype=torch.float64), None),
        ("pe", torch.ones(4).to(torch.float8_e4m3fn), None),
    ],
)
def test_weights_keep_their_kind_of_number_in_any_precision(name, value, message):
    network = Small()
    network.register_buffer("ids", torch.arange(4))
    state = {**published(), "pe": torch.ones(4), "ids": torch.arange(4), name: value}
    both = KeyMap([*MAP.renames, ("ids", "ids")], MAP.dropped)
    if message is None:
        assert load_published(network, state, both).loaded == 6
    else:
        with pytest.raises(WeightsError, match=message):
            load_published(network, state, both)
