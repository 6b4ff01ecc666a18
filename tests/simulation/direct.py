"""Simulated clients whose calls are carried out at once: for comparing what they say with real servers."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from simulation.cache import Address, CacheClient, CacheServer
from simulation.database import DatabaseServer, Pool
from simulation.keyspace import Keyspace
from simulation.network import done
from simulation.servers import script_digests
from simulation.tables import Tables


class DirectCache(CacheClient):
    """A cache on the machine's clock."""

    def __init__(self, life: str) -> None:
        self.server = CacheServer(Keyspace(life, time.time), lambda *_: None)
        super().__init__(None, "test", Address(self.server), script_digests())

    async def carry_out(self, what: str, *commands: Callable[[CacheServer], Any]) -> list[Any]:
        return [done(partial(command, self.server)) for command in commands]


class DirectPool(Pool):
    """A database on the machine's clock."""

    def __init__(self) -> None:
        self.tables = Tables(time.time)
        super().__init__(None, "test", DatabaseServer(self.tables, lambda: None))

    async def call(self, what: str, work: Callable[[], Any]) -> Any:
        reply = done(work)
        if isinstance(reply, Exception):
            raise reply
        return reply
