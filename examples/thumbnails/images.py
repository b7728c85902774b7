"""Real images without a library: PNG files of 8-bit RGB, drawn, read, shrunk and written.

A program of yours would use Pillow. This one is about jobs, so that it needs nothing but actorq.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_BYTES: Final = 3
"""Of a pixel: red, green, blue."""


class NotAnImage(Exception):
    """A file is no PNG of the kind that is read here."""


class Image(NamedTuple):
    """Rows of pixels, one after the other."""

    width: int
    height: int
    pixels: bytes


def draw(width: int, height: int, seed: int) -> Image:
    """Draw slopes under a sky; each ``seed`` has its own."""
    pixels = bytearray()
    for y in range(height):
        sky = 255 * (height - y) // height
        for x in range(width):
            hill = (x * (seed % 7 + 2) // 3 + (x * x) // (width * (seed % 5 + 1))) % height
            pixels += bytes((sky, 200, 255) if y < hill else (40 * seed % 200, 255 - sky, 60))
    return Image(width, height, bytes(pixels))


def shrink(image: Image, width: int, on_row: Callable[[int, int], None]) -> Image:
    """Shrink an image to ``width`` pixels, each the mean of those that it stands for.

    ``on_row`` is told of each row that is done, and how many there will be.
    """
    height = max(1, image.height * width // image.width)
    pixels = bytearray()
    for y in range(height):
        top, bottom = y * image.height // height, (y + 1) * image.height // height
        rows = [_row(image, number) for number in range(top, max(bottom, top + 1))]
        for x in range(width):
            left, right = x * image.width // width, (x + 1) * image.width // width
            part = slice(left * _BYTES, max(right, left + 1) * _BYTES)
            block = b"".join(row[part] for row in rows)
            number = len(block) // _BYTES
            pixels += bytes(sum(block[colour::_BYTES]) // number for colour in range(_BYTES))
        on_row(y + 1, height)
    return Image(width, height, bytes(pixels))


def write(image: Image, path: Path) -> None:
    """Write an image; whoever looks at ``path`` sees all of it or nothing."""
    head = struct.pack(">IIBBBBB", image.width, image.height, 8, 2, 0, 0, 0)
    rows = b"".join(b"\0" + _row(image, number) for number in range(image.height))
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    beside = path.with_suffix(".part")
    beside.write_bytes(_SIGNATURE + b"".join(_chunk(name, data) for name, data in chunks))
    beside.replace(path)


def read(path: Path) -> Image:
    """Read an image that ``write`` wrote; raises ``NotAnImage``, and ``OSError`` if there is no file."""
    data = path.read_bytes()
    if not data.startswith(_SIGNATURE):
        raise NotAnImage(f"{path.name} is no PNG")
    try:
        chunks = dict(_chunks(data))
        width, height, *kind = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
        rows = zlib.decompress(chunks[b"IDAT"])
    except (KeyError, struct.error, zlib.error) as error:
        raise NotAnImage(f"{path.name} is damaged: {error!r}") from error
    length = 1 + width * _BYTES
    if kind != [8, 2, 0, 0, 0] or len(rows) != height * length or any(rows[::length]):
        raise NotAnImage(f"{path.name} is a PNG of another kind")
    lines = [rows[start + 1 : start + length] for start in range(0, len(rows), length)]
    return Image(width, height, b"".join(lines))


def _row(image: Image, number: int) -> bytes:
    length = image.width * _BYTES
    return image.pixels[number * length : (number + 1) * length]


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(_SIGNATURE)
    while place < len(data):
        (size,) = struct.unpack_from(">I", data, place)
        yield data[place + 4 : place + 8], data[place + 8 : place + 8 + size]
        place += size + 12
