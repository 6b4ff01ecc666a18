"""DEVELOPMENT PROGRAM: the real relay, projection, commands and board care on a virtual clock, among servers that fail.

The classes of `tiebreak` run as they are; simulated is only what they are handed: clock, connections to Postgres and
Redis, the event bus, the rooms. A schedule is one run of a small installation, in which processes crash and freeze,
messages are lost, delayed and repeated, and servers forget. Everything that happens in it follows from its seed: the
same seed gives the same history, byte for byte.

No real server, no thread, no waiting: a schedule of half a minute takes some hundredths of a second. In the literature:
deterministic simulation testing (docs/decisions/0025).
"""
