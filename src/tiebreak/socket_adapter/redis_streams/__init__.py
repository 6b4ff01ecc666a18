"""Joins Socket.IO servers through Redis: wire-compatible with @socket.io/redis-streams-adapter 0.3, and stricter.

Guarantees: broadcasts, joins, leaves and disconnections take effect on every server in the order of the stream; each
is appended once, over lost connections too; a reader misses none, or says so (`on_gap`). A client that comes back
within the recovery time, to any server, is given its rooms and every message it missed, or is told it is new; sessions
are saved while sockets are connected, so that a killed server loses none that is older than about a second.
Not guaranteed: requests between servers (PUB/SUB) reach those that are connected to Redis at that moment.
Crash: the stream and the sessions are all there is; a process that starts begins at the stream's end.
May import: socket_io.adapter (what a namespace and its adapter ask of each other), redis_client, clock. It knows
nothing of this application.
"""
