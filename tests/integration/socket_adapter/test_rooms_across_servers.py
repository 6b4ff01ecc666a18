"""Rooms that span our app servers and a Socket.IO server of Node: who is told what, how often, in which order."""

import asyncio
from uuid import uuid4

import pytest

from tests.client import quizmaster

UNICODE = 'Größe, 日本語, ١٢٣, 👩‍🚀, \u2028, \u0000, "quoted", \\ and </script>'
NESTED = {"rows": [{"rank": 1, "name": UNICODE, "more": {"a": [[], {}, None, True, -0.5]}}], "": {"": ""}}


async def test_everybody_is_told_everything_once(stage):
    """What workers, app servers and Node send to a room, all at once, every socket there gets once and in order."""
    (session, questions), (elsewhere, _) = [await stage.master.session(stage.host) for _ in range(2)]
    ann = await stage.player(session)
    audience, others = await stage.audience(session), await stage.audience(elsewhere)

    async def answer_everywhere():
        """The messages of the app servers and of the cache worker."""
        async with quizmaster(stage.topology.second.base_url) as second:
            for question, answer in zip(questions, (1, [1, 3], True, "cold"), strict=True):
                ann.http = second.http if ann.http is stage.master.http else stage.master.http
                assert (await ann.answer(session, question, answer)).status_code == 200

    from_worker, from_node, _ = await asyncio.gather(
        stage.emit(*(f"{UNICODE} {at}" for at in range(100)), to=session),
        stage.node_emit(*(["from_node", {"at": at} | NESTED] for at in range(100)), rooms=[session]),
        answer_everywhere(),
    )
    for client in audience:
        await client.until(lambda client=client: board_total(client) == sum(scores(client)) == 450)
    [last_of_worker] = await stage.emit("the last", to=session)
    [last_of_node] = await stage.node_emit(["from_node", "the last"], rooms=[session, elsewhere])

    for client in audience:
        await client.got(last_of_worker, last_of_node)
        assert sent_by_node(client) == [*from_node, last_of_node]
        assert sent_by_worker(client) == [*from_worker, last_of_worker]
        # The same as everybody else, so in the order of the stream.
        assert [it for it in client.received if it not in from_node] == [
            it for it in audience[0].received if it not in from_node
        ]
        assert sorted(scores(client)) == [100, 100, 100, 150]
    ours = [client for client in audience if "Node" not in client.name]
    assert all(client.received == ours[0].received for client in ours)
    for client in others:
        await client.got(last_of_node)
        assert client.received == [last_of_node]


def board_total(client):
    boards = [arguments[0] for event, *arguments in client.received if event == "leaderboard_updating"]
    return boards[-1]["rows"][0]["score"] if boards else None


def sent_by_node(client):
    return [message for message in client.received if message[0] == "from_node"]


def sent_by_worker(client):
    return [message for message in client.received if message[0] == "session_update"]


def scores(client):
    updates = [payload for event, payload, *_ in client.received if event == "score_update"]
    return [change["score"] for update in updates for change in update["changes"]]


async def test_arguments_of_all_kinds(stage):
    """A message has the arguments Node gave it: none, null, several, whatever JSON can hold."""
    session, _ = await stage.master.session(stage.host)
    audience = await stage.audience(session)
    sent = await stage.node_emit(
        ["none"],
        ["null", None],
        ["several", 1, "two", [3], {"four": None}, None, False],
        ["one_list", [1, 2, 3]],
        ["empty", {}, [], ""],
        ["unicode", UNICODE, {UNICODE: UNICODE}],
        ["nested", NESTED, [NESTED, NESTED]],
        ["numbers", 0, -1.5, 0.1, 2**53 - 1, -(2**53) + 1, 1e21, 5e-324],
        ["wide", list(range(500))],
        ["last"],
        rooms=[session],
    )
    for client in audience:
        await client.got(["last"])
        assert client.received == sent


async def test_whom_a_message_is_for(stage):
    """Several rooms, all sockets, one socket, exceptions: as Node means it, and nobody twice."""
    (one, _), (two, _) = [await stage.master.session(stage.host) for _ in range(2)]
    rooms = {"one": [one], "two": [two], "both": [one, two], "neither": []}
    people = {name: await stage.audience(*entered) for name, entered in rooms.items()}
    chosen = people["one"][0]
    [socket_id] = chosen.connections

    await stage.node_emit(["to_one"], rooms=[one])
    await stage.node_emit(["to_either"], rooms=[one, two])
    await stage.node_emit(["to_one_but_not_two"], rooms=[one], except_=[two])
    await stage.node_emit(["to_all"])
    await stage.node_emit(["to_all_but_one"], except_=[one])
    await stage.node_emit(["to_all_but_both"], except_=[one, two, str(uuid4())])
    await stage.node_emit(["to_nobody"], rooms=[one], except_=[one])
    await stage.node_emit(["to_an_empty_room"], rooms=[str(uuid4())])
    await stage.node_emit(["to_a_socket"], rooms=[socket_id])
    await stage.node_emit(["to_other_sockets"], rooms=[one], except_=[socket_id])
    await stage.node_emit(["last"])

    told = {
        "one": ["to_one", "to_either", "to_one_but_not_two", "to_all", "to_other_sockets", "last"],
        "two": ["to_either", "to_all", "to_all_but_one", "last"],
        "both": ["to_one", "to_either", "to_all", "to_other_sockets", "last"],
        "neither": ["to_all", "to_all_but_one", "to_all_but_both", "last"],
    }
    for name, audience in people.items():
        for client in audience:
            await client.got(["last"])
            expected = told[name]
            if client is chosen:
                expected = ["to_a_socket" if event == "to_other_sockets" else event for event in expected]
            assert [event for [event] in client.received] == expected, client


@pytest.mark.parametrize("server", ["first", "second"])
async def test_who_leaves_hears_no_more(stage, server):
    """A room forgets who left it, wherever messages come from."""
    session, _ = await stage.master.session(stage.host)
    leaving = await stage.js_client(stage.servers[server], session)
    staying = await stage.js_client(stage.servers[server], session)
    before = await stage.node_emit(["before"], rooms=[session])
    await leaving.got(*before)
    assert (await leaving.call("leave_session", {"quiz_session_id": session})) == {"ok": True}
    await stage.node_emit(["after"], rooms=[session])
    await stage.emit("after", to=session)
    last = await stage.node_emit(["last"])
    await asyncio.gather(leaving.got(*last), staying.got(*last))
    assert leaving.received == [*before, *last]
    assert len(staying.received) == 4
