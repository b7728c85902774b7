"""The model test: a store and the ledger live through the same random days, and must agree."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from actorq.testing.conformance.model_hands import Hands
from actorq.testing.conformance.model_lives import Lives
from actorq.testing.conformance.model_looks import Looks
from actorq.testing.conformance.model_upkeep import Upkeep

if TYPE_CHECKING:
    from actorq.testing.conformance.harness import Harness

EXAMPLES: Final = "ACTORQ_MODEL_EXAMPLES"
"""The environment variable that says how many days a store lives through."""

STEPS: Final = 50
"""How many steps a day has, at most."""


class Days(Lives, Hands, Upkeep, Looks):
    """All that can happen."""


class TestModel:
    """Every verb in every situation that a few hundred random days lead to."""

    def test_the_store_agrees_with_the_ledger(self, harness: Harness) -> None:
        """Whatever is done in whatever order, the store answers as ``actorq.core`` decides (§1-§8)."""
        budget = settings(
            max_examples=int(os.environ.get(EXAMPLES, "60")), stateful_step_count=STEPS
        )

        class OnThisStore(Days):
            def __init__(self) -> None:
                super().__init__(harness)

        run_state_machine_as_test(OnThisStore, settings=budget)
