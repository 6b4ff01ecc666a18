"""Ledger → board: boards are built from the ledger where Redis has lost them, and compared with it.

Guarantees: nobody is shown a board on which an answer is missing that once was on it. A board that Redis lost, or that
is from before Redis was emptied, restarted or failed over, is built anew under a new epoch; meanwhile answers are taken
and the cache workers go on. Whoever dies in the middle of a rebuild leaves it to the next one.

Imported by the app server and by the commands `tiebreak rebuild` and `tiebreak audit`. A rebuild may be repeated, and
done by several at once. In the literature: a materialized view, rebuilt from its source (docs/decisions/0020).
"""
