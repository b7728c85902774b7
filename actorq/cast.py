"""Who plays which part: the classes of the actors, so that a test can give a part to another."""

from __future__ import annotations

from typing import NamedTuple

from actorq.actors.dispatcher import Dispatcher
from actorq.actors.lease_manager import LeaseManager
from actorq.actors.listener import NewsLoop
from actorq.actors.patience import Patience
from actorq.actors.reaper import Reaper
from actorq.actors.returner import Returner
from actorq.actors.scheduler import Scheduler
from actorq.actors.storage import StorageLane
from actorq.actors.timekeeper import Timekeeper
from actorq.actors.watcher import Watcher


class Cast(NamedTuple):
    """The classes that a runtime makes its actors of."""

    dispatcher: type[Dispatcher] = Dispatcher
    lease_manager: type[LeaseManager] = LeaseManager
    listener: type[NewsLoop] = NewsLoop
    patience: type[Patience] = Patience
    reaper: type[Reaper] = Reaper
    returner: type[Returner] = Returner
    scheduler: type[Scheduler] = Scheduler
    storage_lane: type[StorageLane] = StorageLane
    timekeeper: type[Timekeeper] = Timekeeper
    watcher: type[Watcher] = Watcher
