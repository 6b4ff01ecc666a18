"""Who gets a broadcast."""

import pytest

from tests.integration.socket_core.stage import until


@pytest.fixture
async def five(stage):
    """Sockets in a and b, in a, in b, in c, in none; the last over long-polling."""
    await stage.serve()
    members = [await stage.member(*rooms) for rooms in ("ab", "a", "b", "c")]
    return [*members, await stage.polling_member()]


async def test_rooms_and_exceptions(stage, five):
    """Each client of any of the rooms gets it once, and nobody who is in a room that is left out."""
    everyone = stage.server.of("/")
    for rooms, excluded, expected in (
        ("", "", "01234"),
        ("a", "", "01"),
        ("ab", "", "012"),
        ("aab", "", "012"),
        ("abc", "", "0123"),
        ("x", "", ""),
        ("ax", "", "01"),
        ("", "a", "234"),
        ("", "ab", "34"),
        ("", "x", "01234"),
        ("a", "b", "1"),
        ("ab", "a", "2"),
        ("ab", "ab", ""),
        ("c", "ab", "3"),
    ):
        await everyone.to(*rooms).except_(*excluded).emit("news")
        await everyone.emit("last")
        got = [len(await member.until("last")) - 1 for member in five]
        assert got == [int(str(at) in expected) for at in range(5)], (rooms, excluded)


async def test_joining_and_leaving(stage):
    """It counts who is in the room when it is emitted; doing it twice makes no difference."""
    server = await stage.serve()
    member = await stage.member()
    socket = stage.socket(member)
    room = server.of("/").to("room")
    await room.emit("before")
    socket.join("room", "room")
    socket.join("room")
    await room.emit("inside")
    socket.leave("room")
    socket.leave("room", "another")
    await room.emit("after")
    await server.of("/").emit("last")
    assert await member.until("last") == [["inside"], ["last"]]
    assert set(socket.rooms) == {socket.id}
    assert server.of("/").rooms.names() == []


async def test_a_broadcast_moves_sockets(stage, five):
    """Those who match a choice of rooms join and leave others together."""
    everyone = stage.server.of("/")
    await everyone.to("a", "c").except_("b").sockets_join("d", "e")
    await everyone.to("a").sockets_leave("d")
    assert sorted(socket.id for socket in await everyone.to("d").fetch_sockets()) == [five[3].id]
    assert sorted(socket.id for socket in await everyone.to("e").fetch_sockets()) == sorted([five[1].id, five[3].id])


async def test_a_socket_is_a_room(stage, five):
    """Its id reaches it alone, and leaves it out."""
    everyone = stage.server.of("/")
    await everyone.to(five[0].id).emit("to one")
    await everyone.to(five[0].id, five[4].id, "c").emit("to three")
    await everyone.except_(five[0].id).emit("to others")
    await everyone.emit("last")
    heard = [[event[0] for event in await member.until("last")] for member in five]
    assert heard[0] == ["to one", "to three", "last"]
    assert heard[3] == heard[4] == ["to three", "to others", "last"]
    assert heard[1] == heard[2] == ["to others", "last"]


async def test_a_room_named_like_a_socket(stage, five):
    """A socket in the room named after another one gets what that one gets, until the other is gone and after."""
    everyone = stage.server.of("/")
    owner, listener = five[0], five[1]
    stage.socket(listener).join(owner.id)
    await everyone.to(owner.id).emit("to both")
    stage.socket(owner).leave(owner.id)
    await everyone.to(owner.id).emit("still")
    stage.socket(owner).disconnect()
    await everyone.to(owner.id).emit("to the listener")
    stage.socket(listener).leave(owner.id)
    await everyone.to(owner.id).emit("to nobody")
    await everyone.emit("last")
    assert await owner.receive(3) == ['42["to both"]', '42["still"]', "41"]
    assert await listener.until("last") == [["to both"], ["still"], ["to the listener"], ["last"]]


async def test_whoever_leaves_after_an_emit_still_gets_it(stage):
    """And who joins after it does not, even before it is written."""
    server = await stage.serve()
    leaver, joiner = await stage.member("room"), await stage.member()
    await server.of("/").to("room").emit("news")
    stage.socket(leaver).leave("room")
    stage.socket(joiner).join("room")
    await server.of("/").emit("last")
    assert await leaver.until("last") == [["news"], ["last"]]
    assert await joiner.until("last") == [["last"]]


@pytest.mark.parametrize("end", ["drop", "goodbye", "disconnect", "namespace"])
async def test_a_disconnect_leaves_no_room_behind(stage, end):
    """However a socket goes, it is in no room afterwards, and rooms without sockets are gone."""
    server = await stage.serve()
    other = await stage.member("shared")
    leaver = await stage.member("shared", "own", other.id)
    socket = stage.socket(leaver)
    if end == "drop":
        leaver.transport.connection.abort()
    elif end == "goodbye":
        await leaver.send("1")
    elif end == "disconnect":
        socket.disconnect(close=True)
    else:
        await leaver.send("41")
    await until(lambda: not socket.is_connected)
    assert server.of("/").rooms.names() == ["shared"]
    assert [found.id for found in await server.of("/").fetch_sockets()] == [other.id]
    socket.join("shared", "new")
    assert server.of("/").rooms.names() == ["shared"], "a socket that is gone joins nothing"
    await server.of("/").to("shared", "own").emit("last")
    assert await other.event() == ["last"]


async def test_namespaces_do_not_mix(stage):
    """A room of a namespace is not that of another, and a client's sockets there are different ones."""
    server = await stage.serve()
    admin = server.of("/admin")
    member = await stage.member("room")
    main_id = member.id
    admin_id = await member.enter("/admin")
    assert admin_id != main_id
    admin.rooms.sockets[admin_id].join("room")
    await admin.to("room").emit("to admins")
    await server.of("/").to("room").emit("to members")
    assert await member.receive(2) == ['42/admin,["to admins"]', '42["to members"]']
    await member.send("41/admin,")
    await until(lambda: not admin.rooms.sockets)
    assert stage.reasons == {}
    await server.of("/").to("room").emit("last")
    assert await member.event() == ["last"]
