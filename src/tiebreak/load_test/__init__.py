"""`tiebreak loadtest`: virtual players who show an operator what his installation carries, and that nothing was lost.

A client of the public interface and of nothing else: it works against one machine and behind a gateway, and what it
proves was seen from outside. Players answer on a schedule that is drawn beforehand and does not wait for the system
(an open-loop load, https://www.usenix.org/legacy/event/nsdi06/tech/schroeder.html), and an answer's latency counts from
the time it was due, so a system that stalls cannot hide it by being asked less (no "coordinated omission").

Of Tiebreak it imports the errors only. One process drives some thousand players, so nothing that is the same for all of
them is decoded for each. docs/load-testing.md tells what is measured, and how. A crash leaves a session open and guests
nobody plays: harmless.
"""
