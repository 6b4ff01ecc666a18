"""One message to many sockets: our server, Node's and python-socketio, with a C loop of `send()` as the limit.

`python -m bench.fanout` starts the servers one after the other, in an order that rotates from round to round, each on a
core of its own; the client on another core is the same for all (`reader.c`). It reports medians over the rounds, with
the client's share of its core beside them: near 100 % the figures would be the client's. What other programs took of
one of the two cores meanwhile is shown too: more than a few percent, and times of the wall clock mean little. Such a
round is repeated, up to `--attempts` times, and the least disturbed is taken, for every server alike.

**Saturation** is a closed loop: the client keeps `--windows` broadcasts under way and asks for one more whenever all
sockets together have received as much as one makes. A broadcast is asked for by one byte on a control socket. A server
that reads several bytes at once may write several broadcasts together, and none is told to: ours and Node's do, the C
loop calls `send()` once for each message and socket. With a window of 1 there is never anything to merge.

**At a fixed rate**, the message's `version` says which trigger it belongs to: latency is from that trigger to the frame
at each socket, by one clock. CPU is the server's process, user and system, divided by the messages that arrived.

**Memory** is what one more idle socket adds: private memory with many, minus private memory with a few.

All of it is loopback: the kernel's work for the receiver is done on the server's core, and so is waking the client
up, in every server alike.
"""
