"""Whole runs of a crowd: load and trouble, then peace, and then a look at everything."""

from __future__ import annotations

from actorq.core.transitions import Status
from actorq.testing.invariants import History
from actorq.testing.invariants import events as e
from tests.testing.invariants.clients import Clients
from tests.testing.invariants.crowd import PAUSES, QUEUES, Crowd
from tests.testing.invariants.told_ledger import ToldLedger
from tests.testing.invariants.workers import Workers


def hostile_run(seed: int, ledger: type[ToldLedger] = ToldLedger, steps: int = 120) -> History:
    """Return the history of a run in which everything that may go wrong does."""
    crowd = Crowd(seed, ledger)
    clients, workers = Clients(crowd), Workers(crowd)
    for _ in range(steps):
        act = crowd.choose(
            (clients.submit, 12),
            (clients.ask, 5),
            (workers.claim, 10),
            (workers.work, 24),
            (workers.settle_bare, 1),
            (crowd.ledger.upkeep, 8),
            (lambda: crowd.pass_time(crowd.rng.choice(PAUSES)), 14),
            (crowd.trouble, 1),
            (lambda: crowd.audit(crowd.rng.choice(crowd.known or ["nobody"])), 3),
        )
        act()
        for _ in range(crowd.rng.choice((0, 1, 2, 3))):
            if crowd.flights:
                crowd.go_on(crowd.rng.choice(crowd.flights))
    _come_to_rest(crowd, workers)
    return crowd.history


def prompt_run(seed: int, ledger: type[ToldLedger] = ToldLedger, steps: int = 60) -> History:
    """Return the history of a run without a fault, in which nobody is kept waiting."""
    crowd = Crowd(seed, ledger, prompt=True)
    clients, workers = Clients(crowd), Workers(crowd)
    for _ in range(steps):
        act = crowd.choose((clients.submit, 12), (workers.work, 20), (workers.claim, 6))
        act()
        crowd.pass_time(crowd.rng.choice(PAUSES))
    _come_to_rest(crowd, workers)
    return crowd.history


def _come_to_rest(crowd: Crowd, workers: Workers) -> None:
    """Heal, work until every job has ended, and read them all."""
    crowd.record(e.Healed(at=crowd.at, actor="crowd"))
    healed = crowd.at
    while crowd.at < healed + 26.0:
        crowd.drain()
        crowd.ledger.upkeep()
        for queue in QUEUES:
            workers.claim(queue)
        crowd.drain()
        for held in list(workers.held):
            if held.state in {"taken", "started", "returned"} and _is_current(crowd, held.token):
                workers.work(held, well=True)
        crowd.pass_time(0.3)
    crowd.record(e.Quiet(at=crowd.at, actor="crowd"))
    _read_all(crowd)


def _is_current(crowd: Crowd, token: str) -> bool:
    leases = (job.lease for job in crowd.ledger.jobs.values())
    return any(lease is not None and lease.token == token for lease in leases)


def _read_all(crowd: Crowd) -> None:
    for job_id in dict.fromkeys(crowd.known):
        crowd.audit(job_id)
    crowd.drain()
    since = crowd.at
    for queue in QUEUES:
        stats = crowd.ledger.stats(queue)
        jobs = [job for job in crowd.ledger.jobs.values() if job.queue_name == queue]
        crowd.record(
            e.Counted(
                at=crowd.at,
                actor="audit",
                since=since,
                queue=queue,
                counts={status.value: count for status, count in stats.counts.items()},
                accepted=stats.accepted,
                pruned=stats.pruned,
            )
        )
        for status in (None, *Status):
            ids = tuple(job.id for job in jobs if status is None or job.status is status)
            crowd.record(
                e.Listed(
                    at=crowd.at,
                    actor="audit",
                    since=since,
                    queue=queue,
                    job_ids=ids,
                    status=None if status is None else status.value,
                )
            )


def outside(history: History) -> History:
    """Return what is left of a history where the store tells nothing."""
    return History(event for event in history if not isinstance(event, e.Move | e.RolledBack))
