"""Conditional requests: a job's version is its entity tag (RFC 9110, section 13)."""

from __future__ import annotations

import re
from typing import Final

from actorq.core.job import Job
from actorq.errors import InvalidInput

_TAG = re.compile(r'\s*(?P<weak>W/)?(?:"(?P<quoted>[\x21\x23-\x7e\x80-\xff]*)"|(?P<bare>\d+))\s*')
_VERSION = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
_FORM: Final = 'must be entity tags like "3", separated by commas, or *'


class Tags:
    """The entity tags of ``If-Match`` or ``If-None-Match``; ``any`` when the header says ``*``."""

    def __init__(self, *, any_version: bool, strong: frozenset[int], weak: frozenset[int]) -> None:
        """Hold the versions that were named; what is no version of ours can match nothing."""
        self.any = any_version
        self.strong = strong
        self.versions = strong | weak


def parse_tags(header: str, name: str) -> Tags:
    """Read a header of entity tags; a number without quotes is understood too."""
    if header.strip() == "*":
        return Tags(any_version=True, strong=frozenset(), weak=frozenset())
    strong: set[int] = set()
    weak: set[int] = set()
    place = 0
    while True:
        match = _TAG.match(header, place)
        if match is None:
            raise InvalidInput("", f"the header {name} {_FORM}")
        text = match["quoted"] if match["quoted"] is not None else match["bare"]
        if _VERSION.fullmatch(text):
            (weak if match["weak"] else strong).add(int(text))
        place = match.end()
        if place == len(header):
            return Tags(any_version=False, strong=frozenset(strong), weak=frozenset(weak))
        if header[place] != ",":
            raise InvalidInput("", f"the header {name} {_FORM}")
        place += 1


def etag(job: Job) -> tuple[bytes, bytes]:
    """Return the header ``ETag`` of a job."""
    return (b"etag", b'"%d"' % job.version)
