"""What tests import: a clock that is moved by hand, and the conformance suite for stores.

``actorq.testing.clock`` has no dependency beyond actorq; ``actorq.testing.conformance`` needs pytest
and Hypothesis.
"""
