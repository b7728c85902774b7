"""One oracle for simulated and real histories: what was seen, judged by the contract's invariants.

It knows nothing of the implementation. What it takes for the rules, it states itself.
"""
