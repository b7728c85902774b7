"""The runtime's face: a job queue as one typed object, for embedding programs and for every door."""

from actorq.face.jobs import JobVerbs
from actorq.face.leases import LeaseVerbs
from actorq.face.options import EnqueueOptions
from actorq.face.queues import QueueVerbs
from actorq.face.schedules import ScheduleVerbs

__all__ = ["EnqueueOptions", "JobQueue"]


class JobQueue(JobVerbs, LeaseVerbs, QueueVerbs, ScheduleVerbs):
    """A running job queue: ``async with actorq.open_queue(url) as queue``.

    Every call is one message to the dispatcher, and travels to the store together with all that wait
    at that moment. It may be used from any task of the event loop that it was opened on. Calls for one
    item raise what is refused; calls for many answer one result an item, a refusal being
    an error value. All raise ``BackendUnavailable``, ``Overloaded`` and ``ShuttingDown``, after
    which the call may be made again (with an unknown outcome, a repeat of the same call settles it).
    """
