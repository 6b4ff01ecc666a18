"""Two servers of ours and one of Node on one Redis, with clients of socket.io-client on each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis

from tests.integration.redis_streams.node import JsClient, NodeServer, node_server
from tests.integration.redis_streams.ours import OurServer, our_server
from tests.integration.redis_streams.proxy import Proxy, proxy_to
from tests.integration.redis_streams.waiting import until

SERVERS = ("ours", "also ours", "Node")
BYTES = [{"type": "Buffer", "data": [0, 255, 123]}, {"deep": [{"type": "Buffer", "data": [1, 2]}]}]


@dataclass
class Cluster:
    """Its servers, and where clients run."""

    servers: dict[str, OurServer | NodeServer]
    node: NodeServer
    closing: AsyncExitStack

    async def clients(self) -> dict[str, JsClient]:
        """One on each server, in the room `all` and one named like its server."""
        clients = {}
        for name, server in self.servers.items():
            client = clients[name] = await self.node.client(server.url, name)
            self.closing.push_async_callback(client.close)
            await client.call("join", ["all", name])
        return clients

    async def proxied(self, name: str) -> tuple[JsClient, Proxy]:
        """A client on that server that a test can cut off, in the room `all`."""
        proxy = await self.closing.enter_async_context(proxy_to(self.servers[name].url))
        client = await self.node.client(f"http://127.0.0.1:{proxy.port}", name)
        self.closing.push_async_callback(client.close)
        await client.call("join", ["all"])
        return client, proxy

    async def emitted(self, client: JsClient, *names: str, count: int = 3) -> list[list[object]]:
        """Have each of these servers emit to `all`, one after the other; the messages."""
        messages = [[f"from {name}", n] for name in names for n in range(count)]
        for message in messages:
            await self.servers[str(message[0]).removeprefix("from ")].ask("emit", messages=[message], rooms=["all"])
        return messages


@pytest.fixture
async def cluster(redis_url: str) -> AsyncIterator[Cluster]:
    """Three servers that hear each other."""
    async with AsyncExitStack() as closing:
        node = await closing.enter_async_context(node_server(redis_url))
        ours = [await closing.enter_async_context(our_server(redis_url)) for _ in range(2)]
        cluster = Cluster(dict(zip(SERVERS, (*ours, node), strict=True)), node, closing)
        scout = await node.client(node.url, "scout")
        async with asyncio.timeout(20):
            # Node begins to read at "$".
            while not scout.received:
                await ours[0].ask("emit", messages=[["anybody?"]])
                await asyncio.sleep(0.05)
        await scout.close()
        yield cluster


async def test_every_direction(cluster):
    """Who emits does not matter: each client gets each message once, in one order, with the same offsets."""
    clients = await cluster.clients()
    everything = []
    for name, server in cluster.servers.items():
        await server.ask("emit", messages=[["to all", name], ["Ä", {"n": [1, 0.5, None]}]])
        everything += [["to all", name], ["Ä", {"n": [1, 0.5, None]}]]
        await server.ask("emit_bytes", event="bytes", rooms=["all"])
        for other in SERVERS:
            await server.ask("emit", messages=[["to one", name]], rooms=[other])
            await server.ask("emit", messages=[["to others", name]], rooms=["all"], **{"except": [other]})
        await server.ask("emit", messages=[["end", name]])
        for client in clients.values():
            await until(lambda client=client, name=name: ["end", name] in client.got)
    for client in clients.values():
        told = [message for message in client.got if message[0] in ("to all", "Ä")]
        assert told == everything
        assert len([message for message in client.got if message[0] == "to one"]) == 3
        assert len([message for message in client.got if message[0] == "to others"]) == 6
        for message in client.got:
            if message[0] == "bytes":
                assert message[1:3] == BYTES
    offsets = [[message[-1] for message in client.received if message[0] == "to all"] for client in clients.values()]
    assert offsets[0] == offsets[1] == offsets[2]


async def test_one_order_under_load(cluster):
    """All emit at once: on our servers the order is the same, and offsets only grow."""
    clients = await cluster.clients()
    await asyncio.gather(
        *(
            server.ask("emit", messages=[["n", name, n] for n in range(100)], rooms=["all"])
            for name, server in cluster.servers.items()
        )
    )
    for client in clients.values():
        await until(lambda client=client: len(client.received) == 300)
    ours = clients["ours"].received
    assert ours == clients["also ours"].received
    stamps = [tuple(map(int, str(message[-1]).split("-"))) for message in ours]
    assert stamps == sorted(stamps)
    assert sorted(map(str, ours)) == sorted(map(str, clients["Node"].received))


async def test_rooms_and_disconnections(cluster):
    """Each server moves and disconnects the sockets of all."""
    clients = await cluster.clients()
    for name, server in cluster.servers.items():
        await server.ask("sockets_join", rooms=["all"], others=[f"made by {name}", "left at once"])
        await server.ask("sockets_leave", rooms=["all"], others=["left at once"])
        await server.ask("emit", messages=[["there", name]], rooms=[f"made by {name}"])
        await server.ask("emit", messages=[["gone", name]], rooms=["left at once"])
        await server.ask("emit", messages=[["done", name]])
        for client in clients.values():
            await until(lambda client=client, name=name: ["done", name] in client.got)
            assert ["there", name] in client.got
            assert ["gone", name] not in client.got
    for name, other in zip(SERVERS, ("also ours", "Node", "ours"), strict=True):
        await cluster.servers[name].ask("disconnect_sockets", rooms=[other])
        await until(lambda other=other: clients[other].disconnections == ["io server disconnect"])


async def test_everybodys_sockets_and_acknowledgements(cluster):
    """Asked of any server."""
    clients = await cluster.clients()
    ids = {client.connections[0] for client in clients.values()}
    for server in cluster.servers.values():
        assert await server.ask("server_count") == 3
        found = await server.ask("fetch_sockets", rooms=["all"])
        assert {socket["id"] for socket in found} == ids
        by_server = [socket["data"]["server"] for socket in found]
        assert sorted(by_server) == ["Node", "ours", "ours"]
        for socket in found:
            assert socket["handshake"]["query"]["EIO"] == "4"
            assert "all" in socket["rooms"]
        acknowledged = await server.ask("emit_with_ack", message=["question", 1], rooms=["all"])
        names = sorted(answer["client"] for answer in acknowledged["answers"])
        assert names == sorted(client.name for client in clients.values())
        assert len(await server.ask("fetch_sockets", rooms=["Node", "ours"], **{"except": ["ours"]})) == 1


async def test_servers_among_themselves(cluster):
    """What one emits to servers reaches the others and not itself; all others answer."""
    for name, server in cluster.servers.items():
        await server.ask("server_side_emit", message=["told", name])
        for other in SERVERS:
            if other != name:
                await cluster.servers[other].told(name)
        answers = (await server.ask("server_side_emit_with_ack", message=["asked", {"by": name}]))["answers"]
        others = ["Node" if other == "Node" else "ours" for other in SERVERS if other != name]
        assert sorted(answer["server"] for answer in answers) == sorted(others)
        assert all(answer["question"] == {"by": name} for answer in answers)
        assert ["told", name] not in [said.get("told") for said in server.said]


@pytest.mark.parametrize("gone_from", ["ours", "Node"])
@pytest.mark.parametrize("back_to", ["ours", "also ours", "Node"])
async def test_recovery(cluster, gone_from, back_to):
    """A client loses its connection and comes back, anywhere: it has its rooms, its data and every message, once."""
    client, proxy = await cluster.proxied(gone_from)
    await client.call("data", {"name": "Ann"})
    before = await cluster.emitted(client, *SERVERS)
    await until(lambda: client.got == before)
    proxy.target = cluster.servers[back_to].url
    proxy.refusing = True
    proxy.cut()
    await until(lambda: client.disconnections)
    missed = await cluster.emitted(client, *SERVERS)
    await cluster.servers["ours"].ask("emit", messages=[["volatile"]], rooms=["all"], flags=["volatile"])
    proxy.refusing = False
    await until(lambda: len(client.connections) == 2)
    assert client.recoveries == [False, True]
    after = await cluster.emitted(client, *SERVERS)
    await until(lambda: client.got[-1:] == after[-1:])
    # Node sends volatile messages again, and does not order its own with those of others.
    got = [message for message in client.got if message != ["volatile"]]
    assert got == [*before, *missed, *after] if back_to != "Node" else sorted(got) == sorted([*before, *missed, *after])
    assert (["volatile"] in client.got) is (back_to == "Node")
    assert (await client.call("ask", 1))["server"] == ("Node" if back_to == "Node" else "ours")
    [socket] = await cluster.servers["also ours"].ask("fetch_sockets", rooms=["all"])
    assert socket["id"] == client.connections[0] == client.connections[1]
    assert socket["data"]["name"] == "Ann"


@pytest.mark.parametrize("back_to", ["also ours", "Node"])
async def test_recovery_from_a_killed_server(cluster, back_to):
    """kill -9: its sockets come back elsewhere, recovered."""
    client, proxy = await cluster.proxied("ours")
    await client.call("data", {"name": "Ann"})
    before = await cluster.emitted(client, *SERVERS)
    await until(lambda: client.got == before)
    # Sessions are saved about once a second.
    await asyncio.sleep(1.5)
    proxy.target = cluster.servers[back_to].url
    proxy.refusing = True
    await cluster.servers["ours"].kill()
    await until(lambda: client.disconnections)
    missed = await cluster.emitted(client, "also ours", "Node")
    proxy.refusing = False
    await until(lambda: len(client.connections) == 2)
    assert client.recoveries == [False, True]
    after = await cluster.emitted(client, "also ours", "Node")
    await until(lambda: client.got[-1:] == after[-1:])
    assert client.got == [*before, *missed, *after]
    [socket] = await cluster.servers["also ours"].ask("fetch_sockets", rooms=["all"])
    assert socket["data"]["name"] == "Ann"


@pytest.mark.parametrize("back_to", ["ours", "also ours"])
async def test_a_connection_that_died_unnoticed(cluster, back_to):
    """Our server still holds the old connection when the client is back: one socket is left, and it stays."""
    client, proxy = await cluster.proxied("ours")
    before = await cluster.emitted(client, "ours")
    await until(lambda: client.got == before)
    await asyncio.sleep(1.5)
    proxy.target = cluster.servers[back_to].url
    proxy.cut_here()
    await until(lambda: len(client.connections) == 2)
    assert client.recoveries == [False, True]
    after = await cluster.emitted(client, *SERVERS)
    await until(lambda: client.got == [*before, *after])
    # Longer than our server waits for a pong.
    await asyncio.sleep(4)
    assert len(client.connections) == 2
    assert len(await cluster.servers["Node"].ask("fetch_sockets", rooms=["all"])) == 1
    more = await cluster.emitted(client, "Node")
    await until(lambda: client.got == [*before, *after, *more])
    # And it can come back once more.
    proxy.cut()
    await until(lambda: len(client.connections) == 3)
    assert client.recoveries == [False, True, True]


@pytest.mark.parametrize("way", ["polling", "websocket"])
async def test_who_left_is_new(cluster, redis_url, way):
    """Who disconnects on purpose, or is disconnected, leaves no session behind; over either transport."""
    async with Redis.from_url(redis_url) as redis:
        for name in ("ours", "Node"):
            client = await cluster.node.client(cluster.servers["ours"].url, transports=[way])
            await client.call("join", ["all"])
            await cluster.emitted(client, name)
            await until(lambda client=client: len(client.received) == 3)
            async with asyncio.timeout(5):
                while not await redis.keys("sio:session:*"):
                    await asyncio.sleep(0.02)
            if name == "Node":
                await client.close()
            else:
                await cluster.servers["Node"].ask("disconnect_sockets", rooms=["all"], close=True)
            await until(lambda client=client: client.disconnections)
            async with asyncio.timeout(5):
                while await redis.keys("sio:session:*"):
                    await asyncio.sleep(0.02)
            assert await cluster.servers["Node"].ask("fetch_sockets", rooms=["all"]) == []


async def test_recovery_by_polling(cluster):
    """Over long-polling a server only notices that it is not asked any more: the client comes back before that."""
    proxy = await cluster.closing.enter_async_context(proxy_to(cluster.servers["ours"].url))
    client = await cluster.node.client(f"http://127.0.0.1:{proxy.port}", transports=["polling"])
    await client.call("join", ["all"])
    before = await cluster.emitted(client, *SERVERS)
    await until(lambda: client.got == before)
    proxy.target = cluster.servers["also ours"].url
    proxy.refusing = True
    proxy.cut()
    await until(lambda: client.disconnections)
    missed = await cluster.emitted(client, *SERVERS)
    proxy.refusing = False
    await until(lambda: len(client.connections) == 2)
    assert client.recoveries == [False, True]
    await until(lambda: client.got == [*before, *missed])
    # The first server lets go of it.
    await asyncio.sleep(1)
    assert len(await cluster.servers["Node"].ask("fetch_sockets", rooms=["all"])) == 1
    await client.close()
