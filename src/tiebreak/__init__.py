"""Tiebreak: live quizzes with a leaderboard that is never wrong.

The packages are the boxes of the system's diagram (see docs/architecture.md); imports run one way:
cli → processes → database │ event_bus │ cache │ socket_adapter │ http_edge │ tokens → events → quiz → errors.
"""

__version__ = "0.1.0"
