"""Answers to a renewal of leases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from actorq.sdk.client.errors import BadAnswer
from actorq.sdk.client.reading import understanding
from actorq.sdk.door import Held, Renewal, Renewals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.sdk.client.exchange import Answer


class _Lease(msgspec.Struct, frozen=True):
    id: str
    status: Held
    visibility_timeout: float = 0.0


class _Heartbeat(msgspec.Struct, frozen=True):
    leases: list[_Lease]
    directive: str = "continue"


_heartbeat: Final = msgspec.json.Decoder(_Heartbeat)


def read(answer: Answer, ids: Sequence[str]) -> Renewals:
    """Return how the leases of the jobs ``ids`` stand, in their order; raises ``BadAnswer``."""
    with understanding(answer):
        found = _heartbeat.decode(answer.body)
    if [one.id for one in found.leases] != list(ids):
        raise BadAnswer(f"{len(ids)} leases were sent, and {len(found.leases)} others answered")
    leases = [Renewal(one.status, one.visibility_timeout) for one in found.leases]
    return Renewals(leases, drain=found.directive == "drain")
