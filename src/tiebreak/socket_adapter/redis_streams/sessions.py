"""The sessions of the sockets here, saved while they are connected: a server that is killed loses none.

key           type    holds
<prefix><pid> string  session_format.py; lives recovery_ms after the socket was lost, at least so long after a crash

Whoever restores a session takes it away. A server that still holds a dead connection to that client must not put its
own back: what it writes must replace what it wrote before, or a session that is gone because Redis lost it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Literal, cast

import structlog

from tiebreak.clock import Clock
from tiebreak.redis_client import Redis, RedisError
from tiebreak.socket_adapter.redis_streams.counts import Counts
from tiebreak.socket_adapter.redis_streams.patience import Backoff, end_if_cancelled
from tiebreak.socket_adapter.redis_streams.session_format import StoredSession, decode_session, encode_session
from tiebreak.socket_adapter.socket_io.adapter import LocalSocket

log = structlog.get_logger()

FLUSH_SECONDS = 1.0
LARGEST_CALL = 200
# A socket that takes up a session that was taken does so at once.
CLAIM_SECONDS = 1.0

# KEYS: sessions. ARGV, for each: SHA-1 of all that may be there of ours, one after the other, or nothing if it does
# not matter; time to live (ms); what to write, or nothing to delete it.
REPLACE = """
local said = {}
for i, key in ipairs(KEYS) do
  local ours, ttl_ms, value = ARGV[3 * i - 2], ARGV[3 * i - 1], ARGV[3 * i]
  local found = redis.call('GET', key)
  if ours ~= '' and not found then
    said[i] = 'absent'
  elseif ours ~= '' and not string.find(ours, redis.sha1hex(found), 1, true) then
    said[i] = 'taken'
  else
    if value == '' then redis.call('DEL', key) else redis.call('SET', key, value, 'PX', ttl_ms) end
    said[i] = 'done'
  end
end
return said
"""


class Held:
    """A socket of ours and what Redis has of it."""

    __slots__ = ("ended_at", "fate", "last_value", "ours", "saved", "saved_at", "since", "socket")

    def __init__(self, socket: LocalSocket, now: float, since: str) -> None:
        self.socket = socket
        self.since = since
        self.fate: Literal["connected", "dropped", "left", "taken"] = "connected"
        # SHA-1 (hex) of what we have written; of several, one after the other, while we do not know which came through.
        self.ours = ""
        # Of a socket that has ended: it is in no room any more when this is written.
        self.last_value: bytes | None = None
        self.saved = False
        self.saved_at = now
        self.ended_at: float | None = None


class Sessions:
    """Those of one namespace."""

    def __init__(
        self,
        redis: Redis,
        *,
        prefix: str,
        uid: str,
        recovery_ms: int,
        clock: Clock,
        counts: Counts,
        position: Callable[[], str],
        on_taken: Callable[[LocalSocket], None],
    ) -> None:
        """`position` is how far this process has read the stream.

        `on_taken` gets a socket of ours whose client has gone on with another server."""
        self._redis = redis
        self._prefix = prefix
        self._uid = uid
        self._recovery_ms = recovery_ms
        self._clock = clock
        self._counts = counts
        self._position = position
        self._on_taken = on_taken
        # By pid, those saved longest ago first.
        self._held: dict[str, Held] = {}
        self._due: dict[str, Held] = {}
        # Taken from Redis, and when: a client may be gone again, or be refused, before it is back.
        self._unclaimed: dict[str, tuple[bytes, float]] = {}
        # Where the connections of those that were taken began: a client may come back more than once without an offset.
        self._since: dict[str, str] = {}
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()

    def connected(self, socket: LocalSocket) -> None:
        """To be saved soon; at once if what may be saved already is not right any more."""
        if (pid := socket.pid) is None:
            return
        held = self._held.get(pid)
        if held is None or held.socket is not socket:
            self._held.pop(pid, None)
            self._unclaimed.pop(pid, None)
            since = self._since.pop(pid, None) or self._position()
            held = self._held[pid] = Held(socket, self._clock.monotonic(), since)
        else:
            self._wake.set()
        if held.fate == "connected":
            self._due[pid] = held

    def dropped(self, socket: LocalSocket) -> None:
        """To be saved now, for the last time."""
        self._end(socket, "dropped")

    def left(self, socket: LocalSocket) -> None:
        """To be deleted now."""
        self._end(socket, "left")

    def release(self, pid: str) -> None:
        """Another socket is to have this session: nothing of the one that had it here is written any more."""
        self._held.pop(pid, None)
        self._due.pop(pid, None)

    def save_all_again(self) -> None:
        """Redis has lost what it had."""
        for pid, held in self._held.items():
            if held.fate == "connected":
                held.saved = False
                self._due[pid] = held

    async def take(self, pid: str) -> StoredSession | None:
        """The session, gone from Redis until a socket that has it connects, or soon if none does.

        Raises what Redis raises.
        """
        async with self._writing:
            if held := self._due.get(pid):
                await self._write([(pid, held)])
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.get(self._prefix + pid)
                pipe.delete(self._prefix + pid)
                stored = cast("bytes | None", (await pipe.execute())[0])
            session = decode_session(stored) if stored else None
            if not stored or not session or session.pid != pid:
                return None
            self.release(pid)
            self._unclaimed[pid] = stored, self._clock.monotonic()
            if session.since:
                self._since[pid] = session.since
            return session

    def forget(self, pid: str) -> None:
        """What was taken is worth nothing."""
        self._unclaimed.pop(pid, None)
        self._since.pop(pid, None)

    async def flush(self) -> None:
        """Write what is due, and wait for what is being written. Raises what Redis raises; the rest stays due."""
        while True:
            async with self._writing:
                if not self._due:
                    return
                await self._write(list(islice(self._due.items(), LARGEST_CALL)))

    async def run(self) -> None:
        """Flush about once a second, at once when a socket was lost, and renew what would expire."""
        backoff = Backoff()
        while True:
            end_if_cancelled()
            try:
                async with asyncio.timeout(FLUSH_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            self._renew()
            try:
                await self.flush()
                await self._put_back()
                backoff.reset()
            except (RedisError, OSError) as error:
                seconds = backoff.next_seconds()
                log.warning("cluster.sessions_unsaved", error=str(error), retry_seconds=round(seconds, 3))
                await self._clock.sleep(seconds)

    async def _put_back(self) -> None:
        overdue = self._clock.monotonic() - CLAIM_SECONDS
        for pid, (stored, taken_at) in list(self._unclaimed.items()):
            if taken_at > overdue:
                break
            await self._redis.set(self._prefix + pid, stored, px=self._recovery_ms, nx=True)
            self.forget(pid)

    def _end(self, socket: LocalSocket, fate: Literal["dropped", "left"]) -> None:
        held = self._held.get(socket.pid or "")
        if held is None or held.socket is not socket:
            return
        pid = socket.pid or ""
        del self._held[pid]
        self._due.pop(pid, None)
        if held.fate == "taken" or (fate == "left" and not held.ours):
            return
        held.last_value = self._encoded(held, None) if fate == "dropped" else b""
        held.fate = fate
        held.ended_at = self._clock.monotonic()
        self._due[pid] = held
        self._wake.set()

    def _renew(self) -> None:
        """A session lives for twice recovery_ms while connected, and is written again after half of that."""
        oldest = self._clock.monotonic() - self._recovery_ms / 1_000
        # Redis was away for longer than these were worth anything.
        for pid in [pid for pid, held in self._due.items() if held.ended_at and held.ended_at < oldest]:
            del self._due[pid]
        for pid, held in self._held.items():
            if held.saved_at > oldest:
                break
            if held.fate == "connected":
                self._due[pid] = held

    async def _write(self, call: Sequence[tuple[str, Held]]) -> None:
        for pid, _ in call:
            del self._due[pid]
        try:
            await self._replace(call)
        except BaseException:
            # Those that changed meanwhile are due already, as they are now.
            self._due = dict(call) | self._due
            raise

    async def _replace(self, call: Sequence[tuple[str, Held]]) -> None:
        keys: list[str] = []
        args: list[str | int | bytes] = []
        written: list[tuple[str, Held, str]] = []
        now = self._clock.monotonic()
        for pid, held in call:
            connected = held.fate == "connected"
            value = self._encoded(held, self._uid) if connected else held.last_value
            if value is None:
                continue
            if now - held.saved_at > 2 * self._recovery_ms / 1_000:
                # Expired long since: there was no Redis to renew it in.
                held.saved = False
            digest = hashlib.sha1(value, usedforsecurity=False).hexdigest()
            if digest not in held.ours:
                held.ours += digest
            keys.append(self._prefix + pid)
            args += [held.ours if held.saved else "", self._recovery_ms * (2 if connected else 1), value]
            written.append((pid, held, digest))
        if not keys:
            return
        said = cast("list[bytes]", await self._redis.register_script(REPLACE)(keys=keys, args=args))
        for (pid, held, digest), outcome in zip(written, said, strict=True):
            if outcome == b"done":
                held.ours, held.saved, held.saved_at = digest, True, now
                if self._held.get(pid) is held:
                    self._held[pid] = self._held.pop(pid)
            elif held.fate == "connected":
                held.fate = "taken"
                if outcome == b"taken":
                    self._on_taken(held.socket)

    def _encoded(self, held: Held, holder: str | None) -> bytes | None:
        try:
            return encode_session(held.socket, holder=holder, since=held.since)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            self._counts.add("unsaved", error)
            return None
