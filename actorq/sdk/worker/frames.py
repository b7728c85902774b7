"""What a worker and its child processes say to each other: JSON, each message behind its length.

No pickle: what comes from a job is data here too, and never code.
"""

from __future__ import annotations

from typing import Final

import msgspec

from actorq.core.job import Job
from actorq.sdk.worker.endings import Ending
from actorq.sdk.worker.places import Place

HEAD: Final = 4
"""Bytes that tell the length of a message, the highest first."""


class Order(msgspec.Struct, frozen=True, tag=True):
    """To a child: run this job. ``arguments`` is JSON, after the codec."""

    place: Place
    job: Job
    arguments: str


class Found(msgspec.Struct, frozen=True, tag=True):
    """To a child: the jobs that it asked for; or the id of one that is not there."""

    jobs: tuple[Job, ...] = ()
    missing: str | None = None


class Ask(msgspec.Struct, frozen=True, tag=True):
    """From a child: what it wants to see, jobs by their ids."""

    job_ids: tuple[str, ...]


class Progress(msgspec.Struct, frozen=True, tag=True):
    """From a child: how far it is, as JSON text."""

    progress: str


ORDERS: Final[msgspec.json.Decoder[Order | Found]] = msgspec.json.Decoder(Order | Found)
ANSWERS: Final[msgspec.json.Decoder[Ask | Progress | Ending]] = msgspec.json.Decoder(
    Ask | Progress | Ending
)


def encode(message: Order | Found | Ask | Progress | Ending) -> bytes:
    """Write a message with its length in front."""
    data = msgspec.json.encode(message)
    return len(data).to_bytes(HEAD, "big") + data
