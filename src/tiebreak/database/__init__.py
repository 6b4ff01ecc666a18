"""Postgres, the only truth.

All SQL stands in queries.sql (and the migrations); one module per table family gives it types. A function
here is one statement or one transaction; after a crash either all of it is there or nothing.
May import: events, quiz, errors, settings, clock.
"""
