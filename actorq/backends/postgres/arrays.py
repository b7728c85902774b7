"""Arrays for PostgreSQL in its binary format: a batch travels as one array a column.

Made here by hand, since the driver adapts a list element by element: a tenth of a microsecond a value
instead of one, and the values are most of what a batch costs on this side.
"""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_BYTEA: Final = 17
_INT8: Final = 20
_INT4: Final = 23
_TEXT: Final = 25
_FLOAT8: Final = 701
_UUID: Final = 2950
_NULL: Final = b"\xff\xff\xff\xff"


def int4s(values: Sequence[int]) -> bytes:
    """Encode an ``integer[]``."""
    count = len(values)
    flat = [4] * (2 * count)
    flat[1::2] = values
    return _head(_INT4, count) + pack(f">{2 * count}i", *flat)


def int8s(values: Sequence[int | None]) -> bytes:
    """Encode a ``bigint[]``, which may hold NULLs."""
    count = len(values)
    if None not in values:
        flat: list[int | None] = [8] * (2 * count)
        flat[1::2] = values
        return _head(_INT8, count) + pack(">" + "iq" * count, *flat)
    return _head(_INT8, count) + b"".join(
        [_NULL if value is None else pack(">iq", 8, value) for value in values]
    )


def float8s(values: Sequence[float | None]) -> bytes:
    """Encode a ``double precision[]``, which may hold NULLs."""
    return _head(_FLOAT8, len(values)) + b"".join(
        [_NULL if value is None else pack(">id", 8, value) for value in values]
    )


def texts(values: Sequence[str | None]) -> bytes:
    """Encode a ``text[]``, which may hold NULLs."""
    if None not in values:
        return _sized(_TEXT, [value.encode() for value in values if value is not None])
    return _blobs(_TEXT, [None if value is None else value.encode() for value in values])


def byteas(values: Sequence[bytes | None]) -> bytes:
    """Encode a ``bytea[]``, which may hold NULLs."""
    if None not in values:
        return _sized(_BYTEA, [value for value in values if value is not None])
    return _blobs(_BYTEA, values)


def uuids(ids: Sequence[str]) -> bytes:
    """Encode a ``uuid[]`` from the texts of job ids."""
    if not ids:
        return _head(_UUID, 0)
    # The size of each, as text, so that all of it is converted at once.
    whole = "00000010".join(("", *ids))
    return _head(_UUID, len(ids)) + bytes.fromhex(whole.replace("-", ""))


def int4(value: int) -> bytes:
    """Encode an ``integer``."""
    return pack(">i", value)


def int8(value: int) -> bytes:
    """Encode a ``bigint``."""
    return pack(">q", value)


def uuid(text: str) -> bytes:
    """Encode a ``uuid`` from the text of a job id."""
    return bytes.fromhex(text.replace("-", ""))


def _sized(element: int, values: list[bytes]) -> bytes:
    """Encode values of which none is NULL; those of one length are put together at once."""
    if len(set(map(len, values))) == 1:
        size = len(values[0]).to_bytes(4, "big")
        return _head(element, len(values)) + size.join((b"", *values))
    return _head(element, len(values)) + b"".join(
        [part for value in values for part in (len(value).to_bytes(4, "big"), value)]
    )


def _blobs(element: int, values: Sequence[bytes | None]) -> bytes:
    """Encode values of which some, or all, are NULL."""
    count = len(values)
    if values.count(None) == count:
        return _head(element, count) + _NULL * count
    parts = [_head(element, count)]
    for value in values:
        if value is None:
            parts.append(_NULL)
        else:
            parts += (len(value).to_bytes(4, "big"), value)
    return b"".join(parts)


def _head(element: int, count: int) -> bytes:
    """Return what comes before the elements: dimensions, "may hold NULL", type, length, first index."""
    if not count:
        return pack(">iii", 0, 0, element)
    return pack(">iiiii", 1, 1, element, count, 1)
