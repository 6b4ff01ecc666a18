"""What a client is sent arrives in the order in which it was sent, however it was sent."""

import asyncio

import pytest

from tests.integration.socket_core.stage import turns, until
from tiebreak.socket_adapter.engine_io import fan_out


@pytest.fixture(params=[3, 1_000])
def portion(request, monkeypatch):
    """Writes in one turn of the loop: fewer than there are recipients, or more."""
    monkeypatch.setattr(fan_out, "PORTION", request.param)
    return request.param


async def test_broadcasts_direct_messages_and_acknowledgements(stage, portion):
    """One after the other, as emitted, to clients of both transports, while a fan-out takes several turns."""
    server = await stage.serve()
    everyone = server.of("/")

    async def speak(socket, arguments):
        """Everything at once, and the acknowledgement last."""
        for number in range(5):
            await everyone.emit("to all", number)
            await everyone.to("even").emit("to the even", number)
            await everyone.to("even").emit("to the even again", number)
            await socket.emit("to you", number)
        await everyone.emit("before the acknowledgement")
        return ["done"]

    everyone.on("speak", speak)
    members = [await stage.member(*(["even"] if at % 2 == 0 else [])) for at in range(9)]
    members.append(await stage.polling_member("even"))
    for speaker in (members[0], members[1], members[9]):
        await speaker.emit("speak", ack=7)
        for member in members:
            expected = []
            for number in range(5):
                expected.append(["to all", number])
                if member in members[0::2] or member is members[9]:
                    expected += [["to the even", number], ["to the even again", number]]
                if member is speaker:
                    expected.append(["to you", number])
            assert await member.until("before the acknowledgement") == [*expected, ["before the acknowledgement"]]
        assert await speaker.next_packet() == '437["done"]'


async def test_emits_from_many_turns(stage, portion):
    """Emits that come while earlier ones are still being written queue up behind them."""
    server = await stage.serve()
    members = [await stage.member("room") for _ in range(10)]
    for number in range(200):
        await server.of("/").to("room").emit("news", number)
        if number % 7 == 0:
            await asyncio.sleep(0)
        if number % 11 == 0:
            await stage.socket(members[number % 10]).emit("news", -number)
    for at, member in enumerate(members):
        expected = []
        for number in range(200):
            expected.append(number)
            if number % 11 == 0 and number % 10 == at:
                expected.append(-number)
        assert [event[1] for event in await member.events(len(expected))] == expected


async def test_a_fan_out_to_polling_clients_takes_turns(stage, monkeypatch):
    """Each of their polls that waits costs more than a write: no more are answered in one turn than a portion."""
    monkeypatch.setattr(fan_out, "PORTION", 3)
    server = await stage.serve()
    members = [await stage.polling_member("room") for _ in range(20)]
    transports = [stage.socket(member).client.session.transport for member in members]
    for number in range(2):
        await server.of("/").to("room").emit("news", number)
    most = reached = 0
    while server.engine.fan_out.is_busy:
        await asyncio.sleep(0)
        before, reached = reached, sum(transport.has_words_left for transport in transports)
        most = max(most, reached - before)
    assert reached == len(members)
    assert most <= 3
    for member in members:
        assert await member.events(2) == [["news", 0], ["news", 1]]


async def test_messages_with_attachments(stage, portion):
    """A message's attachments follow it, and nothing comes in between, also where emits are written together."""
    server = await stage.serve()
    members = [*[await stage.member("room") for _ in range(5)], await stage.polling_member("room")]
    for number in range(5):
        await server.of("/").to("room").emit("binary", bytes([number]), b"second")
        await server.of("/").to("room").emit("text", number)
    for member in members:
        for number in range(5):
            head = '452-["binary",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'
            assert await member.receive(4) == [head, bytes([number]), b"second", f'42["text",{number}]']


async def test_a_disconnect_comes_after_what_was_emitted(stage, portion):
    """Emits made before it are delivered first; of those made after it, none is."""
    server = await stage.serve()
    members = [await stage.member("room") for _ in range(10)]
    members += [await stage.polling_member("room")]
    for number in range(3):
        await server.of("/").to("room").emit("news", number)
    sockets = [stage.socket(member) for member in members]
    for socket in sockets:
        socket.disconnect(close=True)
    await server.of("/").to("room").emit("too late")
    await server.of("/").emit("too late")
    for member in members:
        assert await member.goodbye() == ['42["news",0]', '42["news",1]', '42["news",2]', "41"]
    assert not any(socket.is_connected for socket in sockets)


async def test_leaving_a_namespace_comes_after_what_was_emitted(stage, portion):
    """The same where the connection stays."""
    server = await stage.serve()
    members = [await stage.member("room") for _ in range(10)]
    await server.of("/").to("room").emit("news")
    await server.of("/").to("room").disconnect_sockets()
    await server.of("/").emit("too late")
    for member in members:
        assert await member.receive(2) == ['42["news"]', "41"]
        await member.enter()
    await server.of("/").emit("back")
    for member in members:
        assert await member.event() == ["back"]


async def test_closing_the_server_comes_after_what_was_emitted(stage, portion):
    """A server that closes first says what it had to say."""
    server = await stage.serve()
    members = [await stage.member("room") for _ in range(10)]
    members += [await stage.polling_member("room")]
    await server.of("/").to("room").emit("news")
    await server.close()
    for member in members:
        assert await member.goodbye() == ['42["news"]']


async def test_nothing_follows_a_close_frame(stage, portion):
    """A session that ends while a broadcast is under way gets no data after its close frame (RFC 6455, 5.5.1)."""
    server = await stage.serve()
    members = [await stage.member("room") for _ in range(10)]
    await server.of("/").to("room").emit("news")
    for member in members:
        stage.socket(member).client.session.break_off("ping timeout")
    for member in members:
        # The client of the tests fails if anything follows.
        await member.goodbye()


async def test_sockets_leave_between_an_emit_and_its_writing(stage, portion):
    """Connections that are lost meanwhile harm nobody else's messages."""
    server = await stage.serve()
    members = [await stage.member("room") for _ in range(10)]
    for number in range(3):
        await server.of("/").to("room").emit("news", number)
    for member in members[::2]:
        stage.transport(member).abort()
    await turns(100)
    for member in members[1::2]:
        assert await member.events(3) == [["news", 0], ["news", 1], ["news", 2]]
    await until(lambda: len(server.engine.sessions) == 5)
    await server.of("/").to("room").emit("still here")
    for member in members[1::2]:
        assert await member.event() == ["still here"]


async def test_an_application_that_fails_at_a_disconnect(stage, portion):
    """Whatever its handlers raise, also at one that is closed in the middle of a fan-out, the others are served."""
    server = await stage.serve()

    def fail(socket, reason):
        raise RuntimeError("It is the application's mistake.")

    server.of("/").on_disconnect(fail)
    stopped, other = await stage.polling_member("stopped"), await stage.member("all")
    await stage.member("stopped")
    for _ in range(3):
        await server.of("/").to("stopped").emit("news", "x" * 400_000)
    await until(lambda: not stage.is_connected(stopped))
    await server.of("/").to("all").emit("still here")
    assert await other.event() == ["still here"]
