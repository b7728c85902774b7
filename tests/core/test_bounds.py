"""The bounds: each at its limit, one below and one beyond; no other type passes for one (contract §1)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actorq.core import bounds
from actorq.core.job import Backoff
from actorq.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

INTEGERS: dict[str, tuple[Callable[[object], object], int, int]] = {
    "priority": (bounds.priority, -(2**31), 2**31 - 1),
    "max_retries": (lambda value: bounds.integer(value, "/x", least=0, most=1_000), 0, 1_000),
}


@pytest.mark.parametrize("name", INTEGERS)
def test_integers_end_where_they_are_said_to(name: str) -> None:
    """Both limits are allowed, one beyond is not (§1, fault F1)."""
    check, least, most = INTEGERS[name]
    for value in (least, least + 1, most - 1, most):
        assert check(value) == value
    for value in (least - 1, most + 1, 2**53, -(2**63), 10**400):
        with pytest.raises(InvalidInput):
            check(value)


@pytest.mark.parametrize("value", [True, False, 1.0, 1.5, math.nan, math.inf, "5", None, [1], b"1"])
def test_only_an_integer_is_an_integer(value: object) -> None:
    """A boolean is no number, and neither is what merely looks like one (§1, fault F1)."""
    with pytest.raises(InvalidInput, match="integer"):
        bounds.priority(value)


@pytest.mark.parametrize("value", [0, 1, None, "true", 1.0])
def test_only_a_boolean_is_a_boolean(value: object) -> None:
    """Nothing else is taken for true or false (§1)."""
    with pytest.raises(InvalidInput, match="true or false"):
        bounds.boolean(value, "/x")


@pytest.mark.parametrize(
    ("value", "passes"),
    [(0.999, False), (1, True), (1.0, True), (43_200.0, True), (43_200.001, False)],
)
def test_a_visibility_timeout_is_1_s_to_12_h(value: float, *, passes: bool) -> None:
    """The limits themselves are allowed (§4)."""
    if passes:
        checked = bounds.visibility_timeout(value)
        assert (checked, type(checked)) == (value, float)
    else:
        with pytest.raises(InvalidInput):
            bounds.visibility_timeout(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, True, "5", None, 10**400])
def test_seconds_are_finite_numbers(value: object) -> None:
    """NaN, infinities, booleans and text are no durations; no integer overflows (§1)."""
    with pytest.raises(InvalidInput, match="seconds"):
        bounds.seconds(value, "/x", least=0.0, most=bounds.MAX_DELAY_S)


@pytest.mark.parametrize(
    "name",
    ["a", "_", "9", "a" * 128, "A.b:c-d_e", "0-9", "_._", "a:b", "mail.v2"],
)
def test_names_of_queues(name: str) -> None:
    """ASCII letters, digits and a few signs, 1 to 128 of them (§1)."""
    assert bounds.queue_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "", "a" * 129, ".", "..", "-a", ":a", "../x", "a/b", "a b", "a\n", "a\x00", "é", "e\u0301",
        "a\r\nX: y", "{x}", "*", "a?", "a#b", "%00", "a'b", 'a"b', "<b>", "a;b", "\u0663", "\ud800", None,
        5, b"a", "a" * 10_000,
    ],
)  # fmt: skip
def test_names_that_mean_something_elsewhere(name: object) -> None:
    """No name has a meaning in a path, a header, a pattern, a script or a cluster's slot (fault F4)."""
    with pytest.raises(InvalidInput) as caught:
        bounds.queue_name(name)
    assert caught.value.pointer == "/queue_name"


@pytest.mark.parametrize("text", ["", "x" * 10, "é" * 5, "\0" * 10, "😀x" * 2, "\u2028"])
def test_a_payload_is_any_text_within_its_size(text: str) -> None:
    """A payload is counted in bytes of UTF-8, and U+0000 is welcome (§1, I15)."""
    assert bounds.payload(text, 10) == text


@pytest.mark.parametrize(
    "text", ["x" * 11, "é" * 6, "x" * 9 + "é", "\ud800", "a\udfff", b"x", None, {}]
)
def test_a_payload_beyond_its_size_is_refused(text: object) -> None:
    """One byte too many, a lone surrogate, or no text at all is refused (§1, I15)."""
    with pytest.raises(InvalidInput) as caught:
        bounds.payload(text, 10)
    assert caught.value.pointer == "/payload"


@given(st.text(), st.integers(0, 12))
def test_a_payload_passes_iff_its_bytes_fit(text: str, most: int) -> None:
    """The size is that of the UTF-8, whatever the characters (§1)."""
    if len(text.encode()) <= most:
        assert bounds.payload(text, most) == text
    else:
        with pytest.raises(InvalidInput):
            bounds.payload(text, most)


@pytest.mark.parametrize("text", ["a", "é" * 200, "x" * 199, "x" * 200, " ", "\n"])
def test_texts_have_one_to_their_longest_characters(text: str) -> None:
    """Names and keys are counted in characters (§1)."""
    assert bounds.text(text, "/task", longest=200) == text


@pytest.mark.parametrize("text", ["", "x" * 201, "\0", "a\0b", "\ud800", None, 7, b"a"])
def test_texts_that_no_store_keeps(text: object) -> None:
    """Empty, too long, with U+0000 or a lone surrogate: refused at its place (§1)."""
    with pytest.raises(InvalidInput) as caught:
        bounds.text(text, "/task", longest=200)
    assert caught.value.pointer == "/task"


@pytest.mark.parametrize(
    "entries",
    [
        {}, {"a": ""}, {"k" * 128: "v"}, {"é" * 64: "v"}, {"k": "v" * 4_096}, {"k": "é" * 2_048},
        {str(n): "v" for n in range(64)},
    ],
)  # fmt: skip
def test_metadata_within_its_bounds(entries: dict[str, str]) -> None:
    """64 entries, keys of 128 bytes and values of 4 KiB are allowed; the map is copied (§1)."""
    checked = bounds.metadata(entries)
    assert checked == entries
    assert checked is not entries


@pytest.mark.parametrize(
    ("entries", "pointer"),
    [
        ({"": "v"}, "/metadata"),
        ({"k" * 129: "v"}, "/metadata"),
        ({"é" * 65: "v"}, "/metadata"),
        ({"k": "v" * 4_097}, "/metadata/k"),
        ({"a/b~c": "é" * 2_049}, "/metadata/a~1b~0c"),
        ({str(n): "v" for n in range(65)}, "/metadata"),
        ({"k\0": "v"}, "/metadata"),
        ({"k": "\0"}, "/metadata"),
        ({"\ud800": "v"}, "/metadata"),
        ({"k": "\udc00"}, "/metadata/k"),
        ({"k": 1}, "/metadata"),
        ({1: "v"}, "/metadata"),
        ([("k", "v")], "/metadata"),
        ("k", "/metadata"),
    ],
)
def test_metadata_beyond_its_bounds(entries: object, pointer: str) -> None:
    """One entry, byte or NUL too many is refused, at a JSON pointer that is one (§1)."""
    with pytest.raises(InvalidInput) as caught:
        bounds.metadata(entries)
    assert caught.value.pointer == pointer


@pytest.mark.parametrize(
    "value",
    [Backoff(), Backoff(0.0, 1.0, 0.0), Backoff(bounds.MAX_DELAY_S, 1_000.0, bounds.MAX_DELAY_S)],
)
def test_backoffs_within_their_bounds(value: Backoff) -> None:
    """A base and a cap of up to a century, a factor of 1 to 1000 (§5)."""
    assert bounds.backoff(value) == value


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        (Backoff(base=-1.0), "/backoff/base"),
        (Backoff(base=math.nan), "/backoff/base"),
        (Backoff(max=math.inf), "/backoff/max"),
        (Backoff(max=bounds.MAX_DELAY_S + 1), "/backoff/max"),
        (Backoff(factor=0.999), "/backoff/factor"),
        (Backoff(factor=1_000.001), "/backoff/factor"),
        (Backoff(factor=math.nan), "/backoff/factor"),
        (Backoff(factor=True), "/backoff/factor"),
    ],
)
def test_backoffs_beyond_their_bounds(value: Backoff, pointer: str) -> None:
    """Nothing infinite, negative or shrinking (§5)."""
    with pytest.raises(InvalidInput) as caught:
        bounds.backoff(value)
    assert caught.value.pointer == pointer


@given(st.text(st.characters(codec=None), max_size=6_000))
def test_an_error_text_is_always_recorded(message: str) -> None:
    """However long or odd, a failure's message is made storable: valid, without NUL, 4 KiB (§1)."""
    cut = bounds.cut_error(message)
    data = cut.encode()
    assert len(data) <= bounds.MAX_ERROR_BYTES
    assert b"\0" not in data


@pytest.mark.parametrize(("size", "kept"), [(4_095, 4_095), (4_096, 4_096), (4_097, 4_096)])
def test_an_error_text_is_cut_at_4_kib(size: int, kept: int) -> None:
    """Up to the limit it is kept as it is; beyond it is cut, and says so (§1)."""
    cut = bounds.cut_error("x" * size)
    assert len(cut.encode()) == kept
    assert cut.endswith("…") == (size > kept)


@pytest.mark.parametrize("sign", ["é", "€", "😀"])
def test_an_error_text_is_not_cut_within_a_character(sign: str) -> None:
    """The cut falls between characters, of whatever size (§1)."""
    cut = bounds.cut_error(sign * 4_096)
    assert set(cut) == {sign, "…"}
    assert bounds.MAX_ERROR_BYTES - 6 <= len(cut.encode()) <= bounds.MAX_ERROR_BYTES


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        ("018f0000-0000-7000-8000-000000000001", True),
        ("018F0000-0000-7000-8000-000000000001", False),
        ("018f0000000070008000000000000001", False),
        ("018f0000-0000-7000-8000-000000000001\n", False),
        ("", False),
        ("../x", False),
    ],
)
def test_the_form_of_an_id(value: str, *, is_one: bool) -> None:
    """An id is a UUID in lower case with its hyphens (§1)."""
    assert bounds.is_job_id(value) == is_one
