"""The cache: leaderboards and short-lived counters in Redis or Valkey.

Holds nothing that the ledger does not hold: a board may be thrown away at any moment and is built again.
Every key is in keys.py. Each change of a board is one Lua call, so a crash leaves a whole batch or none.
May import: events, quiz, errors, settings, clock. The literature calls this a projection, or a read model.
"""
