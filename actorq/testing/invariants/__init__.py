"""One oracle for simulated and real histories: what was seen, judged by the contract's invariants.

Whoever runs something records events in a ``History``; ``judge(history)`` returns the
promises that it shows broken, each with the events that prove it. An empty list means that nothing is
proven. The oracle knows nothing of the implementation: it reads events alone, and what it takes
for the rules (the table of transitions, what ends a lease, who may settle) it states itself.

Every client and every worker of the store must record all that it does, as ``events`` says; an
unrecorded one looks like a ghost. Who is killed leaves calls without an outcome: they are taken
as those that may have had an effect at any later time, or none. So a correct system is never
accused; tests check that with thousands of random runs.

What a history can show, id by id. First what anybody sees from the outside, after "moves:" what takes a
simulated store that tells its moves (``Move``); where there is none, the outside must do.

- I1: an accepted job is not found, or not listed while all is quiet; a refused one runs.
  Moves: it was not written, or it was removed while it was live, or too early.
- I2: versions fall, one version looks different twice, listings and looks disagree.
  Moves: one does not start where the last one ended.
- I3: what had ended changes, or is given out; it is completed or cancelled at nobody's word; given
  out by a paused queue, after a cancellation, or beyond its retries.
  Moves: one is not in the table, or beyond its budget.
- I4: a handler, or its effect, twice; a claimed job is redriven. Moves: claimed, and not handed back.
- I5: given out while an earlier lease surely ran, and nobody let it go. Moves: a lease is ended early.
- I6: stale calls accepted, holders refused, a token that comes again, the result of another.
  Moves: a word that ended another's lease, or none.
- I7: attempts that fall, are given out twice, or not accounted for. Moves: not exactly 1 per claim.
- I8: a failure that nobody reported; a stopped handler reported as failed. Moves: the same, each; a
  lease that ran out, of which nobody had been told.
- I9: given out before a delay is over; late, while a claim waits and all is well.
  Moves: claimed or promoted before it is due; promoted late.
- I10: two jobs surely held one key; not the holder; not let go. Moves: at every commit, windows too.
- I11: two jobs, or two requests, of one key; a replay that is not called one; a repeat refused.
  Moves: two jobs written for one request.
- I12: a better job surely waited. Moves: at every claim; a priority that changes by itself; an id that
  tells another time than the store's.
- I13: figures at quiet moments, against themselves, listings, known jobs. Moves: against them.
- I14: dead without a reason, errors, a time; not a dead letter. Moves: a reason if and only if dead.
- I15, I16: another payload; another job's, queue's or caller's answer. Moves: a payload that changes.
- I17: what is still live after the time of recovery. Moves: the same.
- I18, I19, I20: measures, ticks and health, only as an onlooker recorded them.

So a second start of a job is explained if I3, I5, I6 and I7 are silent: its lease ran out, or its holder
failed or handed it back, and the counters that the job shows agree. Whether something is late (I9) or
stuck (I17) is judged if the ``Terms`` state a bound, and what depends on the store's clock only
where nobody turned it.
"""

from __future__ import annotations

from actorq.testing.invariants.history import History
from actorq.testing.invariants.judge import judge
from actorq.testing.invariants.story import BadHistory
from actorq.testing.invariants.violation import Violation

__all__ = ["BadHistory", "History", "Violation", "judge"]
