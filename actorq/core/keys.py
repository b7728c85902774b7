"""Idempotency: which requests are one request sent twice (contract §6)."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import msgspec

from actorq.core.job import Idempotency, NewJob
from actorq.core.workflow import Parent

_ENCODER = msgspec.json.Encoder(order="deterministic")

_NEW: Final = "#"
"""A parent that is made together with its child, which no id begins with."""


def idempotency(new: NewJob, caller: str, key: str, parents: Sequence[Parent] = ()) -> Idempotency:
    """Name the request that asks for ``new``, by the authenticated ``caller`` under ``key``.

    The key is scoped by caller and queue, so that one tenant can neither probe nor replay another's.
    The fingerprint covers all that was asked, and not the id, which the server minted. That holds for the
    ids of ``parents`` too: one that is itself still to be made counts by its own key, if it has one.
    """
    scoped = _ENCODER.encode((caller, new.queue_name, key))
    asked = msgspec.structs.replace(new, id="", idempotency=None)
    if parents:
        names = dict(map(_name, parents))
        asked = msgspec.structs.replace(asked, depends_on=tuple(names.values()))
    return Idempotency(
        key=sha256(scoped).hexdigest(),
        fingerprint=sha256(_ENCODER.encode(asked)).hexdigest(),
    )


def _name(parent: Parent) -> tuple[str, str]:
    """Return a parent's id, and what names it in every try of the same request."""
    if isinstance(parent, str):
        return parent, parent
    if not isinstance(parent, NewJob):
        return parent.id, parent.id
    known = parent.idempotency
    return parent.id, _NEW if known is None else f"{_NEW}{known.key}{known.fingerprint}"
