"""`tiebreak up`: the whole system on one machine, as processes of one supervisor (a supervision tree of depth one).

Guarantees: what it started ends with it, even when it is killed with SIGKILL; a process that dies is started
again; data that was acknowledged survives all of it (Postgres keeps its fsync). Imports no other process
package: it starts them as processes, and knows them by their command line and TIEBREAK_* variables only.
"""
