"""What tests import: queues and apps in virtual time, clocks, and the conformance suite for stores.

The fixtures of pytest's plugin are made of this. ``actorq.testing.clock`` has no dependency beyond actorq;
``actorq.testing.conformance`` needs pytest and Hypothesis, ``actorq.testing.simulation`` also greenlet.
"""

from actorq.testing.app_kit import AppUnderTest, Drained, connected
from actorq.testing.faults import Faults, Verb
from actorq.testing.queue_kit import QueueUnderTest, open_queue_under_test
from actorq.testing.virtual_time import VirtualTime, run, run_on

__all__ = [
    "AppUnderTest",
    "Drained",
    "Faults",
    "QueueUnderTest",
    "Verb",
    "VirtualTime",
    "connected",
    "open_queue_under_test",
    "run",
    "run_on",
]
