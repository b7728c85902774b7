"""Requests: jobs that clients ask for, of every kind that the contract knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from actorq.core.ids import IdMint
from actorq.core.instants import to_us
from actorq.core.intake import new_job
from actorq.core.job import Backoff
from actorq.core.workflow import OnParentFailure
from actorq.face import EnqueueOptions
from actorq.testing.invariants.records import Delivery, OnDuplicate, Request, digest

if TYPE_CHECKING:
    from actorq.core.job import NewJob
    from actorq.core.policy import Policy
    from actorq.testing.simulation.choices import Choices
    from actorq.testing.simulation.world import World

_PRIORITIES: Final = (0, 0, 0, 5, -5, 2**31 - 1, -(2**31))
_DELAYS: Final = (0.0, 0.0, 0.0, 0.5, 2.0)
_RETRIES: Final = (3, 0, 1)
_WINDOWS: Final = (0.0, 0.0, 5.0)
_LAPSES: Final = (None, None, None, None, 1.5)
_KEYS: Final = ("a", "b", "c")
_POLICIES: Final[tuple[OnDuplicate, ...]] = ("return", "replace", "reject")
_DELIVERIES: Final[tuple[Delivery, ...]] = ("at_least_once", "at_least_once", "at_most_once")
_IF_PARENTS_FAIL: Final = (OnParentFailure.CANCEL, OnParentFailure.RUN)
_RECENT: Final = 8
"""Of how many of the latest jobs a new one may depend on some."""

_BACKOFF: Final = Backoff(base=0.2, factor=2.0, max=1.5)

PLAIN, KEYED, NAMED = "nothing", "key", "id"
"""By what a request is known again: nothing, its idempotency key, or an id that its caller minted."""


class Wish(NamedTuple):
    """One request: as it is made, and as the history tells it."""

    payload: str
    options: EnqueueOptions
    request: Request
    job: NewJob | None
    """The job, when the caller mints its id; otherwise the server makes it."""
    can_repeat: bool
    """Whether it is known again, so that its client may make it until it knows what came of it."""

    @property
    def has_key(self) -> bool:
        """Whether it has an idempotency key: then a copy that comes late finds the first answer."""
        return self.request.idempotency_key is not None


class Wishes:
    """The wishes of one client, which remembers those that it may utter a second time."""

    def __init__(self, world: World, policy: Policy, name: str) -> None:
        """Draw from the world's choices."""
        self._world = world
        self._name = name
        self._policy = policy
        self._ids = IdMint(world.now, world.random_bits)
        self._made = 0
        self._earlier: list[Wish] = []

    def next(self) -> Wish:
        """Make up a wish, or send one from earlier on again, long after its answer.

        Its idempotency key is what outlives the job; an id is known only as long as the job is there.
        """
        choices, name = self._world.choices, self._name
        if self._earlier and choices.chance(f"{name} repeats", 0.1):
            return choices.pick(f"{name} which again", self._earlier)
        wish = self._draw(choices)
        if wish.has_key:
            self._earlier.append(wish)
        return wish

    def _draw(self, choices: Choices) -> Wish:
        name = self._name
        self._made += 1
        text = f"{name} wants {self._made}"
        request = Request(
            queue=choices.pick(f"{name} queue", self._world.profile.queues),
            payload=digest(text),
            priority=choices.pick(f"{name} priority", _PRIORITIES),
            delivery=choices.pick(f"{name} delivery", _DELIVERIES),
            max_retries=choices.pick(f"{name} retries", _RETRIES),
            delay=choices.pick(f"{name} delay", _DELAYS),
            expires_in=choices.pick(f"{name} lapses", _LAPSES),
        )
        if choices.chance(f"{name} dedupes", self._world.profile.dedupes):
            request = replace(
                request,
                dedupe_key=choices.pick(f"{name} key", _KEYS),
                dedupe_window=choices.pick(f"{name} window", _WINDOWS),
                on_duplicate=choices.pick(f"{name} on duplicate", _POLICIES),
            )
        if self._world.profile.depends and self._world.known:
            request = self._among_others(request, choices)
        match choices.pick(f"{name} known by", (PLAIN, KEYED, NAMED)):
            case "key":
                request = replace(request, idempotency_key=text, scope=name)
                return Wish(text, self._options(request), request, None, True)
            case "id":
                options = self._options(request)
                job = new_job(self._ids.mint(), request.queue, text, self._policy, **options)
                request = replace(request, job_id=job.id)
                return Wish(text, options, request, job, not self._world.profile.removes)
            case _:
                return Wish(text, self._options(request), request, None, False)

    def _among_others(self, request: Request, choices: Choices) -> Request:
        """Let a request depend on some of the jobs that are known, mostly the latest."""
        name, known = self._name, self._world.known
        if not choices.chance(f"{name} depends", self._world.profile.depends):
            return request
        count = 1 + choices.choose(f"{name} depends on how many", 3)
        recent = known[-_RECENT:]
        parents = [choices.pick(f"{name} depends on", recent) for _ in range(count)]
        return replace(
            request,
            depends_on=tuple(dict.fromkeys(parents)),
            runs_anyway=choices.chance(f"{name} runs anyway", 0.4),
        )

    def _options(self, request: Request) -> EnqueueOptions:
        options = EnqueueOptions(
            priority=request.priority,
            delivery=request.delivery,
            max_retries=request.max_retries,
            delay=request.delay,
            backoff=_BACKOFF,
        )
        if request.expires_in is not None:
            options["expires_at"] = self._world.now() + to_us(request.expires_in)
        if request.dedupe_key is not None:
            options["dedupe_key"] = request.dedupe_key
            options["dedupe_window"] = request.dedupe_window
            options["on_duplicate"] = request.on_duplicate
        if request.depends_on:
            options["depends_on"] = request.depends_on
            options["on_parent_failure"] = _IF_PARENTS_FAIL[request.runs_anyway]
        if request.idempotency_key is not None:
            options["idempotency_key"] = request.idempotency_key
            options["caller"] = request.scope
        return options
