"""What crosses the border comes out as it went in; what was tampered with is refused in one sentence."""

import contextlib
import json
import os
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays

from autograder import wire
from autograder.wire import Channel, Closed, Late, Limits, Opaque, WireError

steady = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

NUMBERS = some.sampled_from([np.dtype(name) for name in sorted(wire.TYPES)])
ARRAYS = NUMBERS.flatmap(
    lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
)
LEAVES = some.one_of(
    some.none(),
    some.booleans(),
    some.integers(-(2**64) + 1, 2**64 - 1),
    some.floats(allow_nan=True),
    some.text(some.characters(exclude_categories=["Cs"]), max_size=20),
    ARRAYS,
)
VALUES = some.recursive(
    LEAVES,
    lambda inner: some.one_of(
        some.lists(inner, max_size=4),
        some.lists(inner, max_size=4).map(tuple),
        some.dictionaries(
            some.text(some.characters(exclude_categories=["Cs"]), max_size=8), inner, max_size=4
        ),
    ),
    max_leaves=12,
)


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same to the type and the bit."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray | np.generic):
        return (one.dtype.str, one.shape, one.tobytes()) == (other.dtype.str, other.shape, other.tobytes())
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return bool(one == other or one != one)


@given(value=VALUES)
@steady
def test_what_crosses_comes_out_as_it_went_in(value: Any) -> None:
    assert same(wire.unpack(wire.pack(value)), value)


@pytest.mark.parametrize("dtype", ["f8", ">f8", "u1", "f4", ">i2"])
def test_layout_and_protection_of_an_array_cross_as_well(dtype: str) -> None:
    plain = np.arange(24).reshape(2, 3, 4).astype(dtype)
    wide = np.zeros((2, 3, 8), dtype)
    wide[..., ::2] = plain
    locked = plain.copy()
    locked.setflags(write=False)
    for array in (plain, np.asfortranarray(plain), wide[..., ::2], locked):
        found = wire.unpack(wire.pack(array))
        assert same(found, array)
        for flag in ("c_contiguous", "f_contiguous", "writeable"):
            assert getattr(found.flags, flag) == getattr(array.flags, flag), flag
        assert wire.fingerprint(array) == wire.fingerprint(plain)


def test_array_that_arrives_is_its_own_and_may_be_changed() -> None:
    frame = wire.pack([np.zeros(3)])
    first = wire.unpack(frame)[0]
    first += 1
    assert wire.unpack(frame)[0].tolist() == [0, 0, 0]


class Always(float):
    """Says yes to everything."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = float.__hash__


class Disguised(np.ndarray):
    """An array that answers for itself."""


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (Always(1), "Always"),
        (object(), "object"),
        (len, "builtin_function_or_method"),
        (np.zeros(2).view(Disguised), "Disguised"),
        (np.array([object()]), "ndarray"),
        (np.array(["text"]), "ndarray"),
        (np.zeros(2, [("a", "f8")]), "ndarray"),
        (1j, "complex"),
        ({1: 2}, "dict"),
        (2**64, "int"),
        ("x" * 100_000, "str"),
        (type("__import__('os')\n<b>", (), {})(), "__import__osb"),
        (type("é", (), {})(), "object"),
    ],
)
def test_what_cannot_cross_is_only_a_name(value: Any, name: str) -> None:
    assert wire.unpack(wire.pack(value)) == Opaque(name)


def test_long_doubles_cross_as_doubles() -> None:
    assert same(wire.unpack(wire.pack(np.longdouble([0.5]))), np.array([0.5]))


@given(value=VALUES)
@steady
def test_fingerprint_tells_values_apart(value: Any) -> None:
    assert wire.fingerprint(value) == wire.fingerprint(wire.unpack(wire.pack(value)))
    assert wire.fingerprint(value) != wire.fingerprint([value])


@given(noise=some.binary(max_size=200))
@steady
def test_noise_is_refused(noise: bytes) -> None:
    for frame in (noise, wire.PREFIX.pack(wire.MARK, len(noise), len(noise)) + noise):
        with pytest.raises(WireError):
            wire.unpack(frame)


@given(value=VALUES, where=some.integers(0, 10**6), what=some.integers(1, 255))
@steady
def test_frame_with_one_changed_byte_is_refused_or_another_value(value: Any, where: int, what: int) -> None:
    frame = bytearray(wire.pack(value))
    frame[where % len(frame)] ^= what
    with contextlib.suppress(WireError):  # and nothing else is ever raised
        wire.unpack(bytes(frame))


def made(header: Any, content: bytes = b"") -> bytes:
    """A frame with any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return wire.PREFIX.pack(wire.MARK, len(text), len(text) + len(content)) + text + content


def one_array(
    dtype: Any = "<f8", shape: Any = (1,), layout: Any = "C", locked: Any = False
) -> dict[str, Any]:
    """The header of a frame with one array."""
    return {"value": {"array": 0}, "arrays": [[dtype, shape, layout, locked]]}


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (b"", "shorter than its prefix"),
        (wire.pack(1)[:-1], "promises"),
        (wire.pack(1) + b"x", "promises"),
        (b"PK\3\4" + wire.pack(1)[4:], "does not begin as a frame"),
        (wire.PREFIX.pack(wire.MARK, 10, 10 * 2**30), "larger than allowed"),
        (wire.PREFIX.pack(wire.MARK, 2**32 - 1, 2**32), "larger than allowed"),
        (wire.PREFIX.pack(wire.MARK, 20, 10) + b"x" * 10, "larger than allowed"),
        (made(b"\xff\xfe"), "not JSON"),
        (made(b'{"value": NaN, "arrays": []}'), "NaN"),
        (made(b'{"value": 1e999, "arrays": []}'), "too long or too large"),
        (made(b'{"value": ' + b"9" * 100_000 + b', "arrays": []}'), "100,000 digits"),
        (made(b'{"value": ' + b"[" * 200_000), "not JSON"),
        (made(b'{"value": 99999999999999999999, "arrays": []}'), "too large"),
        (made({"value": 1}), "other parts"),
        (made([1, 2]), "other parts"),
        (made({"value": {"list": [1], "tuple": [2]}, "arrays": []}), "stands for no value"),
        (made({"value": {"exec": "print(1)"}, "arrays": []}), "stands for no value"),
        (made({"value": {"opaque": "a b"}, "arrays": []}), "stands for no value"),
        (made({"value": {"float": "1.0"}, "arrays": []}), "stands for no value"),
        (made({"value": {"dict": [[1, 2]]}, "arrays": []}), "no pair"),
        (made({"value": "\ud800", "arrays": []}), "half of a letter"),
        (made({"value": "x" * 30_000, "arrays": []}), "too long"),
        (made({"value": {"array": 0}, "arrays": []}), "stands for no value"),
        (made({"value": {"array": True}, "arrays": []}), "stands for no value"),
        (made({"value": None, "arrays": [["<f8", [1], "C", False]]}, bytes(8)), "does not point to"),
        (made(one_array() | {"value": {"number": 0}}, bytes(8)), "stands for no value"),
        (made(one_array("|O"), bytes(8)), "may not cross"),
        (made(one_array("<f16"), bytes(16)), "may not cross"),
        (made(one_array("<f8,<f8"), bytes(16)), "may not cross"),
        (made(one_array(shape=[2 * 10**9, 2 * 10**9]), bytes(8)), "no length"),
        (made(one_array(shape=[20_000, 20_000]), bytes(8)), "larger than the bytes"),
        (made(one_array(shape=[-1]), bytes(8)), "no length"),
        (made(one_array(shape=[True]), bytes(8)), "no length"),
        (made(one_array(shape=[1] * 9), bytes(8)), "too many dimensions"),
        (made(one_array(shape="1"), bytes(8)), "no shape"),
        (made(one_array(layout="K"), bytes(8)), "lies in memory"),
        (made(one_array(shape=[], layout="F"), bytes(8)), "lies in memory"),
        (made(one_array(locked=1), bytes(8)), "lies in memory"),
        (made(one_array(), bytes(16)), "belong to none"),
        (made({"value": None, "arrays": 7}), "list of arrays"),
        (made({"value": None, "arrays": [[1]]}), "is not described"),
    ],
)  # fmt: skip
def test_tampered_frame_is_refused_in_one_sentence(frame: bytes, said: str) -> None:
    with pytest.raises(WireError) as caught:
        wire.unpack(frame)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_array_with_no_pixels_but_huge_sides_takes_no_memory() -> None:
    (found,) = [wire.unpack(made(one_array(shape=[0, 10**8])))]
    assert found.shape == (0, 10**8)


@pytest.mark.parametrize(
    ("value", "limits"),
    [
        (list(range(10)), Limits(values=5)),
        ([[[[1]]]], Limits(depth=2)),
        (np.zeros(1000), Limits(frame=4000)),
        (["x" * 100] * 100, Limits(header=1000)),
        ([np.zeros(1)] * 3, Limits(arrays=2)),
        (np.zeros((1, 1, 1)), Limits(dimensions=2)),
    ],
)
def test_limits_hold_on_both_sides(value: Any, limits: Limits) -> None:
    with pytest.raises(WireError):
        wire.pack(value, limits)
    with pytest.raises(WireError):
        wire.unpack(wire.pack(value), limits)


def test_list_that_holds_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(WireError):
        wire.pack(endless)


@pytest.fixture
def pair() -> Iterator[tuple[Channel, Channel]]:
    """Both ends of a border."""
    (from_b, to_a), (from_a, to_b) = os.pipe(), os.pipe()
    ends = Channel(from_b, to_b), Channel(from_a, to_a)
    yield ends
    for end in ends:
        end.close()


def test_question_gets_its_answer_however_large(pair: tuple[Channel, Channel]) -> None:
    judge, worker = pair
    large = np.arange(10**6)

    def answer() -> None:
        worker.send({"got": worker.receive(20)}, 20)

    helper = threading.Thread(target=answer)
    helper.start()
    found = judge.ask(large, 20)
    helper.join()
    assert same(found, {"got": large})
    judge.expect_silence()


def test_reply_that_nobody_asked_for_is_refused(pair: tuple[Channel, Channel]) -> None:
    judge, worker = pair
    worker.send("queued", 5)
    with pytest.raises(WireError, match="not asked for"):
        judge.ask("question", 5)


def test_silence_is_late_and_a_drip_does_not_prolong_it(pair: tuple[Channel, Channel]) -> None:
    judge, worker = pair
    start = time.monotonic()
    with pytest.raises(Late):
        judge.receive(0.2)

    def drip() -> None:
        for byte in wire.pack("slowly"):
            time.sleep(0.05)
            os.write(worker.target, bytes([byte]))

    helper = threading.Thread(target=drip)
    helper.start()
    with pytest.raises(Late):
        judge.receive(0.3)
    assert time.monotonic() - start < 5
    helper.join()


def test_flood_that_never_lets_the_judge_wait_is_late_too(tmp_path: Path) -> None:
    flood = tmp_path / "flood"
    with flood.open("wb") as file:  # from a file there is always something to read
        file.write(struct.pack(">4sIQ", wire.MARK, 100, 2**28))
        file.truncate(2**28 + 100)
    channel = Channel(os.open(flood, os.O_RDONLY), os.open(os.devnull, os.O_WRONLY))
    with contextlib.closing(channel), pytest.raises(Late):
        channel.receive(0.005)


def test_other_side_that_does_not_read_is_late(pair: tuple[Channel, Channel]) -> None:
    judge, _ = pair
    with pytest.raises(Late):
        judge.send(np.zeros(10**6), 0.2)


def test_other_side_that_has_gone_is_noticed(pair: tuple[Channel, Channel]) -> None:
    judge, worker = pair
    os.write(worker.target, wire.pack("half a frame")[:20])
    worker.close()
    with pytest.raises(Closed, match="in the middle of a frame"):
        judge.receive(5)
    with pytest.raises(Closed):
        judge.receive(5)
    with pytest.raises(Closed):
        judge.send(np.zeros(10**6), 5)


def test_length_of_ten_gigabytes_is_refused_before_it_is_read(pair: tuple[Channel, Channel]) -> None:
    judge, worker = pair
    os.write(worker.target, struct.pack(">4sIQ", wire.MARK, 100, 10 * 2**30))
    start = time.monotonic()
    with pytest.raises(WireError, match="larger than allowed"):
        judge.receive(5)
    assert time.monotonic() - start < 4
