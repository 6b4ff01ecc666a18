"""Sockets: an Engine.IO and Socket.IO server of our own, and the adapter that joins servers through a Redis Stream.

engine_io: connections, WebSocket and long-polling. socket_io: namespaces, rooms, events. redis_streams: one cluster of
many servers, Node's among them. On top of these, Tiebreak's own: messages.py is the catalogue of what goes over a
socket, server.py lets users in and hands their messages to the app server, emitter.py sends to rooms from any process.

Guarantees: what is sent to a client arrives in order, and no client can hold up another. Boards and scores may be
skipped for a client that is slow or away; each leaderboard carries the whole top, and a client that comes back asks for
a snapshot.
May import: quiz, errors, settings, clock, metrics, redis_client. engine_io and socket_io know nothing of Tiebreak.
"""
