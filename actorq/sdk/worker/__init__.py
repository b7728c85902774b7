"""The worker: one implementation for every door and both event loops.

fetchers ─► hands ─► execution ─► settler ─► door
leases in a book ◄─ keeper (a thread of its own)
"""

from actorq.sdk.worker.options import WorkerOptions
from actorq.sdk.worker.worker import Worker

__all__ = ["Worker", "WorkerOptions"]
