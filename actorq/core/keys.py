"""Idempotency: which requests are one request sent twice (contract §6)."""

from hashlib import sha256

import msgspec

from actorq.core.job import Idempotency, NewJob

_ENCODER = msgspec.json.Encoder(order="deterministic")


def idempotency(new: NewJob, caller: str, key: str) -> Idempotency:
    """Name the request that asks for ``new``, by the authenticated ``caller`` under ``key``.

    The key is scoped by caller and queue, so that one tenant can neither probe nor replay another's.
    The fingerprint covers all that was asked, and not the id, which the server minted.
    """
    scoped = _ENCODER.encode((caller, new.queue_name, key))
    asked = msgspec.structs.replace(new, id="", idempotency=None)
    return Idempotency(
        key=sha256(scoped).hexdigest(),
        fingerprint=sha256(_ENCODER.encode(asked)).hexdigest(),
    )
