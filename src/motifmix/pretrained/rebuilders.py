"""What a pickle may make: torch tensors, numpy arrays and scalars, plain containers; all arguments are checked."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motifmix.pretrained.pickle_machine import Global, MalformedPickleError, PickleMachine, Placeholder, Rebuilder

_MOST_DIMENSIONS = 16
_NUMPY_KINDS = "biufcSU"  # no objects, no records, no dates

STORAGES = {
    "Double": torch.float64,
    "Float": torch.float32,
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Long": torch.int64,
    "Int": torch.int32,
    "Short": torch.int16,
    "Char": torch.int8,
    "Byte": torch.uint8,
    "Bool": torch.bool,
    "ComplexFloat": torch.complex64,
    "ComplexDouble": torch.complex128,
    "Untyped": torch.uint8,
}
_DTYPES = {f"torch.{str(dtype).removeprefix('torch.')}": dtype for dtype in STORAGES.values()}


class Storage:
    """One storage of a file: a flat tensor that tensors are views of."""

    __slots__ = ("flat",)

    def __init__(self, flat: Tensor) -> None:
        self.flat = flat


class NumpyType:
    """A numpy dtype in the making; ``dtype`` is None where it is one that holds objects or records."""

    __slots__ = ("dtype",)

    def __init__(self, dtype: np.dtype | None) -> None:
        self.dtype = dtype


def storage_type(kind: Any) -> torch.dtype:
    """Return the element type that a storage class stands for, ``torch.FloatStorage`` or ``torch.cuda.FloatStorage``."""
    if isinstance(kind, Global):
        module, _, name = kind.origin.rpartition(".")
        if module in ("torch", "torch.cuda", "torch.storage") and name.endswith("Storage"):
            found = STORAGES.get(name.removesuffix("Storage"))
            if found is not None:
                return found
    raise MalformedPickleError(f"a storage of an unknown kind ({kind!r})")


def _tensor(machine: PickleMachine, storage: Any, offset: Any, shape: Any, strides: Any) -> Any:
    if isinstance(storage, Placeholder):
        return storage
    if not isinstance(storage, Storage):
        raise MalformedPickleError("a tensor without storage")
    for numbers in (shape, strides):
        if not isinstance(numbers, tuple) or len(numbers) > _MOST_DIMENSIONS or not all(map(_natural, numbers)):
            raise MalformedPickleError("a tensor of absurd shape")
    if len(shape) != len(strides) or not _natural(offset):
        raise MalformedPickleError("a tensor of absurd shape")
    flat = storage.flat
    count = prod(shape)
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if count and last >= flat.numel():
        raise MalformedPickleError(f"a tensor of shape {list(shape)} that reaches beyond its storage")
    machine.spend(count * flat.element_size() + 64)
    return flat.as_strided(shape, strides, offset) if count else flat.new_empty(shape)


def _natural(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**62


def _tensor_v2(machine: PickleMachine, arguments: Sequence[Any]) -> Any:
    if len(arguments) not in (4, 6, 7):
        raise MalformedPickleError("a tensor with other arguments than it has")
    return _tensor(machine, *arguments[:4])


def _tensor_v3(machine: PickleMachine, arguments: Sequence[Any]) -> Any:
    storage, offset, shape, strides, _, _, kind = arguments[:7]
    dtype = _DTYPES.get(kind.origin) if isinstance(kind, Global) else None
    if dtype is None or not isinstance(storage, Storage):
        return Placeholder(f"a tensor of {kind!r}")
    whole = storage.flat.view(torch.uint8)
    width = torch.empty((), dtype=dtype).element_size()
    return _tensor(machine, Storage(whole[: len(whole) // width * width].view(dtype)), offset, shape, strides)


def _parameter(machine: PickleMachine, arguments: Sequence[Any]) -> Any:
    if not arguments or not isinstance(arguments[0], (Tensor, Placeholder)):
        raise MalformedPickleError("a parameter without tensor")
    return arguments[0]


def _items(machine: PickleMachine, arguments: Sequence[Any]) -> Sequence[Any]:
    if not arguments:
        return ()
    if len(arguments) != 1 or not isinstance(arguments[0], (list, tuple, set, frozenset)):
        raise MalformedPickleError("a container made of something else")
    machine.spend(16 * len(arguments[0]))
    return list(arguments[0])


def _dictionary(machine: PickleMachine, arguments: Sequence[Any]) -> Any:
    if arguments and isinstance(arguments[0], dict):
        machine.spend(128 * len(arguments[0]))
        return dict(arguments[0])
    pairs = _items(machine, arguments)
    if not all(isinstance(p, (list, tuple)) and len(p) == 2 and isinstance(p[0], (str, int)) for p in pairs):
        raise MalformedPickleError("a dictionary made of something else than pairs")
    return {machine.key(key): value for key, value in pairs}


def _set(machine: PickleMachine, arguments: Sequence[Any]) -> Any:
    items = _items(machine, arguments)
    if not all(item is None or isinstance(item, (str, bytes, int, float)) for item in items):
        raise MalformedPickleError("a set of other things than text and numbers")
    return {machine.key(item) for item in items}


def _bytes(machine: PickleMachine, arguments: Sequence[Any]) -> Any:
    """``_codecs.encode(text, 'latin1')``: how old protocols write bytes."""
    if len(arguments) == 2 and isinstance(arguments[0], str) and arguments[1] in ("latin1", "latin-1"):
        machine.spend(len(arguments[0]))
        return arguments[0].encode("latin1")
    return Placeholder("_codecs.encode")


def _bytearray(machine: PickleMachine, arguments: Sequence[Any]) -> Any:
    if len(arguments) == 1 and isinstance(arguments[0], (bytes, bytearray)):
        machine.spend(len(arguments[0]))
        return bytearray(arguments[0])
    return Placeholder("builtins.bytearray")


def _numpy_type(machine: PickleMachine, arguments: Sequence[Any]) -> Any:
    code = arguments[0] if arguments else None
    if not isinstance(code, str) or not code or code.lstrip("<>|=")[:1] not in _NUMPY_KINDS or len(code) > 12:
        return NumpyType(None)
    dtype = np.dtype(code)
    return NumpyType(dtype if dtype.kind in _NUMPY_KINDS and dtype.fields is None else None)


def _new_array(machine: PickleMachine, arguments: Sequence[Any]) -> Any:
    if arguments and isinstance(arguments[0], Global) and arguments[0].origin == "numpy.ndarray":
        machine.spend(128)
        return np.empty(0, np.uint8)
    return Placeholder(arguments[0].origin if arguments and isinstance(arguments[0], Global) else "numpy object")


def _array_from_buffer(machine: PickleMachine, arguments: Sequence[Any]) -> Any:
    data, kind, shape, order = arguments
    array = _new_array(machine, (Global("numpy.ndarray"),))
    _fill(machine, array, (1, shape, kind, order == "F", bytes(data) if isinstance(data, bytearray) else data))
    return array


def _numpy_scalar(machine: PickleMachine, arguments: Sequence[Any]) -> Any:
    kind, data = arguments
    if not isinstance(kind, NumpyType) or kind.dtype is None:
        return Placeholder("numpy scalar of objects")
    data = data.encode("latin1") if isinstance(data, str) else data
    if not isinstance(data, bytes) or len(data) != kind.dtype.itemsize or not data:
        raise MalformedPickleError("a number of the wrong size")
    return np.frombuffer(data, kind.dtype)[0]


def _fill(machine: PickleMachine, array: np.ndarray, state: Any) -> None:
    if not isinstance(state, tuple) or len(state) != 5:
        raise MalformedPickleError("an array without content")
    _, shape, kind, fortran, data = state
    if not isinstance(kind, NumpyType) or kind.dtype is None:
        raise MalformedPickleError("an array of objects, which are no numbers")
    data = data.encode("latin1") if isinstance(data, str) else data
    fits = isinstance(shape, tuple) and len(shape) <= _MOST_DIMENSIONS and all(map(_natural, shape))
    if not fits or not isinstance(data, bytes) or prod(shape) * kind.dtype.itemsize != len(data):
        raise MalformedPickleError("an array whose content does not fit its shape")
    machine.spend(len(data))
    array.__setstate__((1, shape, kind.dtype, bool(fortran), data))  # pyright: ignore[reportArgumentType]


def set_state(machine: PickleMachine, target: Any, state: Any) -> None:
    """Give a rebuilt object the state that follows it in a pickle; attributes of containers are forgotten."""
    if isinstance(target, np.ndarray):
        _fill(machine, target, state)
    elif isinstance(target, NumpyType) and target.dtype is not None:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
        if order not in ("<", ">", "|", "="):
            raise MalformedPickleError("a number type without byte order")
        target.dtype = target.dtype.newbyteorder(order)


REBUILDERS: dict[str, Rebuilder] = {
    "torch._utils._rebuild_tensor": _tensor_v2,
    "torch._utils._rebuild_tensor_v2": _tensor_v2,
    "torch._utils._rebuild_tensor_v3": _tensor_v3,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch.Size": lambda machine, arguments: tuple(_items(machine, arguments)),
    "collections.OrderedDict": _dictionary,
    "collections.defaultdict": lambda machine, arguments: {},
    "_codecs.encode": _bytes,
    "numpy.dtype": _numpy_type,
}
for _module in ("builtins", "__builtin__"):
    REBUILDERS |= {
        f"{_module}.dict": _dictionary,
        f"{_module}.list": _items,
        f"{_module}.tuple": lambda machine, arguments: tuple(_items(machine, arguments)),
        f"{_module}.set": _set,
        f"{_module}.frozenset": lambda machine, arguments: frozenset(_set(machine, arguments)),
        f"{_module}.bytearray": _bytearray,
    }
for _module in ("numpy.core", "numpy._core"):
    REBUILDERS |= {
        f"{_module}.multiarray._reconstruct": _new_array,
        f"{_module}.multiarray.scalar": _numpy_scalar,
        f"{_module}.numeric._frombuffer": _array_from_buffer,
    }
