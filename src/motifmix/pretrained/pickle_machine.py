"""A pickle machine that builds data and never calls anything that a file names.

Python's unpickler looks classes and functions up and calls them. This one has the opcodes of its own and a short table of
rebuilders (torch tensors, numpy arrays and scalars, plain containers), each of which checks what it is given. Every other
class or function becomes a :class:`Placeholder`: a name without behaviour, whose arguments and state are forgotten (but
for the attributes of :class:`ScriptedModule`, whose code is never looked at).

Bounds: operations, size of what rebuilders make (in proportion to the file), nesting of keys and how many may
collide. Memo entries cost no more
than what put them there.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from motifmix.errors import FileError

MOST_OPERATIONS = 5_000_000
_LONGEST_INTEGER = 1024  # bytes
_KEY_DEPTH, _KEY_LENGTH = 2, 16  # of tuples as keys: hashing recurses, and is done again and again
_SMALL, _OTHER_KEYS = 1_000_000, 10_000  # whole numbers that count something; other keys whose hashes can be made equal
_MARK = object()
SCRIPTED = "__torch__."  # before the names of the classes that a TorchScript archive brings along


class Placeholder:
    """Stands where a file holds an object of a class that is not data; ``origin`` is that class or function."""

    __slots__ = ("origin",)

    def __init__(self, origin: str) -> None:
        self.origin = origin

    def __repr__(self) -> str:
        return f"<placeholder for {self.origin}>"


class Global(Placeholder):
    """A class or function that a file names, before anything is done with it."""

    __slots__ = ()


class ScriptedModule(Placeholder):
    """A module of a TorchScript archive: still without behaviour, but its attributes are kept, for it holds the weights."""

    __slots__ = ("attributes",)

    def __init__(self, origin: str) -> None:
        super().__init__(origin)
        self.attributes: dict[str, Any] = {}


class MalformedPickleError(FileError):
    """The bytes are no pickle, or not one that data need."""


Rebuilder = Callable[["PickleMachine", Sequence[Any]], Any]


class PickleMachine:
    """Runs one pickle in ``data`` from ``start``; afterwards ``position`` is behind it.

    ``rebuilders``: "module.name" -> function of (machine, arguments). ``set_state``: gives a rebuilt object the state
    that follows it. ``persistent``: what a persistent id stands for. ``budget``: bytes that rebuilders may make.
    """

    def __init__(
        self,
        data: Any,
        start: int,
        rebuilders: dict[str, Rebuilder],
        *,
        set_state: Callable[["PickleMachine", Any, Any], None],
        persistent: Callable[["PickleMachine", Any], Any] | None,
        budget: int,
    ) -> None:
        self._data, self.position, self._end = data, start, len(data)
        self._rebuilders, self._set_state, self._persistent = rebuilders, set_state, persistent
        self._budget = budget
        self._other_keys = _OTHER_KEYS
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> Any:
        """Return what the pickle holds. Raises ``MalformedPickleError``."""
        for _ in range(MOST_OPERATIONS):
            code = self._take(1)[0]
            if code == 0x2E:  # STOP
                return self._pop()
            operation = _OPERATIONS.get(code)
            if operation is None:
                raise MalformedPickleError(f"unknown operation 0x{code:02x} at byte {self.position - 1}")
            try:
                operation(self)
            except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RuntimeError) as error:
                where = f"at byte {self.position}"
                raise MalformedPickleError(f"operation 0x{code:02x} {where} makes no sense ({error})") from error
        raise MalformedPickleError(f"more than {MOST_OPERATIONS:,} operations")

    def spend(self, size: int) -> None:
        """Take ``size`` bytes from the budget of what rebuilders may make."""
        if size < 0 or size > self._budget:
            raise MalformedPickleError("it asks for far more memory than its size justifies")
        self._budget -= size

    def key(self, value: Any, depth: int = _KEY_DEPTH) -> Any:
        """Return a value that may be a key, or raise: hashing must neither recurse deeply, run code, nor collide often.

        Python salts the hashes of texts; whoever writes a file can make those of numbers and tuples equal, and each new
        key is then compared with all before.
        """
        if value is None or isinstance(value, (str, bytes, Placeholder)):
            return value
        if isinstance(value, int) and 0 <= value < _SMALL:
            return value
        self._other_keys -= 1
        if self._other_keys < 0:
            raise MalformedPickleError(f"more than {_OTHER_KEYS:,} keys that are no texts")
        if isinstance(value, tuple) and depth and len(value) <= _KEY_LENGTH:
            for item in value:
                self.key(item, depth - 1)
            return value
        if isinstance(value, (int, float, np.generic)):
            return value
        raise MalformedPickleError(f"a key of the kind {type(value).__name__}")

    def pairs(self, items: Sequence[Any]) -> dict[Any, Any]:
        """Return keys and values, which take turns in ``items``, as a dictionary."""
        if len(items) % 2:
            raise MalformedPickleError("a key without a value")
        return {self.key(items[i]): items[i + 1] for i in range(0, len(items), 2)}

    # what the operations use

    def _take(self, count: int) -> bytes:
        if count < 0 or self.position + count > self._end:
            raise MalformedPickleError("it ends in the middle")
        piece = self._data[self.position : self.position + count]
        self.position += count
        return piece

    def _line(self) -> bytes:
        end = self._data.find(b"\n", self.position, min(self._end, self.position + 1_000_000))
        if end < 0:
            raise MalformedPickleError("it ends in the middle")
        return self._take(end + 1 - self.position)[:-1]

    def _number(self, layout: str) -> int:
        return struct.unpack(layout, self._take(struct.calcsize(layout)))[0]

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _pop(self) -> Any:
        if not self._stack or self._stack[-1] is _MARK:
            raise MalformedPickleError("it takes what is not there")
        return self._stack.pop()

    def _top(self) -> Any:
        if not self._stack or self._stack[-1] is _MARK:
            raise MalformedPickleError("it takes what is not there")
        return self._stack[-1]

    def _pop_to_mark(self) -> list[Any]:
        for index in range(len(self._stack) - 1, -1, -1):
            if self._stack[index] is _MARK:
                items = self._stack[index + 1 :]
                del self._stack[index:]
                return items
        raise MalformedPickleError("it takes what is not there")

    def _get(self, index: int) -> None:
        self._push(self._memo[index])

    def _put(self, index: int) -> None:
        self._memo[index] = self._top()

    # operations of more than one line

    def _reduce(self) -> None:
        arguments, function = self._pop(), self._pop()
        self._push(self._called(function, arguments))

    def _called(self, function: Any, arguments: Any) -> Any:
        if not isinstance(arguments, tuple):
            raise MalformedPickleError("arguments that are no tuple")
        if not isinstance(function, Global):
            origin = function.origin if isinstance(function, Placeholder) else type(function).__name__
            return Placeholder(origin)
        rebuild = self._rebuilders.get(function.origin)
        if rebuild is not None:
            return rebuild(self, arguments)
        if function.origin in _GENERIC_MAKERS and arguments and isinstance(arguments[0], Global):
            return self._made(arguments[0], ())
        return Placeholder(function.origin)

    def _made(self, kind: Any, arguments: Any) -> Any:
        if isinstance(kind, Global) and kind.origin in self._rebuilders:
            return self._called(kind, arguments)
        if isinstance(kind, Global) and kind.origin.startswith(SCRIPTED):
            return ScriptedModule(kind.origin)
        return Placeholder(kind.origin if isinstance(kind, Placeholder) else type(kind).__name__)

    def _new_object(self) -> None:
        arguments, kind = self._pop(), self._pop()
        self._push(self._made(kind, arguments))

    def _new_object_with_names(self) -> None:
        self._pop()
        self._new_object()

    def _instance(self) -> None:
        kind = self._named(self._line().decode(), self._line().decode())
        self._push(self._made(kind, tuple(self._pop_to_mark())))

    def _object(self) -> None:
        kind, *arguments = self._pop_to_mark()
        self._push(self._made(kind, tuple(arguments)))

    def _build(self) -> None:
        state, target = self._pop(), self._top()
        if isinstance(target, ScriptedModule) and isinstance(state, dict):
            target.attributes.update((name, value) for name, value in state.items() if isinstance(name, str))
        elif not isinstance(target, Placeholder):
            self._set_state(self, target, state)

    @staticmethod
    def _named(module: Any, name: Any) -> Global:
        if not (isinstance(module, str) and isinstance(name, str)):
            raise MalformedPickleError("a class whose name is no text")
        return Global(f"{module[:200]}.{name[:200]}")

    def _global(self) -> None:
        module = self._line().decode()
        self._push(self._named(module, self._line().decode()))

    def _stack_global(self) -> None:
        name, module = self._pop(), self._pop()
        self._push(self._named(module, name))

    def _extension(self, layout: str) -> None:
        self._push(Global(f"extension {self._number(layout)}"))

    def _persistent_id(self, value: Any) -> None:
        if self._persistent is None:
            raise MalformedPickleError("it refers to something outside the file")
        self._push(self._persistent(self, value))

    def _append(self, items: Sequence[Any]) -> None:
        target = self._top()
        if isinstance(target, list):
            target.extend(items)
        elif not isinstance(target, Placeholder):
            raise MalformedPickleError("it appends to what is no list")

    def _set_items(self, items: Sequence[Any]) -> None:
        target = self._top()
        if isinstance(target, dict):
            target.update(self.pairs(items))
        elif not isinstance(target, Placeholder):
            raise MalformedPickleError("it sets items of what is no dictionary")

    def _add_items(self, items: Sequence[Any]) -> None:
        target = self._top()
        if isinstance(target, set):
            target.update(self.key(item) for item in items)
        elif not isinstance(target, Placeholder):
            raise MalformedPickleError("it adds to what is no set")

    def _integer_line(self) -> None:
        text = self._line()
        self._push({b"00": False, b"01": True}[text] if text in (b"00", b"01") else int(text))

    def _long(self, count: int) -> None:
        if count > _LONGEST_INTEGER:
            raise MalformedPickleError("an integer of absurd length")
        self._push(int.from_bytes(self._take(count), "little", signed=True))

    def _string_line(self) -> None:
        import codecs

        text = self._line()
        if len(text) < 2 or text[0] != text[-1] or text[:1] not in b"'\"":
            raise MalformedPickleError("text without quotes")
        self._push(codecs.escape_decode(text[1:-1])[0].decode("latin1"))  # type: ignore[union-attr]

    def _text(self, layout: str, encoding: str) -> None:
        self._push(
            str(self._take(self._number(layout)), encoding, "surrogatepass" if encoding == "utf-8" else "strict")
        )

    def _bytes(self, layout: str) -> None:
        self._push(bytes(self._take(self._number(layout))))

    def _tuple_of(self, count: int) -> None:
        self._push(tuple(reversed([self._pop() for _ in range(count)])))


def refuse_buffer(machine: PickleMachine) -> None:
    """Raise: buffers outside the pickle are not kept in files."""
    raise MalformedPickleError("it refers to a buffer outside the file")


_GENERIC_MAKERS = {"copyreg._reconstructor", "copy_reg._reconstructor", "copyreg.__newobj__", "copyreg.__newobj_ex__"}

_M = PickleMachine
_OPERATIONS: dict[int, Callable[[PickleMachine], Any]] = {
    ord("\x80"): lambda m: m._take(1),  # PROTO
    ord("\x95"): lambda m: m._take(8),  # FRAME
    ord("("): lambda m: m._push(_MARK),
    ord("0"): lambda m: m._stack.pop(),
    ord("1"): lambda m: m._pop_to_mark(),
    ord("2"): lambda m: m._push(m._top()),
    ord("N"): lambda m: m._push(None),
    ord("\x88"): lambda m: m._push(True),
    ord("\x89"): lambda m: m._push(False),
    ord("I"): _M._integer_line,
    ord("L"): lambda m: m._push(int(m._line().rstrip(b"L"))),
    ord("J"): lambda m: m._push(m._number("<i")),
    ord("K"): lambda m: m._push(m._number("<B")),
    ord("M"): lambda m: m._push(m._number("<H")),
    ord("\x8a"): lambda m: m._long(m._number("<B")),
    ord("\x8b"): lambda m: m._long(m._number("<i")),
    ord("F"): lambda m: m._push(float(m._line())),
    ord("G"): lambda m: m._push(m._number(">d")),
    ord("S"): _M._string_line,
    ord("T"): lambda m: m._text("<i", "latin1"),
    ord("U"): lambda m: m._text("<B", "latin1"),
    ord("B"): lambda m: m._bytes("<I"),
    ord("C"): lambda m: m._bytes("<B"),
    ord("\x8e"): lambda m: m._bytes("<Q"),
    ord("\x96"): lambda m: m._bytes("<Q"),
    ord("V"): lambda m: m._push(str(m._line(), "raw-unicode-escape")),
    ord("X"): lambda m: m._text("<I", "utf-8"),
    ord("\x8c"): lambda m: m._text("<B", "utf-8"),
    ord("\x8d"): lambda m: m._text("<Q", "utf-8"),
    ord("]"): lambda m: m._push([]),
    ord("a"): lambda m: m._append([m._pop()]),
    ord("e"): lambda m: m._append(m._pop_to_mark()),
    ord("l"): lambda m: m._push(m._pop_to_mark()),
    ord(")"): lambda m: m._push(()),
    ord("t"): lambda m: m._push(tuple(m._pop_to_mark())),
    ord("\x85"): lambda m: m._tuple_of(1),
    ord("\x86"): lambda m: m._tuple_of(2),
    ord("\x87"): lambda m: m._tuple_of(3),
    ord("}"): lambda m: m._push({}),
    ord("d"): lambda m: m._push(m.pairs(m._pop_to_mark())),
    ord("s"): lambda m: m._set_items([*reversed([m._pop(), m._pop()])]),
    ord("u"): lambda m: m._set_items(m._pop_to_mark()),
    ord("\x8f"): lambda m: m._push(set()),
    ord("\x90"): lambda m: m._add_items(m._pop_to_mark()),
    ord("\x91"): lambda m: m._push(frozenset(m.key(item) for item in m._pop_to_mark())),
    ord("g"): lambda m: m._get(int(m._line())),
    ord("h"): lambda m: m._get(m._number("<B")),
    ord("j"): lambda m: m._get(m._number("<I")),
    ord("p"): lambda m: m._put(int(m._line())),
    ord("q"): lambda m: m._put(m._number("<B")),
    ord("r"): lambda m: m._put(m._number("<I")),
    ord("\x94"): lambda m: m._put(len(m._memo)),
    ord("c"): _M._global,
    ord("\x93"): _M._stack_global,
    ord("R"): _M._reduce,
    ord("b"): _M._build,
    ord("i"): _M._instance,
    ord("o"): _M._object,
    ord("\x81"): _M._new_object,
    ord("\x92"): _M._new_object_with_names,
    ord("P"): lambda m: m._persistent_id(m._line().decode()),
    ord("Q"): lambda m: m._persistent_id(m._pop()),
    ord("\x82"): lambda m: m._extension("<B"),
    ord("\x83"): lambda m: m._extension("<H"),
    ord("\x84"): lambda m: m._extension("<i"),
    ord("\x97"): refuse_buffer,
    ord("\x98"): refuse_buffer,
}
