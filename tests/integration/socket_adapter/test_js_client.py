"""What a client of Node's socket.io-client meets on our app servers, by each transport."""

import asyncio
from uuid import uuid4

import pytest

from tests.bad_tokens import bad_tokens
from tiebreak.errors import Refusal

TRANSPORTS = {
    "default": {},
    "polling": {"transports": ["polling"]},
    "websocket": {"transports": ["websocket"]},
}


@pytest.fixture(params=TRANSPORTS)
def options(request):
    """A client's options: how it chooses its transport."""
    return TRANSPORTS[request.param]


async def test_transport(stage, options):
    """It begins as it was told and goes over to a WebSocket unless that is forbidden."""
    client = await stage.js_client(stage.servers["first"], **options)
    expected = "polling" if options.get("transports") == ["polling"] else "websocket"
    async with asyncio.timeout(20):
        while await client.transport() != expected:
            await asyncio.sleep(0.02)
    assert client.disconnections == []


async def test_refused_with_a_reason(stage, options):
    """Without a valid token there is no connection, and `connect_error` carries the code that says why."""
    tokens = bad_tokens(stage.token)
    assert tokens
    for token in (None, "", *tokens.values()):
        answer = await stage.js.client().open(stage.servers["first"], token, **options)
        assert answer["data"]["code"] in {"token_missing", "token_invalid", "token_expired"}
        assert Refusal[answer["data"]["code"].upper()].title == answer["refused"]
    assert (await stage.js.client().open(stage.servers["first"], None, **options))["data"] == {"code": "token_missing"}


async def test_acknowledgements(stage, options):
    """Each message gets its own answer, refusals too, however many are sent at once."""
    session, questions = await stage.master.session(stage.host)
    ann = await stage.player(session)
    client = await stage.js_client(stage.servers["second"], auth={"token": ann.tokens["access_token"]}, **options)
    snapshot = await client.call("enter_session", {"quiz_session_id": session})
    assert (snapshot["ok"], snapshot["rows"]) == (True, [])
    answer = {"quiz_session_id": session, "question_id": questions[0], "answer": 1, "answer_id": str(uuid4())}
    first = await client.call("update_score", answer)
    assert (first["ok"], first["score"]) == (True, 100)
    assert await client.call("update_score", answer) == first
    await client.until(lambda: {event for event, _ in client.received} >= {"score_update", "leaderboard_updating"})
    for message, code in (
        (["no_such_message", {}], "message_unknown"),
        (["get_leaderboard"], "request_invalid"),
        (["get_leaderboard", {"quiz_session_id": session, "unknown": 1}], "request_invalid"),
        (["get_leaderboard", {"quiz_session_id": str(uuid4())}], "session_not_found"),
    ):
        refused = await client.call(*message)
        assert (refused["ok"], refused["code"]) == (False, code)
    asked = [["get_leaderboard", {"quiz_session_id": session, "limit": limit}] for limit in range(1, 101)]
    answered = await client.calls(asked)
    assert [(it["ok"], it["rows"][0]["score"]) for it in answered] == [(True, 100)] * 100
    assert client.disconnections == []


async def test_messages_while_the_transport_changes(stage, options):
    """Who has entered misses nothing and gets nothing twice, also while it goes over to a WebSocket."""
    session, _ = await stage.master.session(stage.host)
    # Less than a client may be behind before messages are left out for it.
    sending = asyncio.create_task(stage.emit(*(f"message {at}" for at in range(200)), to=session))
    clients = []
    while not sending.done():
        clients.append(await stage.js_client(stage.servers["first"], session, **options))
    sent = await sending
    assert len(clients) > 1
    for client in clients:
        await client.until(lambda client=client: client.received == sent[len(sent) - len(client.received) :])
        assert client.disconnections == []
    [last] = await stage.emit("last", to=session)
    for client in clients:
        await client.got(last)
        assert client.received[:-1] == sent[len(sent) - len(client.received) + 1 :]


async def test_reconnecting(stage, options):
    """When an app server is killed its clients know it, and come back by themselves when it is there again."""
    session, _ = await stage.master.session(stage.host)
    client = await stage.js_client(stage.servers["second"], session, **options)
    before = await stage.node_emit(["before"], rooms=[session])
    await client.got(*before)
    with stage.topology.second.killed():
        await client.until(lambda: client.disconnections)
    await client.until(lambda: len(client.connections) == 2)
    assert (await client.call("enter_session", {"quiz_session_id": session}))["ok"]
    after = await stage.node_emit(["after"], rooms=[session])
    await client.got(*after)
    told_how_things_are = {"leaderboard_updating", "session_update"}
    assert [message for message in client.received if message[0] not in told_how_things_are] == [*before, *after]
