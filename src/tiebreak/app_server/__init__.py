"""PROCESS: the application server, HTTP and sockets. Any number of instances.

Guarantees: an answer is acknowledged after it is committed together with its event, never before, and it
cannot publish to the bus (an import contract forbids it). It holds nothing that must survive: after a crash,
clients send what was not acknowledged again.
"""
