"""Requests per second of one server process on a core of its own, the client on the other.

The request is the same for all: `POST /update-score` as a browser sends it, with a JSON body and an RS256 token, over
keep-alive connections, one request under way on each (`client.c`). Ours do with it what the app server does, up to the
database: parse HTTP, check the token (verified once, remembered after that, as in the app server), decode the body
strictly, find the question and grade the answer, encode the outcome; only the recording is left out. Node's fastify
parses the body and sends a small JSON; in a second row it verifies the token too, with a cache of its own. Raw ASGI on
uvicorn reads the body and sends a constant. A bare httptools protocol on uvloop does not even read the body: the
limit of anything in Python.

The servers take turns, in an order that rotates from round to round.
"""
