"""The rules: questions, grading, scoring, ranking.

Pure: no await, no I/O, no clock, no randomness. What depends on time or on the world is an argument.
May import: errors, text, and nothing else of Tiebreak.
"""
