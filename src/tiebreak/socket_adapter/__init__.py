"""Sockets: the Socket.IO server, its rooms, and the adapter that joins app servers through a Redis Stream.

A message to a room is appended to the stream once, by an app server or by a worker that has no sockets
(emitter.py); every app server reads the stream (cluster.py) and writes to its own sockets in the room (server.py).
messages.py is the catalogue of what goes over a socket. Messages are not kept for those who are away: each
leaderboard carries the whole top, and a client that comes back asks for a snapshot.
May import: quiz, errors, settings, clock. python-socketio is known to server.py only.
"""
