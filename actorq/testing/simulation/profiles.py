"""Profiles: what goes wrong in a world, how often, and how large it is."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec.structs import replace

from actorq.core.policy import Policy, Retention
from actorq.testing.simulation.mishaps import Exchanges, Handlers, Troubles
from actorq.testing.simulation.store import Odds

SHORT: Final = Policy(max_extension=6.0, max_expiries=2, max_interruptions=6)
"""The bounds of most worlds: near enough to be met."""

FORGETFUL: Final = replace(
    SHORT,
    idempotency_ttl=20.0,
    retention=Retention(completed=20.0, dead=20.0, cancelled=20.0),
)
"""The same, in a world where ended jobs are pruned and requests forgotten."""


LATE_BY: Final = (0.5, 12.0)
"""After how many seconds a call may still take effect for whose answer nobody waits any more."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of world. Durations are virtual seconds; of two numbers the world takes one between them."""

    name: str
    about: str

    servers: tuple[int, int] = (2, 3)
    workers: tuple[int, int] = (2, 4)
    clients: tuple[int, int] = (1, 2)
    calls: tuple[int, int] = (20, 60)
    """How much all clients together ask for."""
    seconds: tuple[float, float] = (8.0, 16.0)
    """How long there may be trouble."""

    removes: bool = True
    """Whether clients delete and purge. Then nothing that is known by its id alone is sent again: a copy
    that arrives after the end of its job, and the removal of its record, is a new job."""
    dedupes: float = 0.2
    """The chance that a request has a dedupe key."""
    depends: float = 0.0
    """The chance that a request depends on jobs that are known; 0 where none does."""
    schedule: float = 0.2
    """The chance that a schedule makes jobs, too."""
    queues: tuple[str, ...] = ("mail", "video")
    policies: tuple[Policy, ...] = (SHORT, FORGETFUL)
    max_running: tuple[int | None, ...] = (None, None, 2)
    max_depth: tuple[int | None, ...] = (None, None, 8)
    patience: float = 4.0
    grace: float = 2.0
    mailbox_capacity: int = 1_000

    slots: int = 3
    visibility_timeouts: tuple[float, ...] = (2.0, 1.0, 3.0)
    waits: tuple[float, ...] = (2.0, 0.0, 5.0)
    lazy_worker: float = 0.1
    """The chance that a worker never renews a lease."""
    handling: tuple[float, float] = (0.02, 4.0)
    handlers: Handlers = Handlers()

    latency: tuple[float, float] = (0.001, 0.1)
    slow_latency: tuple[float, float] = (0.5, 6.0)
    caller_patience: tuple[float, float] = (1.5, 4.0)
    exchanges: Exchanges = Exchanges()

    odds: Odds = Odds(late_by=LATE_BY)
    lag: float = 0.0
    """How many seconds a replica may lag behind, where there is a fail-over."""
    troubles: Troubles = Troubles()
    every: tuple[float, float] = (0.3, 6.0)
    """Between two troubles."""
    lasts: tuple[float, float] = (0.2, 6.0)
    """How long one lasts."""
    clock_error: float = 0.05
    """How far the clocks of servers are off, at most, as long as nobody turns them."""
    slack: float = 0.05
    """How far the store's clock may be turned, at most, while there is trouble."""
    lateness: float | None = None
    hand_back: float | None = None
    """How long a lease may last of which nobody was told; None where it is not judged."""
    skew: float | None = None
    """How far the time in an id may be from the store's; None where it is not judged."""
    breaks: tuple[str, ...] = ()
    """The invariants that are not promised in such a world; all others are judged."""
    recovery: float = 40.0
    """In how long every job must have ended, once all is well: ten of the longest leases, and more."""

    @property
    def has_store_trouble(self) -> bool:
        """Whether calls of the store may go unanswered."""
        troubles = msgspec.structs.asdict(self.troubles)
        return any(self.odds.weights()) or any(
            odds for name, odds in troubles.items() if name.startswith("store_")
        )


_LOST: Final = Exchanges(lost_request=0.03, lost_answer=0.06, doubled=0.04, slow=0.04)
_HOSTILE: Final = Odds(
    slow=0.02, refused=0.02, unsent=0.01, unheard=0.03, late=0.01, twice=0.02, half=0.02,
    late_by=LATE_BY, news_lost=0.2, news_doubled=0.1,
)  # fmt: skip

PROFILES: Final[dict[str, Profile]] = {
    profile.name: profile
    for profile in (
        Profile(
            name="calm",
            about="nothing goes wrong: what is due is given out at once",
            handlers=Handlers(fails=0.1, fails_for_now=0.05, rejects=0.05, hands_back=0.05),
            lazy_worker=0.0,
            max_running=(None,),
            lateness=1.0,
            hand_back=0.5,
            clock_error=600.0,
            skew=0.06,
        ),
        Profile(
            name="deaf",
            about="hints are lost, and nothing else: what they would have told, a beat finds",
            calls=(10, 30),
            waits=(7.0, 5.0),
            handling=(0.02, 0.5),
            lazy_worker=0.0,
            max_running=(None,),
            odds=Odds(late_by=LATE_BY, news_lost=0.7),
            lateness=2.5,
            hand_back=0.5,
        ),
        Profile(
            name="unheard",
            removes=False,
            about="the store's answers are slow or lost, and nothing else: no lease goes into the void",
            policies=(replace(SHORT, max_extension=60.0),),
            visibility_timeouts=(20.0,),
            odds=Odds(late_by=LATE_BY, slow=0.1, unheard=0.08, silence=0.5),
            hand_back=12.0,
        ),
        Profile(
            name="rivals",
            about="many clients at once want the same few things, and the dead again",
            clients=(3, 5),
            calls=(40, 80),
            seconds=(4.0, 8.0),
            dedupes=0.8,
            queues=("mail",),
            handlers=Handlers(fails=0.2, rejects=0.2),
            handling=(0.2, 4.0),
            latency=(0.005, 0.3),
        ),
        Profile(
            name="overtime",
            about="handlers outlive their leases, and settle all the same",
            policies=(replace(SHORT, max_expiries=8),),
            visibility_timeouts=(1.0, 2.0),
            handling=(0.5, 8.0),
            lazy_worker=0.8,
        ),
        Profile(
            name="crashes",
            about="servers, workers and clients are killed, paused and replaced",
            handlers=Handlers(dies=0.05, hangs=0.03),
            troubles=Troubles(
                server_crash=0.2, server_pause=0.1, server_deploy=0.1, worker_crash=0.2,
                worker_pause=0.15, worker_deploy=0.1, client_crash=0.05,
            ),
        ),
        Profile(
            name="lost-replies",
            removes=False,
            about="requests and answers are lost, late and doubled, before and behind the servers",
            exchanges=_LOST,
            odds=_HOSTILE,
        ),
        Profile(
            name="belated",
            removes=False,
            about="calls of the store take effect when nobody waits for them any more, or twice",
            clients=(2, 4),
            calls=(30, 60),
            dedupes=0.5,
            queues=("mail",),
            max_depth=(None, 4),
            handling=(0.02, 1.0),
            odds=Odds(late=0.1, unheard=0.05, twice=0.05, late_by=(0.2, 6.0), silence=0.5),
        ),
        Profile(
            name="store",
            removes=False,
            about="the store is cut off, freezes, restarts and loses its power",
            odds=_HOSTILE,
            troubles=Troubles(
                store_cut=0.25, store_freeze=0.25, store_restart=0.25, store_power=0.25
            ),
        ),
        Profile(
            name="clocks",
            about="every clock is wrong, the store's too",
            handlers=Handlers(hangs=0.02),
            troubles=Troubles(server_clock=0.4, store_clock=0.4, worker_pause=0.1),
            clock_error=3_600.0,
            slack=2.0,
        ),
        Profile(
            name="storms",
            removes=False,
            about="all of it at once",
            handlers=Handlers(dies=0.03, hangs=0.02),
            exchanges=_LOST,
            odds=_HOSTILE,
            troubles=Troubles(
                server_crash=0.12, server_pause=0.08, server_cut_off=0.06, server_deploy=0.06,
                server_clock=0.04, worker_crash=0.12, worker_pause=0.1, worker_deploy=0.05,
                client_crash=0.04, store_cut=0.08, store_freeze=0.06, store_restart=0.08,
                store_power=0.08,
            ),
            clock_error=60.0,
        ),
        Profile(
            name="families",
            removes=False,
            about="jobs depend on others, while servers, workers and answers are lost",
            calls=(40, 80),
            dedupes=0.1,
            depends=0.6,
            handlers=Handlers(fails=0.1, rejects=0.08, dies=0.03),
            handling=(0.02, 1.5),
            exchanges=_LOST,
            odds=_HOSTILE,
            troubles=Troubles(
                server_crash=0.2, server_pause=0.05, worker_crash=0.15, store_cut=0.1,
                store_restart=0.1, store_power=0.1,
            ),
            recovery=80.0,
        ),
        Profile(
            name="overload",
            about="mailboxes that are full at once, and queues with bounds",
            calls=(60, 120),
            seconds=(4.0, 8.0),
            mailbox_capacity=1,
            odds=Odds(latency=(0.02, 1.0), late_by=LATE_BY),
            max_running=(1, 3),
            max_depth=(3, 10),
            exchanges=_LOST,
        ),
        Profile(
            name="failover",
            removes=False,
            about="the store fails over to a replica that lags behind: accepted jobs are lost, and told of",
            troubles=Troubles(store_fail_over=0.6, store_cut=0.2),
            lag=2.0,
            breaks=("I1", "I2", "I3", "I4", "I5", "I6", "I7", "I10", "I11", "I13", "I19"),
        ),
    )
}  # fmt: skip
"""All profiles by name."""

TURNS: Final = tuple(name for name, profile in PROFILES.items() if not profile.breaks)
"""The profiles under which every promise holds."""
