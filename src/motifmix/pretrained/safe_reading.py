"""Reading checkpoints of others without executing anything that stands in them.

``.ckpt``, ``.pt``, ``.pth``, ``.tar``, ``.bin`` and ``.pkl`` are pickles in one of three wrappings (torch's zip, also that of
TorchScript, torch's older stream, none); what they may become stands in ``rebuilders.py``, how they are run in
``pickle_machine.py``. ``.npy`` and ``.safetensors`` are read as well. A file is told by its first bytes, never by its suffix.
"""

import mmap
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motifmix.errors import FileError
from motifmix.pretrained.pickle_machine import MalformedPickleError, PickleMachine, Placeholder, ScriptedModule
from motifmix.pretrained.rebuilders import REBUILDERS, NumpyType, Storage, set_state, storage_type

MAGIC = 0x1950A86A20F9469CFC6C  # of torch's older stream
_VERSION = 1001
_DEEPEST = 500  # nesting of containers
_MOST_ATTRIBUTES, _LONGEST_NAME = 200_000, 1_000  # of the modules of a TorchScript archive
_SPARE = 64 << 20  # bytes beyond the file's size that rebuilt objects may take


@dataclass(frozen=True)
class SafeFile:
    """What a file holds: ``content`` (tensors, arrays, plain data, placeholders), and ``dropped``: class -> how often."""

    path: Path
    content: Any
    dropped: dict[str, int] = field(default_factory=dict)


def read_safely(path: Path | str) -> SafeFile:
    """Read a file that others published. Raises ``FileError`` for what is none, is damaged, or is not data."""
    path = Path(path)
    try:
        if path.is_dir():
            raise FileError(f"{path} is a folder; name the file in it")
        with path.open("rb") as file:
            if path.stat().st_size == 0:
                raise FileError(f"{path} is empty; download it again")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                content = _read(path, data)
        if isinstance(content, ScriptedModule):
            return SafeFile(path, _scripted_state(content), {"program (TorchScript)": 1})
    except MalformedPickleError as error:
        raise FileError(f"{path} is damaged or no checkpoint: {error}; download it again") from error
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}") from error
    return SafeFile(path, content, _placeholders(path, content))


def _read(path: Path, data: mmap.mmap) -> Any:
    head = data[:512]
    if head[:2] == b"PK":
        return _read_zip(path, len(data))
    if head[:6] == b"\x93NUMPY":
        return _read_array(path)
    if head.lstrip()[:1] == b"<":
        raise FileError(f"{path} is a web page, not the file; Google Drive asks before large downloads: use a browser")
    if head.startswith(b"version https://git-lfs"):
        raise FileError(f"{path} only points to the file; fetch it with 'git lfs pull'")
    if head[257:262] == b"ustar" or head[:2] == b"\x1f\x8b" or head[:6] == b"\xfd7zXZ\x00" or head[:4] == b"Rar!":
        raise FileError(f"{path} is a packed archive; unpack it and name the checkpoint in it")
    if len(head) > 9 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") < len(data):
        return _read_safetensors(path)
    try:
        return _read_stream(data)
    except MalformedPickleError as error:
        if head[:1] == b"\x80":  # every pickle of the last twenty years: a checkpoint that is damaged
            raise
        # What a picture or a text says when it is run as a pickle helps nobody.
        raise FileError(f"{path} is no checkpoint (it begins like none); name the file that was published") from error


def _read_array(path: Path) -> np.ndarray:
    try:
        return np.array(np.load(path, mmap_mode="r", allow_pickle=False))
    except (ValueError, EOFError, SyntaxError) as error:
        raise FileError(f"{path} is no array of numbers, or is cut off ({str(error).splitlines()[0]})") from error


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise FileError(f"{path} is no whole safetensors file ({error}); download it again") from error


def _read_zip(path: Path, size: int) -> Any:
    """Torch's zip: ``<name>/data.pkl``, and one uncompressed member ``<name>/data/<key>`` a storage."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _read_members(path, archive, size)
    except (zipfile.BadZipFile, EOFError, RuntimeError, UnicodeDecodeError) as error:  # RuntimeError: encrypted
        raise FileError(f"{path} is cut off or damaged ({size:,} bytes; {error}); download it again") from error


def _read_members(path: Path, archive: zipfile.ZipFile, size: int) -> Any:
    members = archive.infolist()
    by_name = {member.filename: member for member in members}
    pickles = [name for name in by_name if name == "data.pkl" or name.endswith("/data.pkl")]
    if len(pickles) != 1:
        inside = [n for n in by_name if n.endswith((".pt", ".ckpt", ".pth", ".tar"))]
        hint = f" ({', '.join(inside[:3])})" if inside else ""
        raise FileError(f"{path} is a packed archive; unpack it and name the checkpoint in it{hint}")
    root = pickles[0].removesuffix("data.pkl")
    ours = (pickles[0], f"{root}byteorder")  # code of TorchScript, which is compressed, is not read
    read = [m for m in members if m.filename in ours or m.filename.startswith(f"{root}data/")]
    if len(by_name) != len(members) or sum(member.file_size for member in read) > size:
        raise MalformedPickleError("it claims to hold more than its size")
    if any(member.compress_type != zipfile.ZIP_STORED for member in read):
        raise MalformedPickleError("its members are compressed, which no checkpoint has")
    order = by_name.get(f"{root}byteorder")
    if order is not None and archive.read(order) not in (b"little", b""):
        raise FileError(f"{path} was written on a machine of another byte order; save it again on a common one")
    storages: dict[str, Tensor] = {}

    def resolve(machine: PickleMachine, identity: Any) -> Storage:
        dtype, key, count = _described(identity)
        if key not in storages:
            member = by_name.get(f"{root}data/{key}")
            if member is None:
                raise MalformedPickleError(f"the storage {key!r} is missing")
            storages[key] = torch.frombuffer(bytearray(archive.read(member)) or bytearray(1), dtype=torch.uint8)
            storages[key] = storages[key][: member.file_size]
        width = torch.empty((), dtype=dtype).element_size()
        if len(storages[key]) != count * width:
            raise MalformedPickleError(f"the storage {key!r} has another size than stated")
        return Storage(storages[key].view(dtype))

    return _machine(archive.read(pickles[0]), 0, resolve, size).run()


def _scripted_state(whole: ScriptedModule) -> dict[str, Tensor]:
    """Return the tensors of a TorchScript archive by the dotted names of its modules; its code is not looked at.

    Sizes that are kept as tensors come along, and so would tensors that are no parameters. Raises
    ``MalformedPickleError`` where modules hold each other or are more than a network has.
    """
    state: dict[str, Tensor] = {}
    waiting: list[tuple[str, ScriptedModule]] = [("", whole)]
    left = _MOST_ATTRIBUTES
    while waiting:
        prefix, module = waiting.pop()
        left -= 1 + len(module.attributes)
        if left < 0 or len(prefix) > _LONGEST_NAME:
            raise MalformedPickleError("its modules hold each other without end")
        for name, value in module.attributes.items():
            if isinstance(value, Tensor):
                state[prefix + name] = value
            elif isinstance(value, ScriptedModule):
                waiting.append((f"{prefix}{name}.", value))
    return state


def _described(identity: Any) -> tuple[torch.dtype, str, int]:
    if not isinstance(identity, tuple) or len(identity) not in (5, 6) or identity[0] != "storage":
        raise MalformedPickleError("a reference that is no storage")
    _, kind, key, _, count = identity[:5]
    if not isinstance(key, str) or not isinstance(count, int) or not 0 <= count < 2**50:
        raise MalformedPickleError("a storage of absurd size")
    return storage_type(kind), key, count


def _machine(data: Any, start: int, persistent: Any, size: int) -> PickleMachine:
    return PickleMachine(data, start, REBUILDERS, set_state=set_state, persistent=persistent, budget=4 * size + _SPARE)


def _read_stream(data: mmap.mmap) -> Any:
    """Torch's older stream (magic number, version, system, object, keys, storages), or a plain pickle."""
    size = len(data)
    first = _machine(data, 0, None, size)
    content = first.run()
    if not isinstance(content, int) or content != MAGIC:
        return content
    position = first.position
    for expected in (_VERSION, None):
        part = _machine(data, position, None, size)
        found = part.run()
        position = part.position
        if expected is not None and found != expected:
            raise MalformedPickleError("a version of torch's format that is not known")
    storages: dict[str, Tensor] = {}
    taken = 0

    def resolve(machine: PickleMachine, identity: Any) -> Any:
        nonlocal taken
        if isinstance(identity, tuple) and len(identity) == 4 and identity[0] == "module":
            return identity[1]  # a class with its source text, which nobody needs
        dtype, key, count = _described(identity)
        if key not in storages:
            taken += count * torch.empty((), dtype=dtype).element_size()
            if taken > size:
                raise MalformedPickleError("it claims to hold more than its size")
            storages[key] = torch.zeros(count, dtype=dtype)
        whole = storages[key]
        if whole.dtype != dtype or len(whole) != count:
            raise MalformedPickleError(f"the storage {key!r} is described in two ways")
        view = identity[5] if len(identity) == 6 else None
        if view is None:
            return Storage(whole)
        if not (isinstance(view, tuple) and len(view) == 3 and all(isinstance(n, int) and n >= 0 for n in view[1:])):
            raise MalformedPickleError("a view of absurd size")
        return Storage(whole[view[1] : view[1] + view[2]])

    body = _machine(data, position, resolve, size)
    content = body.run()
    order = _machine(data, body.position, None, size)
    keys = order.run()
    _fill(data, order.position, keys, storages)
    return content


def _fill(data: mmap.mmap, position: int, keys: Any, storages: dict[str, Tensor]) -> None:
    if not isinstance(keys, list) or sorted(map(str, keys)) != sorted(storages):
        raise MalformedPickleError("its list of storages does not fit its content")
    for key in keys:
        flat = storages[key]
        count = int.from_bytes(data[position : position + 8], "little")
        width = flat.element_size()
        raw = data[position + 8 : position + 8 + count * width] if count == len(flat) else b""
        if count != len(flat) or len(raw) != count * width:
            raise MalformedPickleError("it ends in the middle")
        if count:
            flat.view(torch.uint8).copy_(torch.frombuffer(bytearray(raw), dtype=torch.uint8))
        position += 8 + count * width


def _placeholders(path: Path, content: Any) -> dict[str, int]:
    """Count the placeholders below ``content``; each container is looked at once."""
    found: dict[str, int] = {}
    seen: set[int] = set()
    waiting: list[tuple[Any, int]] = [(content, 0)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, Placeholder):
            found[value.origin] = found.get(value.origin, 0) + 1
        elif isinstance(value, (NumpyType, Storage)):
            found[type(value).__name__] = found.get(type(value).__name__, 0) + 1
        elif isinstance(value, (dict, list, tuple, set, frozenset)) and id(value) not in seen:
            if depth > _DEEPEST:
                raise FileError(f"{path} is nested deeper than {_DEEPEST} levels, which no checkpoint is")
            seen.add(id(value))
            below = [*value.keys(), *value.values()] if isinstance(value, dict) else value
            waiting.extend((item, depth + 1) for item in below)
    return found


def state_dict(file: SafeFile, within: tuple[str, ...] = ()) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors of a file by name, and what stands there instead of tensors (name -> class or kind).

    ``within`` names the keys that lead to the state dict; without it, a flat one is taken, or that under
    ``state_dict``. Raises ``FileError`` where there is none.
    """
    place = file.content
    for key in within:
        if isinstance(place, Mapping) and key in place:
            place = place[key]
        elif not (key == "state_dict" and _tensors_in(place)):  # saved again without its wrapping
            raise FileError(f"{file.path} holds no {key!r}; it holds {_summary(place)}")
    if not within and isinstance(place, Mapping) and not isinstance(place.get("state_dict", 0), (Tensor, int)):
        place = place["state_dict"]
    if isinstance(place, (Tensor, np.ndarray)):
        place = {"data": place}
    if not isinstance(place, Mapping) or not _tensors_in(place):
        raise FileError(f"{file.path} holds no weights by name; it holds {_summary(place)}")
    tensors: dict[str, Tensor] = {}
    others: dict[str, str] = {}
    for name, value in place.items():
        if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
            value = torch.from_numpy(value.astype(value.dtype.newbyteorder("=")))
        if isinstance(name, str) and isinstance(value, Tensor):
            tensors[name] = value
        else:
            others[str(name)] = value.origin if isinstance(value, Placeholder) else type(value).__name__
    return tensors, others


def word_list(file: SafeFile) -> dict[str, Tensor]:
    """Return a pickled list of words as the tensor ``words`` (UTF-8, one a line), and the ``rows`` of a dictionary.

    Raises ``FileError`` where the file holds something else.
    """
    words = list(file.content) if isinstance(file.content, (list, dict)) else []
    if not words or not all(isinstance(word, str) and "\n" not in word for word in words):
        raise FileError(f"{file.path} holds no list of words; it holds {_summary(file.content)}")
    found = {"words": torch.frombuffer(bytearray("\n".join(words).encode("utf-8")), dtype=torch.uint8)}
    if isinstance(file.content, dict):
        rows = list(file.content.values())
        if not all(isinstance(row, (int, np.integer)) for row in rows):
            raise FileError(f"{file.path} holds words with something else than their rows")
        found["rows"] = torch.tensor([int(row) for row in rows])
    return found


def _tensors_in(place: Any) -> bool:
    return isinstance(place, Mapping) and any(isinstance(value, (Tensor, np.ndarray)) for value in place.values())


def _summary(place: Any) -> str:
    if isinstance(place, Placeholder):
        return f"an object of the class {place.origin}, not a state dict; save its state_dict() instead"
    if isinstance(place, Mapping):
        names = [str(name)[:40] for name in list(place)[:6]]
        return f"{len(place)} entries ({', '.join(names)}{', ...' if len(place) > 6 else ''})" if names else "nothing"
    return f"a {type(place).__name__}"
