"""Answers per second into Postgres, from one process with many callers.

Three ways: one statement per step, as the flow is drawn; one statement per answer; ours, with everything it does for an
answer (grade, batch, keep the log, tell the room, wake the publishers). Beside them pgbench, a C program that does
nothing but send the statement: the limit of one statement per answer, and with a whole batch in a statement, without
the log, the limit of ours.

The server is the embedded one, durable, and has both cores together with the callers. Every answer is a new one; after
each measurement answers and events are counted, must be as many as were acknowledged, and are removed. The ways take
turns, in an order that rotates from round to round. Latency is from the call to its outcome; CPU is the process's, the
callers in it included, and that of all processes of Postgres.
"""
