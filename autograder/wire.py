"""Bytes that cross the border between the judge and student code. Nothing in them can be executed.

A frame is a prefix (mark, length of the header, length of all that follows), a header in JSON, and the raw
bytes of the arrays. The header is a tree of values; an array in it is a number that points to its bytes. What
has no place here, such as a model, crosses as the bare name of its type.

Both sides read what the other wrote, and trust nothing of it: every length, shape and type is checked before
a byte is used, within ``Limits``. Standard library and NumPy only, and nothing of ours: this file also lies
on the other side of the border, where there is no package.
"""

import contextlib
import hashlib
import json
import math
import os
import re
import select
import struct
import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

PREFIX = struct.Struct(">4sIQ")
MARK = b"MHC1"
LONGEST_NAME = 60  # letters of a type's name
LONGEST_TEXT = 20_000  # letters of one text
LARGEST_INT = 2**64  # of whole numbers that are not in an array
LONGEST_INT = 21  # letters of these, with their sign
# Numbers of every size that NumPy has everywhere; complex ones cross so that the judge can say what they are.
TYPES = frozenset(
    order + code
    for code in ("b1", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16")
    for order in ("|" if code in ("b1", "i1", "u1") else "<>")
)
# How the first process of a submission ends where it cannot go on.
EXIT_NOT_BEGUN, EXIT_NO_MEMORY = 70, 71
Layout = Literal["C", "F", "S"]  # rows first, columns first, every second number of something wider


class WireError(Exception):
    """What arrived is no frame, or breaks a limit; the message is one sentence."""


class Closed(WireError):
    """The other side has gone."""


class Late(WireError):
    """The whole of a frame did not pass in time."""


@dataclass(frozen=True)
class Limits:
    """How much of anything a frame may hold."""

    frame: int = 512 * 2**20  # bytes, arrays included
    header: int = 4 * 2**20  # bytes
    depth: int = 12  # of lists within lists
    values: int = 100_000
    arrays: int = 5_000
    dimensions: int = 8


LIMITS = Limits()
# Of an answer the judge makes 64-bit numbers, several times over: eight bytes of each where there was one.
ANSWERS = Limits(frame=64 * 2**20)


@dataclass(frozen=True)
class Opaque:
    """Something that cannot cross, by the name of its type."""

    type_name: str


def pack(value: Any, limits: Limits = LIMITS, *, layouts: bool = True) -> bytes:
    """Write a value as a frame.

    value    None, bool, int, float, str, NumPy numbers and arrays; lists, tuples and dicts with str keys of
             these; anything else becomes Opaque
    layouts  whether the order of an array in memory, and whether it is read-only, cross as well
    Raises WireError where a limit would be broken: the other side would refuse the frame.
    """
    writer = _Writer(limits, layouts)
    tree = writer.tree(value, 0)
    header = ENCODER.encode({"value": tree, "arrays": writer.arrays}).encode("ascii")
    if len(header) > limits.header:
        raise WireError(f"the header would take {len(header):,} bytes; {limits.header:,} are allowed")
    total = len(header) + sum(map(len, writer.buffers))
    if total > limits.frame:
        raise WireError(f"the frame would take {total:,} bytes; {limits.frame:,} are allowed")
    return b"".join([PREFIX.pack(MARK, len(header), total), header, *writer.buffers])


class _Writer:
    """Turns values into a tree for JSON and collects the bytes of their arrays."""

    def __init__(self, limits: Limits, layouts: bool) -> None:
        self.limits, self.layouts = limits, layouts
        self.arrays: list[list[Any]] = []
        self.buffers: list[bytes] = []
        self.values = 0

    def tree(self, value: Any, depth: int) -> Any:
        """Return what stands for a value in the header. Only exact types count: subclasses can lie."""
        self.values += 1
        if self.values > self.limits.values or depth > self.limits.depth:
            raise WireError("there are too many values, or lists within lists, to send")
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is int:
            return value if abs(value) < LARGEST_INT else _opaque("int")
        if kind is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if kind is str:
            return value.encode("utf-8", "replace").decode() if len(value) <= LONGEST_TEXT else _opaque("str")
        if kind is list or kind is tuple:
            return {kind.__name__: [self.tree(item, depth + 1) for item in value]}
        if kind is dict and all(type(key) is str for key in value):
            return {
                "dict": [[self.tree(key, depth), self.tree(item, depth + 1)] for key, item in value.items()]
            }
        if kind is Opaque:
            return _opaque(value.type_name)
        if kind is np.ndarray or (issubclass(kind, np.generic) and kind.__module__ == "numpy"):
            return self.array(np.asarray(value), "array" if kind is np.ndarray else "number")
        return _opaque(kind.__name__)

    def array(self, array: "np.ndarray[Any, Any]", word: str) -> Any:
        """Keep an array's bytes and return what points to them."""
        if array.dtype.kind == "f" and array.dtype.itemsize > 8:
            array = array.astype(np.float64)  # long doubles are not the same everywhere
        if array.dtype.str not in TYPES:
            return _opaque("ndarray")
        if len(self.arrays) >= self.limits.arrays or array.ndim > self.limits.dimensions:
            raise WireError("there are too many arrays, or dimensions of one, to send")
        layout: Layout = "C"
        if self.layouts and array.ndim and not array.flags.c_contiguous:
            layout = "F" if array.flags.f_contiguous else "S"
        read_only = self.layouts and not array.flags.writeable
        self.arrays.append([array.dtype.str, list(array.shape), layout, read_only])
        self.buffers.append(array.tobytes())
        return {word: len(self.arrays) - 1}


def _opaque(name: Any) -> dict[str, str]:
    """Return what stands for something that cannot cross: of its name only what is harmless."""
    found = "".join(re.findall(r"[A-Za-z0-9_]", name))[:LONGEST_NAME] if type(name) is str else ""
    return {"opaque": found or "object"}


def unpack(frame: bytes, limits: Limits = LIMITS) -> Any:
    """Read a frame. Raises WireError where anything in it is not as ``pack`` writes it."""
    if len(frame) < PREFIX.size:
        raise WireError(f"a frame of {len(frame)} bytes is shorter than its prefix")
    length, total = _prefix(frame[: PREFIX.size], limits)
    if len(frame) != PREFIX.size + total:
        raise WireError(f"the frame holds {len(frame) - PREFIX.size:,} bytes and promises {total:,}")
    header = frame[PREFIX.size : PREFIX.size + length]
    try:
        content = DECODER.decode(header.decode("utf-8"))
    except WireError:
        raise
    except (ValueError, RecursionError) as error:
        raise WireError(f"the header is not JSON as we write it ({type(error).__name__})") from None
    if type(content) is not dict or content.keys() != {"value", "arrays"}:
        raise WireError("the header has other parts than a value and its arrays")
    reader = _Reader(limits, _arrays(content["arrays"], memoryview(frame)[PREFIX.size + length :], limits))
    value = reader.value(content["value"], 0)
    if reader.used != len(reader.arrays):
        raise WireError("the frame holds arrays that its value does not point to")
    return value


def _prefix(prefix: bytes, limits: Limits) -> tuple[int, int]:
    mark, length, total = PREFIX.unpack(prefix)
    if mark != MARK:
        raise WireError("what arrived does not begin as a frame does")
    if length > limits.header or total > limits.frame or length > total:
        raise WireError(f"a frame of {total:,} bytes with a header of {length:,} is larger than allowed")
    return length, total


def _int(text: str) -> int:
    if len(text) > LONGEST_INT:
        raise WireError(f"a whole number of {len(text):,} digits is too long")
    return int(text)


def _float(text: str) -> float:
    value = float(text) if len(text) <= 40 else math.inf
    if not math.isfinite(value):
        raise WireError("a decimal number in the header is too long or too large")
    return value


def _refuse(text: str) -> Any:
    raise WireError(f"the header holds {text}, which is no JSON")


# Made once: making them takes longer than a short header.
ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))
DECODER = json.JSONDecoder(parse_int=_int, parse_float=_float, parse_constant=_refuse)


def _arrays(found: Any, content: memoryview, limits: Limits) -> "list[np.ndarray[Any, Any]]":
    """Cut the bytes behind the header into arrays, exactly as the header says."""
    if type(found) is not list or len(found) > limits.arrays:
        raise WireError("the header's list of arrays is none, or is too long")
    arrays, start = [], 0
    for entry in found:
        if type(entry) is not list or len(entry) != 4:
            raise WireError("an array is not described by type, shape, layout and whether it is read-only")
        name, shape, layout, read_only = entry
        if type(name) is not str or name not in TYPES:
            raise WireError("an array is of a type that may not cross")
        if type(shape) is not list or len(shape) > limits.dimensions:
            raise WireError("an array has no shape, or too many dimensions")
        if not all(type(side) is int and 0 <= side <= limits.frame for side in shape):
            raise WireError("an array has a side that is no length")
        if layout not in ("C", "F", "S") or type(read_only) is not bool or (layout != "C" and not shape):
            raise WireError("an array lies in memory in a way that we do not know")
        dtype = np.dtype(name)
        size = math.prod(shape) * dtype.itemsize
        if size > len(content) - start:
            raise WireError("an array is larger than the bytes that came with it")
        flat = np.frombuffer(content[start : start + size], dtype)
        try:
            arrays.append(_laid_out(flat.reshape(shape), layout, read_only))
        except ValueError:  # without a number in it, its sides can still be longer than NumPy counts
            raise WireError("an array has sides that no memory could hold") from None
        start += size
    if start != len(content):
        raise WireError(f"{len(content) - start:,} bytes behind the last array belong to none")
    return arrays


def _laid_out(array: "np.ndarray[Any, Any]", layout: Layout, read_only: bool) -> "np.ndarray[Any, Any]":
    """Return an array of its own, lying in memory as the other side's did."""
    if layout == "S":
        wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
        wide[..., ::2] = array
        own = wide[..., ::2]
    else:
        own = np.array(array, order=layout)
    if read_only:
        own.setflags(write=False)
    return own


class _Reader:
    """Turns the tree of a header back into values."""

    def __init__(self, limits: Limits, arrays: "list[np.ndarray[Any, Any]]") -> None:
        self.limits, self.arrays = limits, arrays
        self.values = self.used = 0

    def value(self, tree: Any, depth: int) -> Any:
        """Return the value that a part of the tree stands for."""
        self.values += 1
        if self.values > self.limits.values or depth > self.limits.depth:
            raise WireError("the header holds too many values, or lists within lists")
        if tree is None or type(tree) in (bool, float):
            return tree
        if type(tree) is int:
            if abs(tree) >= LARGEST_INT:
                raise WireError("a whole number in the header is too large")
            return tree
        if type(tree) is str:
            return _text(tree)
        if type(tree) is not dict or len(tree) != 1:
            raise WireError("the header holds something that stands for no value")
        ((word, content),) = tree.items()
        if word in ("list", "tuple") and type(content) is list:
            items = [self.value(item, depth + 1) for item in content]
            return items if word == "list" else tuple(items)
        if word == "dict" and type(content) is list:
            return dict(self.pair(pair, depth) for pair in content)
        if word == "float" and content in ("nan", "inf", "-inf"):
            return float(content)
        if word == "opaque" and type(content) is str and _opaque(content) == tree:
            return Opaque(content)
        # Each array is pointed to once, in order: then nothing is counted or shared twice.
        if word in ("array", "number") and type(content) is int and content == self.used < len(self.arrays):
            self.used += 1
            array = self.arrays[content]
            if word == "array":
                return array
            if not array.ndim:
                return array[()]
        raise WireError("the header holds something that stands for no value")

    def pair(self, pair: Any, depth: int) -> tuple[str, Any]:
        """Return one entry of a dict."""
        if type(pair) is not list or len(pair) != 2 or type(pair[0]) is not str:
            raise WireError("a dict in the header has an entry that is no pair of a text and a value")
        self.values += 1
        return _text(pair[0]), self.value(pair[1], depth + 1)


def _text(text: str) -> str:
    """Return a text that can be written everywhere."""
    if len(text) > LONGEST_TEXT:
        raise WireError(f"a text of {len(text):,} letters is too long")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise WireError("a text in the header holds half of a letter") from None
    return text


def fingerprint(value: Any) -> Any:
    """Return what is the same later only if a value has not changed; how it lies in memory does not count.

    Raises WireError for one that could not cross.
    """
    kind = type(value)
    if value is None or kind in (bool, int, float, str):  # nothing changes these: no need to look
        return None
    if kind is np.ndarray and value.dtype.str in TYPES:
        return value.dtype.str, value.shape, hashlib.sha256(value.tobytes()).digest()
    return hashlib.sha256(pack(value, layouts=False)).digest()


class Channel:
    """Frames over two file descriptors, each within a time limit for the whole of it. Owns both."""

    def __init__(self, source: int, target: int, *, reads: Limits = LIMITS, writes: Limits = LIMITS) -> None:
        """source, target: file descriptors to read from and to write to, such as the ends of two pipes."""
        self.source, self.target, self.reads, self.writes = source, target, reads, writes
        self._arrival, self._room = select.poll(), select.poll()
        self._arrival.register(source, select.POLLIN)
        self._room.register(target, select.POLLOUT)
        for descriptor in (source, target):
            os.set_blocking(descriptor, False)

    def send(self, value: Any, seconds: float) -> None:
        """Write a frame. Raises Late if the other side does not take it in time, Closed if it has gone."""
        end = time.monotonic() + seconds
        left = memoryview(pack(value, self.writes))
        while left:
            try:
                left = left[os.write(self.target, left[: 2**20]) :]
            except BlockingIOError:
                _wait(self._room, end)
            except OSError:
                raise Closed("the other side has gone before it had read everything") from None

    def receive(self, seconds: float) -> Any:
        """Read a frame. Raises Late, Closed, or WireError where it is none."""
        end = time.monotonic() + seconds
        prefix = self._read(PREFIX.size, end)
        _, total = _prefix(prefix, self.reads)  # before anything of that size is read
        return unpack(prefix + self._read(total, end), self.reads)

    def ask(self, value: Any, seconds: float) -> Any:
        """Send a value and return the answer. Raises WireError if there is one before the question."""
        end = time.monotonic() + seconds
        self.expect_silence()
        self.send(value, seconds)
        return self.receive(max(0.0, end - time.monotonic()))

    def expect_silence(self) -> None:
        """Raise WireError if something has arrived that nobody asked for."""
        if any(event & select.POLLIN for _, event in self._arrival.poll(0)):
            raise WireError("the other side has sent something that it was not asked for")

    def _read(self, size: int, end: float) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            try:
                part = os.read(self.source, min(size - len(parts), 2**20))
            except BlockingIOError:
                _wait(self._arrival, end)
                continue
            except OSError:
                part = b""
            if not part:
                raise Closed("the other side has gone" + (" in the middle of a frame" if parts else ""))
            parts += part
            if len(parts) < size and time.monotonic() > end:  # drop after drop, there is always something
                raise Late("the other side took too long")
        return bytes(parts)

    def close(self) -> None:
        """Close both ends."""
        for descriptor in {self.source, self.target}:
            with contextlib.suppress(OSError):  # closed already
                os.close(descriptor)


def _wait(poll: select.poll, end: float) -> None:
    """Wait for what a poll looks for. Raises Late if it does not come in time."""
    if not poll.poll(max(0.0, end - time.monotonic()) * 1000):
        raise Late("the other side took too long")
