"""What else stands in the stream: our app servers carry it out, or pass it over, and go on."""

import asyncio

import msgspec

from tiebreak.socket_adapter.redis_streams.stream_names import STREAM

# Of adapters that extend Node's ClusterAdapterWithHeartbeat: 1, 2 and 13; the rest are what 0.3 can send.
OTHER_TYPES = range(14)


def entry(type_, data=None, nsp="/"):
    """An entry as Node's adapter writes it; without `data` where it has none."""
    fields = {"uid": "a1b2c3d4e5f60718", "nsp": nsp, "type": str(type_)}
    return fields if data is None else fields | {"data": data}


def broadcast(session, message, nsp="/"):
    return {
        "packet": {"type": 2, "data": message, "nsp": nsp},
        "opts": {"rooms": [session], "except": [], "flags": {}},
    }


async def test_other_entries_of_node(stage):
    """Node counts our sockets among its own: they join, leave, are sent binary, and are disconnected at its word."""
    session, _ = await stage.master.session(stage.host)
    audience = await stage.audience(session)
    await stage.node.ask("sockets_join", rooms=[session], others=["another room"])
    # The question goes another way than the order, and may overtake it.
    async with asyncio.timeout(20):
        while len(await stage.node.ask("fetch_sockets", rooms=["another room"])) != len(audience):
            await asyncio.sleep(0.05)
    in_the_room = await stage.node_emit(["in the room"], rooms=["another room"])
    await stage.node.ask("sockets_leave", rooms=[session], others=["another room"])
    await stage.node_emit(["left already"], rooms=["another room"])
    await stage.node.ask("emit_in_namespace", namespace="/admin", rooms=[session], message=["for_admins"])
    await stage.node.ask("emit_binary", rooms=[session], event="binary")
    last = await stage.node_emit(["last"], rooms=[session])
    for client in audience:
        await client.got(*last)
        assert [event for event, *_ in client.received] == [in_the_room[0][0], "binary", "last"], client
    await stage.node.ask("disconnect_sockets", rooms=[session])
    for client in audience:
        await client.until(lambda client=client: client.disconnections)


async def test_entries_nobody_can_read(stage):
    """Every type of entry with and without data, broken data, fields missing: each is passed over alone."""
    session, _ = await stage.master.session(stage.host)
    clients = [await stage.js_client(url, session) for url in stage.topology.app_servers.values()]
    readable = broadcast(session, ["sound"])
    encoded = msgspec.json.encode(readable)
    deep = b"[" * 100_000
    strange = [
        *(entry(type_) for type_ in OTHER_TYPES),
        # 6 needs no more than whom to disconnect.
        *(entry(type_, encoded) for type_ in OTHER_TYPES if type_ not in {3, 6}),
        entry(3, b""),
        entry(3, b"null"),
        entry(3, encoded[:-1]),
        entry(3, encoded + b"}"),
        entry(3, b'{"packet": {"type": 2, "data": ["\xff"]}, "opts": {"rooms": []}}'),
        entry(3, msgspec.json.encode(broadcast(session, []))),
        entry(3, msgspec.json.encode(broadcast(session, [7]))),
        entry(3, msgspec.json.encode(broadcast(session, [None]))),
        entry(3, msgspec.json.encode(broadcast(session, ["disconnect"]))),
        entry(3, msgspec.json.encode(readable | {"packet": {"type": 3, "data": ["an acknowledgement"]}})),
        entry(3, msgspec.json.encode(readable | {"opts": {"rooms": "a string"}})),
        entry(3, encoded.replace(b'"sound"', deep)),
        entry(3, encoded.replace(b'"sound"', b'"deep",' + b"[" * 3_000 + b"]" * 3_000)),
        entry(3, encoded, nsp="/admin"),
        entry(3, encoded, nsp=""),
        entry("three", encoded),
        {"nothing": "known"},
        {"type": "3", "nsp": "/"},
    ]
    for fields in strange:
        await stage.redis.xadd(STREAM, fields)
    [last] = await stage.emit("last", to=session)
    for client in clients:
        await client.got(last)
        assert client.received == [last]
    assert stage.topology.second.lives


async def test_newer_fields_do_no_harm(stage):
    """Options and flags we do not know yet: the message is delivered all the same."""
    session, _ = await stage.master.session(stage.host)
    clients = [await stage.js_client(url, session) for url in stage.topology.app_servers.values()]
    data = broadcast(session, ["sound", 1]) | {"requestId": None, "new": {}}
    data["opts"] |= {"flags": {"volatile": True, "compress": False, "new": 1}, "new": []}
    await stage.redis.xadd(STREAM, entry(3, msgspec.json.encode(data)) | {"new": "field"})
    for client in clients:
        await client.got(["sound", 1])
