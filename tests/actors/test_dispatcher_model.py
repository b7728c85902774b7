"""The dispatcher among lanes that fill up and managers that come and go: nothing is lost, or kept waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from actorq.actors import messages as m
from actorq.actors.dispatcher import Dispatcher
from actorq.actors.mailbox import Reply
from actorq.core.commands import ListJobs
from actorq.core.results import Claimed
from actorq.errors import Overloaded
from tests.actors.driving import Box, drive

if TYPE_CHECKING:
    from collections.abc import Callable

ROOM = 3
QUEUES = ("a", "b", "c")

REQUESTS: dict[str, Callable[[], m.StorageMessage]] = {
    "writer": lambda: m.AckJobs((), Reply()),
    "renewals": lambda: m.ExtendLeases((), Reply()),
    "reader": lambda: m.FindJobs(ListJobs(), Reply()),
    "upkeep": lambda: m.PruneJobs(1, Reply()),
}
"""One message for each role of a lane."""


class Doors(RuleBasedStateMachine):
    """A dispatcher whose lanes and managers are mailboxes, emptied by the test; ``inbox`` is one turn."""

    def __init__(self) -> None:
        super().__init__()
        self.lanes: dict[str, list[Box]] = {
            "writer": [Box(ROOM), Box(ROOM)],
            **{role: [Box(ROOM)] for role in ("renewals", "reader", "upkeep", "watcher")},
        }
        self.managers: list[tuple[str, Box]] = []
        self.orphans: list[tuple[str, Box]] = []
        """The managers of a dispatcher that crashed: its successor does not know them."""
        self.is_draining = False
        self.inbox: list[m.DispatcherMessage] = []
        self.asked: list[m.DispatcherMessage] = []
        self.arrived: list[object] = []
        self.dispatcher = self._make()

    def _make(self) -> Dispatcher:
        return Dispatcher(
            writers=self.lanes["writer"],
            renewals=self.lanes["renewals"][0],
            reader=self.lanes["reader"][0],
            upkeep=self.lanes["upkeep"][0],
            watcher=self.lanes["watcher"][0],
            spawn=self._spawn,
            draining=lambda: self.is_draining,
        )

    def _spawn(self, queue_name: str) -> Box:
        # As the runtime does: the next manager of a queue is made when the last one has closed.
        assert not any(name == queue_name and box.open for name, box in self._reachable())
        box = Box(ROOM)
        self.managers.append((queue_name, box))
        return box

    def _reachable(self) -> list[tuple[str, Box]]:
        """Return the managers that this dispatcher has made."""
        return [entry for entry in self.managers if entry not in self.orphans]

    # ── what happens ────────────────────────────────────────────────────────────────────────────

    @rule(role=st.sampled_from(sorted(REQUESTS)))
    def request(self, role: str) -> None:
        self._leave(REQUESTS[role]())

    @rule()
    def watch(self) -> None:
        self._leave(m.Watch("id", 1, Reply()))

    @rule(queue=st.sampled_from(QUEUES))
    def come(self, queue: str) -> None:
        self._leave(m.Dequeue(queue, "w", 1, None, True, Reply()))

    @rule(queues=st.one_of(st.none(), st.frozensets(st.sampled_from([*QUEUES, "nobody's"]))))
    def news(self, queues: frozenset[str] | None) -> None:
        self.inbox.append(m.JobsReady(queues))

    @rule(queues=st.frozensets(st.sampled_from(QUEUES), min_size=1))
    def room(self, queues: frozenset[str]) -> None:
        self.inbox.append(m.RoomMade(queues))

    def _leave(self, message: m.DispatcherMessage) -> None:
        self.inbox.append(message)
        self.asked.append(message)

    @rule()
    def turn(self) -> None:
        """Let the dispatcher route what has gathered; hints reach all whom they concern and who have room."""
        batch, self.inbox = self.inbox, []
        before = {id(box): len(box.inside) for _, box in self.managers}
        drive(self.dispatcher.handle(batch))
        for message in batch:
            reply = _reply(message)
            if reply is not None and reply.settled:
                assert any(len(box.inside) == ROOM for box in self._ways(message))
        if len(batch) == 1 and isinstance(batch[0], m.JobsReady | m.RoomMade):
            names = batch[0].queue_names
            for name, box in self._reachable():
                is_meant = names is None or name in names
                expected = is_meant and box.open and before[id(box)] < ROOM
                assert len(box.inside) - before[id(box)] == expected

    def _ways(self, message: m.DispatcherMessage) -> list[Box]:
        """Return the mailboxes one of which a request is for: if it was refused, that was full."""
        if isinstance(message, m.Dequeue):
            there = self._reachable()
            return [box for name, box in there if name == message.queue_name and box.open]
        if isinstance(message, m.Watch):
            return self.lanes["watcher"]
        kinds = {type(make()): role for role, make in REQUESTS.items()}
        return self.lanes[next(kinds[kind] for kind in kinds if isinstance(message, kind))]

    @rule(data=st.data())
    def serve(self, data: st.DataObject) -> None:
        """Let a lane or a manager take what it has."""
        boxes = [box for lane in self.lanes.values() for box in lane]
        boxes += [box for _, box in self.managers]
        self.arrived += data.draw(st.sampled_from(boxes)).empty()

    @precondition(lambda self: any(box.open for _, box in self.managers))
    @rule(data=st.data())
    def retire(self, data: st.DataObject) -> None:
        """Let a manager go that has nothing to do."""
        box = data.draw(st.sampled_from([box for _, box in self.managers if box.open]))
        box.close_if_empty()

    @rule()
    def crash(self) -> None:
        """Make a new dispatcher, as the kit does after a bug; the managers of the old one live on."""
        self.orphans = list(self.managers)
        self.dispatcher = self._make()

    @rule()
    def drain(self) -> None:
        """Tell everybody that the server is going away."""
        self.turn()
        self.is_draining = True
        reachable = [box for _, box in self._reachable() if box.open]
        had_room = {id(box) for box in reachable if len(box.inside) < ROOM}
        drive(self.dispatcher.handle([m.Drain()]))
        for box in reachable:
            # Whoever cannot be told is closed, and answers who waits when it has served the rest.
            assert box.open == (id(box) in had_room)
        spawned = len(self.managers)
        late = m.Dequeue("a", "w", 1, None, True, Reply())
        drive(self.dispatcher.handle([late]))
        assert late.reply.value == Claimed()
        assert len(self.managers) == spawned
        self.is_draining = False

    # ── what must hold ──────────────────────────────────────────────────────────────────────────

    @invariant()
    def every_request_is_somewhere_or_refused(self) -> None:
        """No request is lost, doubled or answered by the dispatcher itself, but for want of room."""
        boxes = [box for lane in self.lanes.values() for box in lane]
        boxes += [box for _, box in self.managers]
        under_way = [*self.arrived, *(message for box in boxes for message in box.inside)]
        places = [sum(other is message for other in under_way) for message in self.asked]
        waiting = [any(other is message for other in self.inbox) for message in self.asked]
        for message, places_of, waits in zip(self.asked, places, waiting, strict=True):
            reply = _reply(message)
            refused = reply is not None and reply.settled
            assert places_of + waits + refused == 1

    @invariant()
    def nobody_is_refused_for_another_reason(self) -> None:
        for message in self.asked:
            reply = _reply(message)
            if reply is not None and reply.settled:
                assert _error_of(reply) is Overloaded

    @invariant()
    def each_lane_has_what_is_meant_for_it(self) -> None:
        kinds = {role: type(make()) for role, make in REQUESTS.items()} | {"watcher": m.Watch}
        for role, boxes in self.lanes.items():
            for box in boxes:
                assert {type(message) for message in box.inside} <= {kinds[role], m.Drain}
        for name, box in self.managers:
            dequeues = [message for message in box.inside if isinstance(message, m.Dequeue)]
            assert {dequeue.queue_name for dequeue in dequeues} <= {name}


def _reply(message: object) -> Reply[Any] | None:
    reply: Reply[Any] | None = getattr(message, "reply", None)
    return reply


def _error_of(reply: Reply[Any]) -> type[Exception]:
    """Return the kind of error that a caller gets."""
    try:
        reply.get().send(None)
    except StopIteration as answer:
        raise AssertionError(answer.value) from None
    except Exception as error:  # noqa: BLE001 - whatever it is, the test looks at its kind
        return type(error)
    raise AssertionError("it waits")


TestDoors = Doors.TestCase
TestDoors.settings = settings(max_examples=60, stateful_step_count=50)
