"""Asks all other servers something and gathers their answers."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Any

from tiebreak.socket_adapter.redis_streams.messages import Answered, ClientCount, Message, MessageType, SocketsFetched

# Node's.
TIMEOUT_SECONDS = 5.0


class AnswersMissing(TimeoutError):
    """Not every server has answered in time: `answers` are those of the others."""

    def __init__(self, answers: list[Any], expected: int, came: int) -> None:
        self.answers = answers
        super().__init__(f"timeout reached: only {came} responses received out of {expected}")


class Gathering:
    """One request that each server answers once."""

    def __init__(self, expected: int) -> None:
        self.id = secrets.token_hex(8)
        self.expected = expected
        self.answers: list[Any] = []
        # A server whose answer came twice, over a lost reply of Redis, counts once.
        self.came: set[str] = set()
        self.complete = asyncio.Event()

    def add(self, uid: str, answers: list[Any]) -> None:
        if uid in self.came or self.complete.is_set():
            return
        self.came.add(uid)
        self.answers += answers
        if len(self.came) >= self.expected:
            self.complete.set()


class AwaitingClients:
    """A broadcast whose acknowledgements are passed on as they come."""

    def __init__(self, on_client_count: Callable[[int], None], on_ack: Callable[[Any], None]) -> None:
        self.id = secrets.token_hex(8)
        self.on_client_count = on_client_count
        self.on_ack = on_ack
        self.came: set[str] = set()


class Requests:
    """The requests of one namespace under way."""

    def __init__(self) -> None:
        self._gatherings: dict[str, Gathering] = {}
        self._broadcasts: dict[str, AwaitingClients] = {}

    async def gather(self, expected: int, ask: Callable[[str], Any], *, seconds: float = TIMEOUT_SECONDS) -> list[Any]:
        """The answers of `expected` servers to what `ask` publishes, given the request's id. Raises AnswersMissing."""
        if expected <= 0:
            return []
        gathering = Gathering(expected)
        self._gatherings[gathering.id] = gathering
        try:
            async with asyncio.timeout(seconds):
                await ask(gathering.id)
                await gathering.complete.wait()
        except TimeoutError:
            raise AnswersMissing(gathering.answers, expected, len(gathering.came)) from None
        finally:
            del self._gatherings[gathering.id]
        return gathering.answers

    def broadcast(
        self, on_client_count: Callable[[int], None], on_ack: Callable[[Any], None], *, seconds: float
    ) -> str:
        """The id of a request whose answers go to the callbacks for so long."""
        awaiting = AwaitingClients(on_client_count, on_ack)
        self._broadcasts[awaiting.id] = awaiting
        asyncio.get_running_loop().call_later(seconds, self._broadcasts.pop, awaiting.id, None)
        return awaiting.id

    def answer(self, message: Message) -> None:
        """A server's answer to one of ours; to another's, or too late, it is passed over."""
        match message.data:
            case SocketsFetched(request_id, sockets) if gathering := self._gatherings.get(request_id):
                gathering.add(message.uid, list(sockets))
            case Answered(request_id, packet) if message.type is MessageType.SERVER_SIDE_EMIT_RESPONSE:
                if gathering := self._gatherings.get(request_id):
                    gathering.add(message.uid, [packet])
            case Answered(request_id, packet) if awaiting := self._broadcasts.get(request_id):
                awaiting.on_ack(packet)
            case ClientCount(request_id, client_count) if awaiting := self._broadcasts.get(request_id):
                if message.uid not in awaiting.came:
                    awaiting.came.add(message.uid)
                    awaiting.on_client_count(client_count)
            case _:
                pass
