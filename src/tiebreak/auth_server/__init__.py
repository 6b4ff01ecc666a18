"""The auth server: accounts, guests, log-ins, and the keys that prove them to every other process.

A log-in is a family of refresh tokens (RFC 9700 §4.14.2, refresh token rotation): each token is good for one
refresh, and a token used twice ends its family, because one of the two callers has stolen it. Access tokens
are stateless: whoever holds the public keys can check one, nobody can call one back before it expires.

Guarantees: passwords are kept as argon2id hashes, refresh tokens as digests; an unknown e-mail and a wrong
password look and cost the same; a response names tokens only after what they stand for is committed. Any
number of instances may run; all share the signing keys in Postgres. A crash loses nothing but the requests
under way: a refresh whose response got lost is seen as reuse, and the user logs in again.
May import: database, cache (the limit on failed log-ins), redis_client, http_edge, tokens, and what those
stand on.
"""
