"""PROCESS: the publish event worker. Any number of instances.

Carries events from the outbox to the bus: at least once, in order within a session. It removes only what the
bus has acknowledged; after a crash the next owner of the shard publishes the rest again. The literature calls
this a transactional outbox with a polling publisher.
"""
