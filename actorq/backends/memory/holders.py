"""Dedupe keys: who holds them (contract §6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.core.transitions import LIVE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actorq.core.job import Job, NewJob


class Holders:
    """The jobs that hold a dedupe key, by queue and key.

    At most one of them lives. Ended ones whose window holds the key stand behind it: a redrive takes
    a key from such a job, which holds it again when the redriven one ends within the window.
    """

    __slots__ = ("_ids",)

    def __init__(self) -> None:
        """Start empty."""
        self._ids: dict[tuple[str, str], set[str]] = {}

    def enter(self, job: Job) -> None:
        """Take note of ``job`` if it holds a key from its latest write on."""
        if job.dedupe_key is not None and job.holds_key(job.updated_at):
            self._ids.setdefault((job.queue_name, job.dedupe_key), set()).add(job.id)

    def leave(self, job: Job) -> None:
        """Forget ``job``."""
        if job.dedupe_key is not None:
            self._drop((job.queue_name, job.dedupe_key), {job.id})

    def find(self, jobs: Mapping[str, Job], wanted: NewJob | Job, now: int) -> Job | None:
        """Return the job that holds the key of ``wanted`` at the instant ``now``: a live one first."""
        if wanted.dedupe_key is None:
            return None
        place = (wanted.queue_name, wanted.dedupe_key)
        known = [jobs[job_id] for job_id in self._ids.get(place, ())]
        holders = [job for job in known if job.holds_key(now)]
        if len(holders) < len(known):
            # Their windows are over, and nothing was written when they ended.
            self._drop(place, {job.id for job in known} - {job.id for job in holders})
        return min(holders, key=lambda job: (job.status not in LIVE, job.id), default=None)

    def _drop(self, place: tuple[str, str], gone: set[str]) -> None:
        ids = self._ids.get(place)
        if ids is not None:
            ids -= gone
            if not ids:
                del self._ids[place]
