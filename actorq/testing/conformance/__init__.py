"""The conformance suite: what any store must do, as tests that its author runs on it.

A test module of a few lines runs the whole suite on a store, here on one that lives in this process:

    import pytest
    from actorq.testing.clock import ManualClock
    from actorq.testing.conformance.suite import *

    class Harness:
        shared_by_processes = False
        def __init__(self): self.now = ManualClock()
        def make(self, policy): return MyStore(policy, self.now)
        def reopen(self, store): return store
        def advance(self, seconds): self.now.advance(seconds)

    @pytest.fixture
    def harness(): return Harness()

``actorq.testing.conformance.harness`` says what each of these must do. A store that several processes
can share also imports ``actorq.testing.conformance.processes``. The suite ends with a model test that
plays random days on the store, as many as the environment variable ``ACTORQ_MODEL_EXAMPLES`` says.
"""

from pkgutil import iter_modules

import pytest

# The modules assert like tests, so a failure shall show its values as in a test. This must be said
# before any of them is imported.
pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in iter_modules(__path__)))
