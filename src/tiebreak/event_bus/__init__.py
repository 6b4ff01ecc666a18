"""The event bus: an ordered log per partition, read by consumer groups.

bus.py says what a bus promises; streams.py keeps it on Redis Streams (the embedded default). The words are
Kafka's: topic, partition, key, offset, consumer group, commit.

Promised: records of one key stay in one partition, in the order they were acknowledged. A partition has one
reader of a group at a time. A record is given again until it is committed (at least once): after a crash the
partition's next reader starts with what the dead one had not committed.
May import: events, quiz, errors, settings, clock.
"""
