"""`tiebreak verify` and `tiebreak replay`: what the past was, from the database alone.

Read only, as of one moment (a repeatable-read transaction), however long it takes and whatever is recorded meanwhile.
No server of ours has to run. May import: database, quiz, errors.
"""
