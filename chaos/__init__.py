"""A development program: the whole system as real processes, under load, while everything breaks by a seeded schedule.

`make chaos` runs it; docs/reliability.md is its report. A run is a sequence of rounds. In each, sessions are played
while faults happen (schedule.py, faults.py); then the faults end, and everything must be as promised (verdict.py):
every acknowledged answer in the ledger once, board = ledger, every screen = board. Each round's schedule follows from
the seed and the round's number alone, so a failing one can be played again by itself.

Every connection between two processes leads through a proxy of ours (fault_proxy.py), which can break it in ways that
a test on one machine does not meet otherwise.
"""
