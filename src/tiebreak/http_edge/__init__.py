"""What the two HTTP servers have in common: problem documents, health, and being served.

Guarantees: every error leaves as application/problem+json with a stable code, bad input never as a 5xx.
May import: tokens (for who is calling), errors, settings. Knows no route.
"""
