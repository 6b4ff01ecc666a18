"""Live sessions: a host leads the room from question to question (docs/live.md)."""
