"""Real processes under a hail of faults, and whether they kept their promises.

``python -m benchmarks.chaos --store redis --minutes 15 --seed 1``
"""
