"""A whole cluster in one thread, with virtual time: a failure is a seed, and can be run again.

    from actorq.testing.simulation import PROFILES, simulate

    report = simulate(PROFILES["storms"], seed=7)
    assert not report.violations

Several servers with the real actors, workers, clients, and a store that fails by seed live through trouble
until all is healed; then the oracle of ``actorq.testing.invariants`` judges what they saw. ``python -m
actorq.testing.simulation`` runs seeds, shrinks what fails, and runs it again.
"""

from actorq.testing.simulation.choices import Choice, Choices
from actorq.testing.simulation.director import Parts
from actorq.testing.simulation.profiles import PROFILES, TURNS, Profile
from actorq.testing.simulation.running import Report, simulate

__all__ = ["PROFILES", "TURNS", "Choice", "Choices", "Parts", "Profile", "Report", "simulate"]
