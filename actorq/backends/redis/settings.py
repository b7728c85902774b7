"""A queue's settings as they are kept: JSON, which the claiming script reads too."""

from __future__ import annotations

from typing import Final, cast

import msgspec

from actorq.core.instants import to_us
from actorq.core.queue import QueueEdit, QueueSettings

_decoder: Final = msgspec.json.Decoder(QueueSettings)
_DEFAULTS: Final = QueueSettings()
_PLAIN: Final = b"{}"


def decode_settings(text: bytes | str | None) -> QueueSettings:
    """Read settings; a queue without any has the defaults."""
    return _DEFAULTS if text is None or text in {_PLAIN, "{}"} else _decoder.decode(text)


def edit_settings(text: bytes | None, edit: QueueEdit) -> bytes:
    """Return the settings after ``edit``; what a later version keeps there stays as it is."""
    kept = cast("dict[str, object]", msgspec.json.decode(text or _PLAIN))
    after = edit.apply(decode_settings(text))
    for name in QueueSettings.__struct_fields__:
        value = getattr(after, name)
        if value == getattr(_DEFAULTS, name):
            kept.pop(name, None)
        else:
            kept[name] = value
    kept.pop("visibility_us", None)
    if after.visibility_timeout is not None:
        # The script adds this to the clock: it need not know how seconds are rounded.
        kept["visibility_us"] = to_us(after.visibility_timeout)
    return msgspec.json.encode(kept)
