"""The bounds of everything that comes in (contract §1), checked in one place for every door.

Each check returns the value, or raises ``InvalidInput`` with the JSON pointer of its place.
Nothing is cut short or corrected here: what breaks a bound is refused. A check takes any object,
for an embedding program need not have its types checked: a store must never see bytes as a payload.
"""

import math
import re
from collections.abc import Sequence
from typing import Final, cast

import msgspec

from actorq.core.job import Backoff
from actorq.core.workflow import MAX_PARENTS
from actorq.errors import InvalidInput

PRIORITY_MIN: Final = -(2**31)
PRIORITY_MAX: Final = 2**31 - 1
MAX_RETRIES: Final = 1_000
MAX_QUEUE_NAME: Final = 128
QUEUE_NAME_FORM: Final = rf"[A-Za-z0-9_][A-Za-z0-9_.:-]{{0,{MAX_QUEUE_NAME - 1}}}"
"""What a queue's name may be, whole, as a regular expression."""

JOB_ID_FORM: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
"""What a job's id may be, whole, as a regular expression."""

MAX_TASK: Final = 200
MAX_KEY: Final = 255
MAX_WORKER_ID: Final = 255
MAX_METADATA_ENTRIES: Final = 64
MAX_METADATA_KEY_BYTES: Final = 128
MAX_METADATA_VALUE_BYTES: Final = 4_096
MAX_ERROR_BYTES: Final = 4_096
MAX_PROGRESS_BYTES: Final = 65_536
MAX_VISIBILITY_S: Final = 43_200.0
MIN_VISIBILITY_S: Final = 1.0
MAX_BACKOFF_FACTOR: Final = 1_000.0
MAX_DELAY_S: Final = 100 * 365 * 86_400.0
"""A century: beyond it the due time would leave the range of RFC 3339 for clocks of our time."""

_QUEUE_NAME = re.compile(QUEUE_NAME_FORM, re.ASCII)
_JOB_ID = re.compile(JOB_ID_FORM, re.ASCII)


def queue_name(value: object, pointer: str = "/queue_name") -> str:
    """Return a legal queue name: ASCII, at most 128 characters, none with a meaning in a path."""
    if not isinstance(value, str) or _QUEUE_NAME.fullmatch(value) is None:
        raise InvalidInput(
            pointer,
            f"must match {QUEUE_NAME_FORM}: ASCII, at most {MAX_QUEUE_NAME} characters",
        )
    return value


def is_job_id(value: str) -> bool:
    """Tell whether ``value`` has the form of a job id; what has not cannot name a job."""
    return _JOB_ID.fullmatch(value) is not None


def parents(value: object) -> tuple[str, ...]:
    """Return the ids of the jobs that one depends on, each once, in the order in which they were named.

    Each is named by its id, or by whatever has it.
    """
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise InvalidInput("/depends_on", "must be a list of the ids of jobs")
    ids: dict[str, None] = {}
    for place, named in enumerate(cast("Sequence[object]", value)):
        job_id: object = named if isinstance(named, str) else getattr(named, "id", None)
        if not isinstance(job_id, str) or not is_job_id(job_id):
            raise InvalidInput(f"/depends_on/{place}", "must be the id of a job")
        ids[job_id] = None
    if len(ids) > MAX_PARENTS:
        raise InvalidInput("/depends_on", f"must name at most {MAX_PARENTS} jobs, not {len(ids)}")
    return tuple(ids)


def utf8(value: object, pointer: str) -> bytes:
    """Return the UTF-8 bytes of a text; a lone surrogate has none and is refused."""
    if not isinstance(value, str):
        raise InvalidInput(pointer, "must be text")
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise InvalidInput(pointer, "must be valid Unicode: it holds a lone surrogate") from None


def payload(value: object, max_bytes: int, pointer: str = "/payload") -> str:
    """Return a payload of at most ``max_bytes`` bytes of UTF-8; U+0000 is welcome."""
    if not isinstance(value, str):
        raise InvalidInput(pointer, "must be text: encode structured data first")
    # An ASCII string's length is its size in bytes, which spares the common case a copy.
    size = len(value) if value.isascii() else len(utf8(value, pointer))
    if size > max_bytes:
        raise InvalidInput(pointer, f"must be at most {max_bytes} bytes of UTF-8, not {size}")
    return value


def text(value: object, pointer: str, *, longest: int) -> str:
    """Return a name or key of 1 to ``longest`` characters, valid Unicode, without U+0000."""
    if not isinstance(value, str):
        raise InvalidInput(pointer, "must be text")
    if not 1 <= len(value) <= longest:
        raise InvalidInput(pointer, f"must have 1 to {longest} characters, not {len(value)}")
    if not value.isascii():
        utf8(value, pointer)
    if "\0" in value:
        raise InvalidInput(pointer, "must not hold U+0000")
    return value


def integer(value: object, pointer: str, *, least: int, most: int) -> int:
    """Return an integer of the range; a bool is not an integer here."""
    if type(value) is int and least <= value <= most:
        return value
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InvalidInput(pointer, f"must be an integer from {least} to {most}")
    return value


def boolean(value: object, pointer: str) -> bool:
    """Return a boolean; nothing else is taken for one."""
    if not isinstance(value, bool):
        raise InvalidInput(pointer, "must be true or false")
    return value


def priority(value: object, pointer: str = "/priority") -> int:
    """Return a priority: 32 bits, signed."""
    return integer(value, pointer, least=PRIORITY_MIN, most=PRIORITY_MAX)


def _number(value: object, least: float, most: float) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    # NaN is in no range, and an integer of any size can be compared before it is converted.
    return float(value) if least <= value <= most else None


def seconds(value: object, pointer: str, *, least: float, most: float) -> float:
    """Return a duration of the range, in seconds."""
    if type(value) is float and least <= value <= most:
        return value
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise InvalidInput(pointer, "must be a number of seconds")
    number = _number(value, least, most)
    if number is None:
        allowed = f"{least:g} or more" if most == math.inf else f"from {least:g} to {most:.15g}"
        raise InvalidInput(pointer, f"must be {allowed} seconds")
    return number


def visibility_timeout(value: object, pointer: str = "/visibility_timeout") -> float:
    """Return a visibility timeout: 1 s to 12 h."""
    return seconds(value, pointer, least=MIN_VISIBILITY_S, most=MAX_VISIBILITY_S)


def metadata(value: object, pointer: str = "/metadata") -> dict[str, str]:
    """Return a copy of a metadata map: at most 64 entries within the sizes of the contract.

    It is the record's own: what the caller does to its map later must not change a job.
    """
    try:
        entries = msgspec.convert(value, dict[str, str])
    except msgspec.ValidationError:
        raise InvalidInput(pointer, "must be a map of text to text") from None
    if len(entries) > MAX_METADATA_ENTRIES:
        raise InvalidInput(pointer, f"must have at most {MAX_METADATA_ENTRIES} entries")
    for key, entry in entries.items():
        place = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
        if not 1 <= len(utf8(key, pointer)) <= MAX_METADATA_KEY_BYTES:
            raise InvalidInput(pointer, f"a key must have 1 to {MAX_METADATA_KEY_BYTES} bytes")
        if len(utf8(entry, place)) > MAX_METADATA_VALUE_BYTES:
            raise InvalidInput(place, f"must be at most {MAX_METADATA_VALUE_BYTES} bytes of UTF-8")
        if "\0" in key or "\0" in entry:
            raise InvalidInput(pointer, "must not hold U+0000")
    return entries


def backoff(value: Backoff, pointer: str = "/backoff") -> Backoff:
    """Return a backoff whose numbers are finite and sensible: base and max 0 s to a century."""
    base = seconds(value.base, f"{pointer}/base", least=0.0, most=MAX_DELAY_S)
    longest = seconds(value.max, f"{pointer}/max", least=0.0, most=MAX_DELAY_S)
    factor = _number(value.factor, 1.0, MAX_BACKOFF_FACTOR)
    if factor is None:
        raise InvalidInput(f"{pointer}/factor", "must be a number from 1 to 1000")
    return Backoff(base, factor, longest)


def cut_error(message: str) -> str:
    """Return a failure's message, cut to 4 KiB of UTF-8 and made storable.

    An error text is ours to record, not the caller's data to keep: one that is too long or not
    valid Unicode must never stop a failure from being recorded.
    """
    data = message.encode(errors="backslashreplace").replace(b"\0", b"\\x00")
    if len(data) <= MAX_ERROR_BYTES:
        return data.decode()
    return data[: MAX_ERROR_BYTES - 3].decode(errors="ignore") + "…"
