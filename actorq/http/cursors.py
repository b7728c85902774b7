"""Cursors: where a page ended, as text that only this module can read."""

from __future__ import annotations

import base64
import binascii
from uuid import UUID

from actorq.core.bounds import is_job_id
from actorq.errors import InvalidInput

_LENGTH = 22


def write_cursor(job_id: str) -> str:
    """Return the cursor of a page which ended with this job."""
    return base64.urlsafe_b64encode(UUID(job_id).bytes).rstrip(b"=").decode("ascii")


def read_cursor(text: str | None) -> str | None:
    """Return the job's id; None at the start of a list."""
    if text is None:
        return None
    try:
        if len(text) == _LENGTH:
            job_id = str(UUID(bytes=base64.b64decode(text + "==", altchars=b"-_", validate=True)))
            # The last character has bits to spare: of all forms of one id only ours is a cursor.
            if is_job_id(job_id) and write_cursor(job_id) == text:
                return job_id
    except (binascii.Error, ValueError):
        pass
    raise InvalidInput("/cursor", "is not a cursor that was given out here")
