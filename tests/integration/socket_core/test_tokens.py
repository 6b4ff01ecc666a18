"""Tiebreak's sockets live as long as their tokens, and a user has so many."""

from __future__ import annotations

import asyncio
import json
from typing import NamedTuple
from uuid import UUID, uuid4

import msgspec
import pytest

from tests.integration.socket_core.stage import Stage, turns, until, within
from tiebreak.errors import KeysUnavailable, Refusal
from tiebreak.socket_adapter import server as socket_server
from tiebreak.socket_adapter.server import Limits, SocketServer

ALICE, BOB = uuid4(), uuid4()
PHONE, LAPTOP = uuid4(), uuid4()
NOW = 1_800_000_000
SHORT = 0.6


class Bearer(NamedTuple):
    """Whose token it is, when it ends, and the log-in it belongs to."""

    user_id: UUID
    expires_at: float
    login_id: UUID = PHONE


class StillClock:
    """Time stands until it is moved."""

    now = float(NOW)

    def now_ms(self) -> int:
        return int(self.now * 1000)

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


class Users:
    """Tokens, and whose they are; checking one may be made to take long."""

    def __init__(self) -> None:
        self.bearers = {
            "alice": Bearer(ALICE, NOW + 900),
            "alice, newer": Bearer(ALICE, NOW + 1_800),
            "alice, short": Bearer(ALICE, NOW + SHORT),
            "alice, shorter": Bearer(ALICE, NOW + SHORT / 2),
            "alice, on her laptop": Bearer(ALICE, NOW + 900, LAPTOP),
            "bob": Bearer(BOB, NOW + 900, uuid4()),
        }
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def authenticate(self, token: str | None) -> Bearer | Refusal:
        self.asked += 1
        await self.may_answer.wait()
        if token == "keys away":
            raise KeysUnavailable("no keys")
        return self.bearers.get(token or "", Refusal.TOKEN_INVALID if token else Refusal.TOKEN_MISSING)


class Whisper(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message of the tests."""

    text: str
    event = "whisper"


@pytest.fixture
def users() -> Users:
    return Users()


@pytest.fixture
async def tokens(stage: Stage, users: Users, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A server whose tokens live by a wheel that turns quickly."""
    engine_options = socket_server.EngineOptions
    monkeypatch.setattr(
        socket_server,
        "EngineOptions",
        lambda **said: engine_options(**said, ping_timeout_seconds=0.2, closing_seconds=0.2),
    )

    async def whisper(connection, message):
        return None

    sockets = SocketServer(
        origin_allowed=lambda *_: True,
        authenticate=users.authenticate,
        handlers={Whisper: whisper},
        limits=Limits(sockets_per_address=100, sockets_per_user=2),
        clock=StillClock(),
    )
    stage.server = sockets.server
    stage.sockets = sockets
    await stage.serve_sockets(sockets)
    return stage


async def bearer_of(stage, token):
    """A socket that has come in with the token."""
    client = await stage.stranger()
    await client.enter(auth=json.dumps({"token": token}))
    return client


async def refusal_of(stage, token):
    """The connect_error of one that is not let in."""
    client = await stage.stranger()
    packet = await client.exchange(f"40{json.dumps({'token': token})}")
    assert packet.startswith("44")
    return json.loads(packet[2:])


async def asked(client, *message):
    """What a message is acknowledged with."""
    await client.emit(*message, ack=1)
    packet = await client.next_packet()
    assert packet.startswith("431["), packet
    [answer] = json.loads(packet[3:])
    return answer


async def test_refused_tokens(tokens):
    """connect_error says why, by a code; the same connection may try again."""
    client = await tokens.stranger()
    for token, refusal in (
        ("forged", Refusal.TOKEN_INVALID),
        (None, Refusal.TOKEN_MISSING),
        ({"an": "object"}, Refusal.TOKEN_MISSING),
        ("keys away", Refusal.UNAVAILABLE),
    ):
        packet = await client.exchange(f"40{json.dumps({'token': token})}")
        assert json.loads(packet.removeprefix("44")) == {"message": refusal.title, "data": {"code": refusal.code}}
    await client.enter(auth='{"token":"alice"}')


async def test_the_end_of_a_token_closes_the_socket(tokens):
    """At its time, not before and not long after; others stay."""
    begun = asyncio.get_running_loop().time()
    short, other = await bearer_of(tokens, "alice, short"), await bearer_of(tokens, "bob")
    assert await short.goodbye() == ["41"]
    assert SHORT - 0.01 <= asyncio.get_running_loop().time() - begun < SHORT + 3
    assert tokens.is_connected(other)


@pytest.fixture
def restoring(tokens, monkeypatch):
    """A client that comes back: an event that says that it is being looked up, and one that lets this end."""
    begun, may_go_on = asyncio.Event(), asyncio.Event()

    async def restore(*_):
        begun.set()
        await may_go_on.wait()

    monkeypatch.setattr(type(tokens.server.of("/")), "recovery_ms", 60_000)
    monkeypatch.setattr(tokens.server.of("/").adapter, "restore", restore)
    return begun, may_go_on


async def test_a_token_that_ends_while_its_socket_is_restored(tokens, restoring):
    """Coming back with a secret that takes long to look up is no way around the end of a token."""
    begun, may_go_on = restoring
    client = await tokens.stranger()
    await client.send(f"40{json.dumps({'token': 'alice, short', 'pid': 'secret'})}")
    await begun.wait()
    ended = asyncio.get_running_loop().time() + SHORT + 0.1
    await until(lambda: asyncio.get_running_loop().time() > ended)
    may_go_on.set()
    assert (await within(client.goodbye(), 5))[-1] == "41"


async def test_the_end_of_a_login_closes_its_sockets(tokens):
    """All of them, those that showed a newer token too; the user's other log-ins and other users stay."""
    phone, laptop = await bearer_of(tokens, "alice"), await bearer_of(tokens, "alice, on her laptop")
    assert await asked(phone, "renew_token", {"token": "alice, newer"}) == {"ok": True}
    bob = await bearer_of(tokens, "bob")
    assert tokens.sockets.close_logins({PHONE, uuid4()}) == 1
    assert await phone.goodbye() == ["41"]
    assert tokens.is_connected(laptop)
    assert tokens.is_connected(bob)
    assert tokens.sockets.close_logins({PHONE}) == 0


async def test_a_socket_belongs_to_the_login_it_showed_last(tokens):
    """A newer token may be of another log-in of the same user: the end of the first one does not concern it then."""
    moved = await bearer_of(tokens, "alice")
    assert await asked(moved, "renew_token", {"token": "alice, on her laptop"}) == {"ok": True}
    assert tokens.sockets.close_logins({PHONE}) == 0
    assert tokens.sockets.close_logins({LAPTOP}) == 1
    assert await moved.goodbye() == ["41"]


async def test_a_login_that_ends_while_its_socket_is_restored(tokens, restoring):
    """Whoever is just being let in is put out as soon as he is in."""
    begun, may_go_on = restoring
    client = await tokens.stranger()
    await client.send(f"40{json.dumps({'token': 'alice', 'pid': 'secret'})}")
    await begun.wait()
    assert tokens.sockets.close_logins({PHONE}) == 1
    may_go_on.set()
    assert (await within(client.goodbye(), 5))[-1] == "41"


async def test_a_newer_token_prolongs(tokens):
    """A socket lives as long as the last token it has shown, be that longer or shorter."""
    prolonged, shortened = await bearer_of(tokens, "alice, short"), await bearer_of(tokens, "alice")
    assert await asked(prolonged, "renew_token", {"token": "alice, newer"}) == {"ok": True}
    assert await asked(shortened, "renew_token", {"token": "alice, shorter"}) == {"ok": True}
    begun = asyncio.get_running_loop().time()
    assert await shortened.goodbye() == ["41"]
    await until(lambda: asyncio.get_running_loop().time() - begun > SHORT + 0.1)
    assert tokens.is_connected(prolonged)


async def test_tokens_that_do_not_prolong(tokens):
    """Another user's, a forged one, none: refused, and the socket ends as it would have."""
    client = await bearer_of(tokens, "alice, shorter")
    for token, code in (("bob", "token_invalid"), ("forged", "token_invalid")):
        answer = await asked(client, "renew_token", {"token": token})
        assert (answer["ok"], answer["code"]) == (False, code)
    for argument in ({}, {"token": 1}, "alice", {"token": "alice", "more": 1}):
        answer = await asked(client, "renew_token", argument)
        assert (answer["ok"], answer["code"]) == (False, "request_invalid")
    answer = await asked(client, "renew_token", {"token": "keys away"})
    assert (answer["ok"], answer["code"]) == (False, "unavailable")
    assert await client.goodbye() == ["41"]


async def test_a_renewal_that_comes_too_late(tokens, users):
    """A socket that has gone while its newer token was checked leaves nothing behind."""
    client = await bearer_of(tokens, "alice")
    users.may_answer.clear()
    await client.emit("renew_token", {"token": "alice, newer"})
    await until(lambda: users.asked == 2)
    client.transport.connection.abort()
    await until(lambda: not tokens.is_connected(client))
    users.may_answer.set()
    await turns(20)
    await until(tokens.is_empty, seconds=2)


async def test_sockets_of_a_user(tokens):
    """Beyond the limit connect_error with a code; other users are not concerned, and who leaves makes room."""
    first = await bearer_of(tokens, "alice")
    await bearer_of(tokens, "alice, newer")
    full = {"message": Refusal.TOO_MANY_SOCKETS.title, "data": {"code": "too_many_sockets"}}
    assert await refusal_of(tokens, "alice") == full
    await bearer_of(tokens, "bob")
    first.transport.connection.abort()
    await until(lambda: not tokens.is_connected(first))
    await bearer_of(tokens, "alice")
    assert await refusal_of(tokens, "alice") == full


async def test_sockets_of_a_user_that_come_at_once(tokens, users):
    """Checks that are under way at the same time let no more in; whoever leaves during one counts no more."""
    users.may_answer.clear()
    clients = [await tokens.stranger() for _ in range(6)]
    for client in clients:
        await client.send('40{"token":"alice"}')
    await until(lambda: users.asked == 6)
    clients.pop().transport.connection.abort()
    users.may_answer.set()
    answers = [await client.next_packet() for client in clients]
    assert sum(answer.startswith("40") for answer in answers) == 2
    for client in clients:
        client.transport.connection.abort()
    await until(tokens.is_empty)
    assert not tokens.sockets._by_user
    assert tokens.sockets.close_logins({PHONE}) == 0


async def test_unknown_messages(tokens):
    """They are acknowledged as such, whatever stands in the place of a name."""
    client = await bearer_of(tokens, "alice")
    for event in ("nonsense", "n" * 1_000, 1, "__proto__"):
        assert (await asked(client, event, {}))["code"] == "message_unknown"


async def test_malformed_messages(tokens):
    """They are refused with what is wrong in them."""
    client = await bearer_of(tokens, "alice")
    for arguments in ([], [{}, {}], [None], [{"text": 1}], [{"text": "x", "more": 1}], [[]]):
        answer = await asked(client, "whisper", *arguments)
        assert (answer["ok"], answer["code"]) == (False, "request_invalid"), arguments
        assert answer["detail"]
    assert await within(asked(client, "whisper", {"text": "well"})) == {"ok": True}
