"""Pure values and decisions: the job, its transitions, retry, leases, keys and JSON names.

Nothing in here reads a clock, draws a random number, waits or logs: time, tokens and ids are
arguments. That is what lets four stores share one semantics and a simulation replay it.
"""
