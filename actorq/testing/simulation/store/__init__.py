"""The simulated store: memory's semantics, behind lines and on a machine that fail by seed.

``SimStore`` is the one machine of a world, ``Odds`` says how it behaves.
"""

from actorq.testing.simulation.store.engine import Engine
from actorq.testing.simulation.store.fates import Fate, Odds
from actorq.testing.simulation.store.machine import SimStore

__all__ = ["Engine", "Fate", "Odds", "SimStore"]
