"""Files of others: data come out as torch would read them, and nothing that a file names is ever called."""

import argparse
import builtins
import contextlib
import io
import os
import pathlib
import pickle
import pickletools
import struct
import subprocess
import zipfile
from collections import OrderedDict, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from motifmix.errors import FileError
from motifmix.pretrained.pickle_machine import Placeholder
from motifmix.pretrained.safe_reading import read_safely, state_dict

PROTOCOLS = range(6)


def weights() -> "OrderedDict[str, torch.Tensor]":
    generator = torch.Generator().manual_seed(0)
    base = torch.randn(4, 6, generator=generator)
    return OrderedDict(
        plain=base,
        turned=base.t(),  # the same storage, other strides
        part=base[1:3, 2:],
        half=base.half(),
        brain=base.bfloat16(),
        double=base.double(),
        whole=torch.arange(5),
        truth=torch.tensor([True, False]),
        number=torch.tensor(3.5),
        nothing=torch.zeros(0, 3),
        repeated=torch.ones(1).expand(3, 4),
        learned=torch.nn.Parameter(torch.ones(2)),
    )


def saved(path: Path, content: Any, **options: Any) -> Path:
    torch.save(content, path, **options)
    return path


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "older stream"])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_tensors_come_out_as_they_were_saved(tmp_path: Path, zipped: bool, protocol: int):
    options = {"_use_new_zipfile_serialization": zipped, "pickle_protocol": protocol}
    path = saved(tmp_path / "file.ckpt", {"state_dict": weights(), "epoch": 7}, **options)
    tensors, others = state_dict(read_safely(path))
    assert others == {}
    expected = weights()
    assert list(tensors) == list(expected)
    for name, tensor in expected.items():
        assert tensors[name].dtype == tensor.dtype
        assert torch.equal(tensors[name], tensor), name


def test_a_flat_state_dict_and_one_under_other_names(tmp_path: Path):
    flat = saved(tmp_path / "flat.pt", weights())
    assert len(state_dict(read_safely(flat))[0]) == 12
    # text-to-motion's evaluators: one file, several state dicts, counters and an optimiser beside them
    network = torch.nn.Linear(3, 2)
    optimiser = torch.optim.Adam(network.parameters())
    network(torch.ones(1, 3)).sum().backward()
    optimiser.step()
    several = {"text_encoder": network.state_dict(), "opt": optimiser.state_dict(), "epoch": np.int64(4)}
    file = read_safely(saved(tmp_path / "finest.tar", several))
    tensors, _ = state_dict(file, ("text_encoder",))
    assert torch.equal(tensors["weight"], network.weight)
    assert file.content["opt"]["state"][0]["exp_avg"].shape == (2, 3)
    assert file.content["epoch"] == 4
    with pytest.raises(FileError, match="holds no 'movement_encoder'; it holds 3 entries"):
        state_dict(file, ("movement_encoder",))


class DictConfig:  # as omegaconf's: its reduction names the class, its state is a dictionary
    def __init__(self) -> None:
        self._content = {"lr": 1e-4, "metadata": pathlib.PurePosixPath("/data")}


DictConfig.__module__, DictConfig.__qualname__ = "omegaconf.dictconfig", "DictConfig"


def pickled_as(value: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    import sys
    import types

    module = types.ModuleType("omegaconf.dictconfig")
    module.DictConfig = DictConfig  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "omegaconf", types.ModuleType("omegaconf"))
    monkeypatch.setitem(sys.modules, "omegaconf.dictconfig", module)
    return value


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "older stream"])
def test_configurations_beside_the_weights_are_dropped_and_named(
    tmp_path: Path, zipped: bool, monkeypatch: pytest.MonkeyPatch
):
    content = {
        "state_dict": weights(),
        "hyper_parameters": pickled_as(DictConfig(), monkeypatch),
        "args": argparse.Namespace(lr=1e-4, path=pathlib.Path("/mnt/author")),
        "folder": pathlib.Path("/mnt/author"),
        "best": np.float64(0.25),
        "history": np.arange(6, dtype=np.float32).reshape(2, 3),
        "counts": defaultdict(int, a=1),
        "callbacks": {argparse.Namespace: {"best_model_path": "x"}},  # Lightning once had classes as keys
    }
    path = saved(tmp_path / "file.ckpt", content, _use_new_zipfile_serialization=zipped)
    monkeypatch.undo()
    file = read_safely(path)
    folder = type(pathlib.Path("/")).__name__
    assert file.dropped == {
        "omegaconf.dictconfig.DictConfig": 1,
        "argparse.Namespace": 2,
        next(name for name in file.dropped if name.endswith(folder)): 1,
    }
    assert isinstance(file.content["args"], Placeholder)
    assert not hasattr(file.content["args"], "lr")
    assert file.content["best"] == 0.25
    assert file.content["history"].tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert file.content["counts"] == {"a": 1}
    tensors, others = state_dict(file)
    assert len(tensors) == 12
    assert others == {}


def test_what_stands_in_place_of_a_weight_is_named(tmp_path: Path):
    mixed = {**weights(), "plain": argparse.Namespace()}
    _, others = state_dict(read_safely(saved(tmp_path / "file.pt", mixed)))
    assert others == {"plain": "argparse.Namespace"}
    whole = saved(tmp_path / "whole.pt", argparse.Namespace())
    with pytest.raises(FileError, match=r"object of the class argparse\.Namespace, not a state dict"):
        state_dict(read_safely(whole))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_pickles_such_as_word_lists(tmp_path: Path, protocol: int):
    words = {"words": ["sos", "eos", "größe"], "ids": {"sos": 0, "eos": 1}, "set": {1, 2}, "frozen": frozenset("a")}
    words |= {"numbers": np.arange(4.0), "scalar": np.float32(2.5), "raw": b"\x00\xff", "big": 2**70, "less": -5}
    words |= {"order": np.asfortranarray(np.arange(6).reshape(2, 3)), "swapped": np.arange(3, dtype=">i4")}
    got = read_safely(written(tmp_path / "our_vab_words.pkl", pickle.dumps(words, protocol))).content
    assert got.keys() == words.keys()
    for name, value in words.items():
        assert np.array_equal(got[name], value), name
        assert type(got[name]) is type(value), name


def test_arrays_and_safetensors(tmp_path: Path):
    np.save(tmp_path / "data.npy", np.ones((3, 2), np.float32))
    assert state_dict(read_safely(tmp_path / "data.npy"))[0]["data"].shape == (3, 2)
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(FileError, match=r"objects.npy is no array of numbers"):
        read_safely(tmp_path / "objects.npy")
    from safetensors.torch import save_file

    save_file({"a": torch.ones(2)}, tmp_path / "a.safetensors")
    assert state_dict(read_safely(tmp_path / "a.safetensors"))[0]["a"].tolist() == [1.0, 1.0]


# Hostile files. Each tries to leave a trace; none may, whatever the wrapping.


class Calls:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> Any:
        return self.function, self.arguments


class SetsState:
    def __reduce__(self) -> Any:
        return Calls, (print,), {"function": os.system}


def attempts(trace: Path) -> dict[str, Any]:
    code = f"open({str(trace)!r}, 'w').close()"
    return {
        "os.system": Calls(os.system, f"touch {trace}"),
        "eval": Calls(builtins.eval, code),
        "exec": Calls(builtins.exec, code),
        "subprocess": Calls(subprocess.Popen, ["touch", str(trace)]),
        "open": Calls(builtins.open, str(trace), "w"),
        "getattr": Calls(builtins.getattr, Calls(builtins.__import__, "os"), "system"),
        "load": Calls(torch.load, str(trace)),
        "numpy load": Calls(np.load, str(trace)),
        "storage": Calls(torch.storage._load_from_bytes, pickle.dumps(Calls(os.system, f"touch {trace}"))),
        "compile": Calls(torch.compile, Calls(os.system, f"touch {trace}")),
        "state": SetsState(),
        "as a key": {(1, Calls(os.system, f"touch {trace}")): 1},
        "as arguments": Calls(OrderedDict, [("a", Calls(os.system, f"touch {trace}"))]),
        "as a factory": defaultdict(os.getcwd, a=Calls(os.system, f"touch {trace}")),
    }


@pytest.mark.parametrize("name", attempts(Path("x")))
@pytest.mark.parametrize("wrapping", ["zip", "older stream", "pickle"])
def test_nothing_that_a_file_names_is_called(tmp_path: Path, name: str, wrapping: str):
    trace = tmp_path / "trace"
    content = {"attempt": attempts(trace)[name], "state_dict": {"weight": torch.ones(2)}}
    path = tmp_path / "hostile.ckpt"
    if wrapping == "pickle":
        path.write_bytes(pickle.dumps({**content, "state_dict": {"weight": np.ones(2)}}))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=wrapping == "zip")
    file = read_safely(path)
    assert file.dropped
    assert state_dict(file)[0]["weight"].tolist() == [1.0, 1.0]
    assert not trace.exists()


def in_zip(path: Path, data_pkl: bytes, storages: dict[str, bytes] | None = None, **options: Any) -> Path:
    with zipfile.ZipFile(path, "w", **options) as archive:
        archive.writestr("archive/data.pkl", data_pkl)
        for key, data in (storages or {}).items():
            archive.writestr(f"archive/data/{key}", data)
    return path


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def number(value: int) -> bytes:
    return b"\x8a\x0a" + value.to_bytes(10, "little", signed=True)


def tensor_pickle(
    shape: bytes = b"(K\x02t",
    strides: bytes = b"(K\x01t",
    offset: int = 0,
    count: int = 2,
    storage: bytes | None = None,
) -> bytes:
    storage = (
        storage or b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + number(count) + b"tQ"
    )
    rebuilt = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(offset) + shape + strides + b"\x89}tR"
    return b"\x80\x02}" + text("weight") + rebuilt + b"s."


TWO = struct.pack("<2f", 1.0, 2.0)
ABUSE = {
    "shape beyond the storage": (tensor_pickle(b"(K\x03t"), "beyond its storage"),
    "offset beyond the storage": (tensor_pickle(offset=1), "beyond its storage"),
    "negative offset": (tensor_pickle(offset=-1), "absurd shape"),
    "stride beyond the storage": (tensor_pickle(strides=b"(K\x07t"), "beyond its storage"),
    "negative stride": (tensor_pickle(strides=b"(" + number(-1) + b"t"), "absurd shape"),
    "negative size": (tensor_pickle(b"(" + number(-2) + b"t"), "absurd shape"),
    "one element as many": (tensor_pickle(b"(" + number(2**40) + b"t", b"(K\x00t"), "far more memory"),
    "sizes that overflow": (tensor_pickle(b"(" + number(2**61) * 4 + b"t", b"(K\x00K\x00K\x00K\x00t"), "far more memory"),
    "no elements in an absurd shape": (
        tensor_pickle(b"(K\x00" + number(2**61) + number(2**61) + b"t", b"(K\x01K\x01K\x01t"),
        "makes no sense",
    ),
    "too many dimensions": (tensor_pickle(b"(" + b"K\x01" * 64 + b"t", b"(" + b"K\x00" * 64 + b"t"), "absurd shape"),
    "shape that is text": (tensor_pickle(text("ab")), "absurd shape"),
    "size other than stated": (tensor_pickle(count=3), "another size than stated"),
    "size negative": (tensor_pickle(count=-1), "absurd size"),
    "storage of no kind": (tensor_pickle(storage=text("x")), "without storage"),
    "reference to elsewhere": (tensor_pickle(storage=text("/etc/passwd") + b"Q"), "no storage"),
    "missing storage": (
        tensor_pickle(storage=b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("9") + text("cpu") + b"K\x02tQ"),
        "is missing",
    ),
    "path as storage": (
        tensor_pickle(storage=b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("../../x") + text("cpu") + b"K\x02tQ"),
        "is missing",
    ),
    "function as storage kind": (
        tensor_pickle(storage=b"(" + text("storage") + b"cos\nsystem\n" + text("0") + text("cpu") + b"K\x02tQ"),
        "unknown kind",
    ),
    "class whose name is no text": (b"\x80\x04K\x01K\x02\x93.", "name is no text"),
    "class from an empty stack": (b"\x80\x04\x93.", "what is not there"),
    "memo that was never filled": (b"\x80\x02j\xff\xff\xff\x7f.", "makes no sense"),
    "list as a key": (b"\x80\x02}]K\x01s.", "a key of the kind list"),
    "unknown operation": (b"\x80\x02\xfe.", "unknown operation"),
    "no end": (b"\x80\x02}", "ends in the middle"),
    "length beyond the end": (b"\x80\x02X\xff\xff\xff\x7fabc.", "ends in the middle"),
    "length beyond everything": (b"\x80\x04\x8d" + b"\xff" * 8 + b".", "ends in the middle"),
    "buffer outside": (b"\x80\x05\x97.", "buffer outside"),
    "absurd integer": (b"\x80\x02\x8b" + struct.pack("<i", 10**6) + b"\x01" * 10**6 + b".", "absurd length"),
    "many digits": (b"I" + b"9" * 100_000 + b"\n.", "makes no sense"),
    "deep tuple as a key": (b"\x80\x02}" + b"K\x01" + b"\x85" * 100_000 + b"K\x01s.", "a key of the kind tuple"),
    "array of objects": (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
        b"(K\x01(K\x01tcnumpy\ndtype\n(U\x02O8K\x00K\x01tR\x89]Natb.",
        "array of objects",
    ),
    "array larger than its content": (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
        b"(K\x01(" + number(2**40) + b"tcnumpy\ndtype\n(U\x02f8K\x00K\x01tR\x89U\x08abcdefghtb.",
        "does not fit its shape",
    ),
    "copies of copies": (
        # one list of 100,000 entries, copied ten thousand times
        b"\x80\x02](" + b"N" * 100_000 + b"eq\x000(" + b"c__builtin__\nlist\nh\x00\x85R" * 10_000 + b"l.",
        "far more memory",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ABUSE)
def test_rebuilding_is_not_abused(tmp_path: Path, name: str):
    data, message = ABUSE[name]
    with pytest.raises(FileError, match=message) as caught:
        read_safely(in_zip(tmp_path / "hostile.pt", data, {"0": TWO}))
    assert str(caught.value).startswith(f"{tmp_path / 'hostile.pt'} is damaged or no checkpoint")


def test_the_made_pickle_is_a_good_one_where_it_is_not_spoilt(tmp_path: Path):
    path = in_zip(tmp_path / "good.pt", tensor_pickle(), {"0": TWO})
    assert state_dict(read_safely(path))[0]["weight"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("kind", ["whole", "fraction", "tuple", "set", "rebuilt"])
def test_keys_that_collide_are_counted(tmp_path: Path, kind: str):
    collide = (i * (2**61 - 1) for i in range(60_000))  # all have the hash 0
    makers = {
        "whole": int,
        "fraction": lambda n: float(n) + 0.5,
        "tuple": lambda n: (n % 70_001, n),
        "set": int,
        "rebuilt": int,
    }
    keys = [makers[kind](n) for n in (range(2**40, 2**40 + 60_000) if kind == "fraction" else collide)]
    value = b"" if kind == "set" else b"N"
    pairs = b"".join(pickle.dumps(key, 2).removeprefix(b"\x80\x02").removesuffix(b".") + value for key in keys)
    data = b"\x80\x04" + (b"\x8f(" + pairs + b"\x90." if kind == "set" else b"}(" + pairs + b"u.")
    if kind == "rebuilt":
        data = b"\x80\x02c__builtin__\nset\n" + pickle.dumps((keys,), 2)[2:-1] + b"R."
    with pytest.raises(FileError, match="more than 10,000 keys that are no texts"):
        read_safely(written(tmp_path / "keys.pkl", data))


def test_keys_as_real_files_have_them_are_read(tmp_path: Path):
    words = {f"word{i}": i for i in range(30_000)}
    places = dict(enumerate(words))
    moments = {2**46 + 64 * i: i for i in range(2_000)}  # of old optimisers: the addresses of their parameters
    file = read_safely(written(tmp_path / "keys.pkl", pickle.dumps([words, places, moments, {(1, "a"): 2}])))
    assert file.content == [words, places, moments, {(1, "a"): 2}]


def test_loops_and_deep_nesting_end(tmp_path: Path):
    looped: list[Any] = [1]
    looped.append(looped)
    file = read_safely(written(tmp_path / "loop.pkl", pickle.dumps({"loop": looped})))
    assert file.content["loop"][1] is file.content["loop"]
    deep = written(tmp_path / "deep.pkl", b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".")
    with pytest.raises(FileError, match="nested deeper than 500"):
        read_safely(deep)
    # each list holds the one before ten times: little in the file, 10^50 when written out
    laughs = b"\x80\x02](K\x01e" + b"".join(b"q\x010](" + b"h\x01" * 10 + b"e" for _ in range(50)) + b"."
    assert len(read_safely(written(tmp_path / "laughs.pkl", laughs)).content) == 10


def test_bombs_in_a_zip_are_refused(tmp_path: Path):
    packed = in_zip(
        tmp_path / "bomb.pt", tensor_pickle(count=2**22), {"0": bytes(2**24)}, compression=zipfile.ZIP_DEFLATED
    )
    with pytest.raises(FileError, match="more than its size"):
        read_safely(packed)
    small = in_zip(tmp_path / "packed.pt", tensor_pickle(), {"0": TWO}, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(FileError, match=r"compressed|more than its size"):
        read_safely(small)


def test_an_encrypted_member_is_an_error_and_no_traceback(tmp_path: Path):
    packed = in_zip(tmp_path / "secret.pt", tensor_pickle(), {"0": TWO})
    data = packed.read_bytes().replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")
    data = data.replace(b"PK\x03\x04\x14\x00\x00", b"PK\x03\x04\x14\x00\x01")
    with pytest.raises(FileError, match="encrypted"):
        read_safely(written(packed, data))


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "older stream"])
def test_every_truncation_is_noticed(tmp_path: Path, zipped: bool):
    whole = saved(tmp_path / "whole.pt", weights(), _use_new_zipfile_serialization=zipped).read_bytes()
    for keep in range(1, len(whole) - 1, 97):
        with pytest.raises(FileError, match=r"cut\.pt"):
            state_dict(read_safely(written(tmp_path / "cut.pt", whole[:keep])))


def test_a_flipped_byte_is_a_value_or_an_error_never_a_crash(tmp_path: Path):
    whole = bytearray(saved(tmp_path / "whole.pt", weights(), _use_new_zipfile_serialization=False).read_bytes())
    random = np.random.default_rng(0)
    for _ in range(400):
        spoilt = bytearray(whole)
        spoilt[random.integers(len(spoilt))] = random.integers(256)
        with contextlib.suppress(FileError):
            state_dict(read_safely(written(tmp_path / "spoilt.pt", bytes(spoilt))))


def test_a_spoilt_pickle_in_a_sound_zip_is_a_value_or_an_error(tmp_path: Path):
    with zipfile.ZipFile(saved(tmp_path / "whole.pt", {"state_dict": weights(), "n": np.arange(3)})) as archive:
        members = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    random = np.random.default_rng(1)
    for _ in range(300):
        spoilt = bytearray(members["data.pkl"])
        for _ in range(random.integers(1, 4)):
            spoilt[random.integers(len(spoilt))] = random.integers(256)
        data = {key.partition("/")[2]: value for key, value in members.items() if key.startswith("data/")}
        with contextlib.suppress(FileError):
            state_dict(read_safely(in_zip(tmp_path / "spoilt.pt", bytes(spoilt), data)))


def test_every_operation_of_pickle_is_known():
    from motifmix.pretrained.pickle_machine import _OPERATIONS

    known = {chr(code) for code in _OPERATIONS} | {"."}
    assert {operation.code for operation in pickletools.opcodes} == known


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html>Google Drive - Virus scan warning", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git lfs pull"),
        (b"\x1f\x8b" + bytes(600), "packed archive"),
        (b"hello, these are no weights", r"is no checkpoint \(it begins like none\); name the file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), r"is no checkpoint \(it begins like none\); name the file"),
        (b"\x80\x02cut", "damaged or no checkpoint"),
    ],
)
def test_files_that_are_no_checkpoints(tmp_path: Path, data: bytes, message: str):
    with pytest.raises(FileError, match=message):
        state_dict(read_safely(written(tmp_path / "model.ckpt", data)))


def test_an_archive_that_holds_the_checkpoint_is_named(tmp_path: Path):
    inner = io.BytesIO()
    torch.save(weights(), inner)
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
        archive.writestr("humanml/model000475000.pt", inner.getvalue())
    with pytest.raises(FileError, match=r"unpack it .*humanml/model000475000\.pt"):
        read_safely(tmp_path / "model.zip")
    with pytest.raises(FileError, match="is a folder"):
        read_safely(tmp_path)
    with pytest.raises(FileError, match="cannot be read: No such file"):
        read_safely(tmp_path / "absent.pt")


class Scripted(torch.nn.Module):
    """Blocks, a table and a size as a tensor, as in the archives of CLIP's authors."""

    def __init__(self) -> None:
        super().__init__()
        self.resblocks = torch.nn.Sequential(*(torch.nn.Linear(4, 4).half() for _ in range(2)))
        self.table = torch.nn.Parameter(torch.arange(8.0).view(2, 4))
        self.register_buffer("vocab_size", torch.tensor(7))
        self.mask = torch.ones(2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.resblocks(self.mask.half() @ (x + self.table).half())


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
@pytest.mark.parametrize("how", ["traced", "scripted"])
def test_the_weights_of_a_torchscript_archive_are_read_and_its_code_is_not(tmp_path: Path, how: str):
    path, module = tmp_path / "ViT-B-32.pt", Scripted().eval()
    program = torch.jit.trace(module, torch.ones(2, 4)) if how == "traced" else torch.jit.script(module)
    torch.jit.save(program, path)
    file = read_safely(path)
    assert file.dropped == {"program (TorchScript)": 1}
    state, others = state_dict(file)
    expected = torch.jit.load(path).state_dict()
    beside = {"mask"} if how == "scripted" else set()  # a tensor that is no parameter; a key map says what it is
    assert state.keys() - beside == expected.keys() and others == {}
    assert all(
        torch.equal(state[name], expected[name]) and state[name].dtype == expected[name].dtype for name in expected
    )


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_a_compressed_torchscript_archive_is_no_file_of_torch(tmp_path: Path):
    path = tmp_path / "ViT-B-32.pt"
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for compressed in ("data.pkl", "byteorder", "data/0"):
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data, zipfile.ZIP_DEFLATED if name.endswith(compressed) else zipfile.ZIP_STORED)
        with pytest.raises(FileError, match="its members are compressed"):
            read_safely(path)


def _scripted(path: Path, *modules: bytes) -> Path:
    """An archive of modules, each memoised under its number and filled with attributes: the first one is the whole."""
    made = b"".join(b"c__torch__\nM\n)\x81q%c0" % number for number in range(len(modules)))
    filled = b"".join(b"h%c}(%sub0" % (number, body) for number, body in enumerate(modules))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m/data.pkl", b"\x80\x02" + made + filled + b"h\x00.")
        archive.writestr("m/constants.pkl", b"\x80\x02).")
    return path


def test_modules_that_hold_each_other_end_in_a_message(tmp_path: Path):
    def held(*numbers: int) -> bytes:
        return b"".join(b"X\x01\x00\x00\x00%ch%c" % (97 + place, number) for place, number in enumerate(numbers))

    loop = _scripted(tmp_path / "loop.pt", held(1), held(0))
    tree = _scripted(tmp_path / "tree.pt", *(held(n + 1, n + 1, n + 1) for n in range(60)), b"")
    wide = _scripted(tmp_path / "wide.pt", held(*[0] * 20))
    for path in (loop, tree, wide):
        with pytest.raises(FileError, match="its modules hold each other without end"):
            read_safely(path)
    empty = read_safely(_scripted(tmp_path / "empty.pt", b"X\x01\x00\x00\x00aK\x01"))
    with pytest.raises(FileError, match="holds no weights by name; it holds nothing"):
        state_dict(empty)
