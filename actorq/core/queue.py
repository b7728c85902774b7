"""A queue's settings and figures."""

import msgspec
from msgspec import UNSET, UnsetType

from actorq.core.policy import Policy, Retention
from actorq.core.transitions import Status


class QueueSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator may set for one queue; None leaves it to the installation's policy.

    ``max_running`` bounds its leases, ``max_depth`` its waiting jobs (pending and delayed together);
    ``visibility_timeout`` is seconds. ``paused_reason`` is the operator's own note.
    """

    paused: bool = False
    paused_reason: str | None = None
    max_running: int | None = None
    max_depth: int | None = None
    visibility_timeout: float | None = None
    retention: Retention | None = None

    def effective_visibility(self, asked: float | None, policy: Policy) -> float:
        """Return the seconds of a claim's lease: as asked, else the queue's, else the policy's."""
        if asked is not None:
            return asked
        if self.visibility_timeout is not None:
            return self.visibility_timeout
        return policy.visibility_timeout


class QueueStats(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one queue at one moment.

    ``counts`` has every status. Conservation (I13): ``accepted`` = the sum of ``counts`` +
    ``pruned``. ``oldest_pending_at`` is the instant at which the oldest pending job was made.
    """

    name: str
    counts: dict[Status, int]
    accepted: int = 0
    pruned: int = 0
    oldest_pending_at: int | None = None
    settings: QueueSettings = QueueSettings()


class QueueLength(msgspec.Struct, frozen=True, kw_only=True):
    """How many jobs of one queue wait now: ``pending`` is the length, exactly."""

    queue_name: str
    pending: int = 0
    delayed: int = 0
    running: int = 0
    paused: bool = False


class QueueEdit(msgspec.Struct, frozen=True, kw_only=True):
    """Change some settings of one queue; what is ``UNSET`` stays, None goes back to the policy."""

    queue_name: str
    paused: bool | UnsetType = UNSET
    paused_reason: str | UnsetType | None = UNSET
    max_running: int | UnsetType | None = UNSET
    max_depth: int | UnsetType | None = UNSET
    visibility_timeout: float | UnsetType | None = UNSET
    retention: Retention | UnsetType | None = UNSET

    def apply(self, settings: QueueSettings) -> QueueSettings:
        """Return ``settings`` with this edit's changes; a resume forgets the reason of the pause."""
        if self.paused is False:
            settings = msgspec.structs.replace(settings, paused_reason=None)
        fields = (name for name in self.__struct_fields__ if name != "queue_name")
        changes = {name: getattr(self, name) for name in fields}
        return msgspec.structs.replace(
            settings, **{name: value for name, value in changes.items() if value is not UNSET}
        )
