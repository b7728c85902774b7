"""What all connections of one store share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.backends.postgres.bulletin import Bulletin
from actorq.backends.postgres.drift import Drift
from actorq.backends.postgres.held import Held
from actorq.backends.postgres.marks import Marks
from actorq.backends.postgres.names import Names
from actorq.backends.postgres.rounds import Rounds
from actorq.backends.postgres.statements import Statements
from actorq.backends.postgres.transaction import PATIENCE

if TYPE_CHECKING:
    from actorq.core.policy import Policy


class Shared:
    """What this process knows of the store, beside what is in it. Safe to use from several threads."""

    def __init__(self, namespace: str, policy: Policy) -> None:
        """Know nothing yet."""
        self.policy = policy
        self.channel = namespace.encode()
        self.statements = Statements(namespace)
        self.begin = self.statements("jobs.begin", PATIENCE)
        self.bulletin = Bulletin()
        self.forget()

    def forget(self) -> None:
        """Forget all that was learnt: the store is opened, and may be another one than before."""
        self.names = Names()
        self.marks = Marks()
        self.held = Held()
        self.rounds = Rounds()
        self.drift = Drift()
        """Bounds that the table has, or wider; whoever goes beyond them widens the table first."""
