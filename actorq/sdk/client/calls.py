"""All calls of a client, each described once: what is sent, and what its answer means."""

from __future__ import annotations

from actorq.sdk.client.jobs import JobCalls
from actorq.sdk.client.leases import LeaseCalls
from actorq.sdk.client.queues import QueueCalls
from actorq.sdk.client.schedules import ScheduleCalls


class Calls(JobCalls, LeaseCalls, QueueCalls, ScheduleCalls):
    """The conversations that a client can have with its server."""
