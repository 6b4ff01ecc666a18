"""A reader that takes records, says so, and waits to be killed: `KIND ADDRESS TOPIC GROUP COUNT`."""

import asyncio
import sys

from tests.contract.buses import opened_bus


async def main(kind: str, address: str, topic: str, group: str, count: str) -> None:
    async with opened_bus(kind, address) as bus:
        consumer = await bus.consumer(topic, group=group)
        read = 0
        while read < int(count):
            read += len(await consumer.poll(limit=100, timeout_seconds=0.1))
        print("read", flush=True)
        await asyncio.sleep(3600)


asyncio.run(main(*sys.argv[1:]))
