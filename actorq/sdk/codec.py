"""How the bytes of arguments and results become text, and what may be done to them before.

Arguments are a JSON object, and a job's payload is text, so without a codec the payload is that object.
A codec turns the JSON's bytes into other bytes: it compresses, signs or encrypts them. What it made is
written as ``name:base64``, which no JSON object begins like, and its name finds the codec that reads it
again. A result must be JSON, so there it is ``{"actorq-codec": name, "data": base64}``.
"""

from __future__ import annotations

import binascii
import re
import zlib
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from actorq.errors import ActorqError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_LARGEST: Final = 64 * 1024 * 1024


class Unreadable(ActorqError, ValueError):
    """A payload or a result that none of the app's codecs can read."""

    code = "unreadable"


class Codec(Protocol):
    """Bytes in, bytes out. ``name`` is written beside them: for a cipher, it is the id of the key."""

    @property
    def name(self) -> str:
        """Up to 64 letters, digits and ``_.-``; it finds the codec again, so it never changes."""
        ...

    def encode(self, data: bytes, /) -> bytes:
        """Return what is stored instead of ``data``."""
        ...

    def decode(self, data: bytes, /) -> bytes:
        """Return what ``encode`` was given; raise any error for bytes that it has not made."""
        ...


class Zlib:
    """Compresses; a good choice for large arguments. Nothing is inflated beyond 64 MiB."""

    name: str = "zlib"

    def encode(self, data: bytes, /) -> bytes:
        """Compress."""
        return zlib.compress(data)

    def decode(self, data: bytes, /) -> bytes:
        """Inflate."""
        reader = zlib.decompressobj()
        found = reader.decompress(data, _LARGEST)
        if reader.unconsumed_tail or not reader.eof:
            raise ValueError("it is cut short, or larger than 64 MiB")
        return found


class _Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A result that went through a codec."""

    codec: str = msgspec.field(name="actorq-codec")
    data: str


_SEALED = msgspec.json.Decoder(_Sealed)


class Codecs:
    """The codecs of an app: the first writes, all of them read, each what bears its name."""

    def __init__(self, codecs: Sequence[Codec] = ()) -> None:
        """Take them in order; raises ``ConfigurationError`` for a name that cannot be one."""
        for codec in codecs:
            if _NAME.fullmatch(codec.name) is None:
                raise ConfigurationError(f"a codec cannot be named {codec.name!a:.100}")
        self._writer = codecs[0] if codecs else None
        self._readers = {codec.name: codec for codec in codecs}
        if len(self._readers) != len(codecs):
            raise ConfigurationError("two codecs have the same name")

    def payload(self, data: bytes) -> str:
        """Return arguments, as JSON, as a payload."""
        if self._writer is None:
            return data.decode()
        return f"{self._writer.name}:{_text(self._writer.encode(data))}"

    def arguments(self, payload: str) -> bytes | str:
        """Return the JSON of a payload's arguments; raises ``Unreadable``."""
        # JSON may begin with blanks, and begins with a brace: no codec's name does.
        if payload.lstrip()[:1] in {"{", ""}:
            return payload
        name, _, text = payload.partition(":")
        return self._decode(name, text)

    def result(self, data: bytes) -> str:
        """Return a result, as JSON, as it is stored."""
        if self._writer is None:
            return data.decode()
        sealed = _Sealed(self._writer.name, _text(self._writer.encode(data)))
        return msgspec.json.encode(sealed).decode()

    def value(self, result: str) -> bytes | str:
        """Return the JSON of a stored result; raises ``Unreadable``."""
        if not self._readers:
            return result
        try:
            sealed = _SEALED.decode(result)
        except msgspec.MsgspecError:
            # Written before there was a codec.
            return result
        return self._decode(sealed.codec, sealed.data)

    def _decode(self, name: str, text: str) -> bytes:
        codec = self._readers.get(name)
        if codec is None:
            raise Unreadable(f"no codec here is named {name!a:.100}")
        try:
            return codec.decode(b64decode(text, validate=True))
        except binascii.Error:
            raise Unreadable(f"what the codec {name} made is not base64 any more") from None
        except Exception as error:
            raise Unreadable(f"the codec {name} cannot read this") from error


def _text(data: bytes) -> str:
    return b64encode(data).decode("ascii")
