"""Every test here judges two servers in turn: ours and Node's reference.

`@pytest.mark.node_deviates("how")` marks where the reference leaves the text of a protocol or an RFC: there the test
must fail on Node, and must pass on ours.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.conformance.server_program import PROGRAMS, Endpoint, Server, running
from tests.conformance.socket_client import SocketClient, TransportName, socket_client


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "node_deviates(how): the reference fails this test, and why it may")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        deviation = item.get_closest_marker("node_deviates")
        if deviation and isinstance(item, pytest.Function) and item.callspec.params["server"] == "Node":
            item.add_marker(pytest.mark.xfail(reason=f"Node: {deviation.args[0]}", strict=True))


@pytest.fixture(scope="session", params=[*PROGRAMS])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server of each kind, shared by all tests."""
    with running(request.param, tmp_path_factory.mktemp("conformance")) as server:
        yield server


@pytest.fixture(autouse=True)
def unharmed(server: Server) -> Iterator[None]:
    """Whatever a client does, the server runs on and has nothing to complain about."""
    before = server.complaints()
    yield
    assert server.is_running(), server.complaints()
    assert server.complaints() == before


@pytest.fixture
def engine(server: Server) -> Endpoint:
    """An Engine.IO server that sends every message back; its heartbeat is too slow to be seen."""
    return server.engine("slow")


@pytest.fixture
def fast_engine(server: Server) -> Endpoint:
    """The same with a ping every 300 ms that must be answered within 200 ms."""
    return server.engine("fast")


@pytest.fixture
def impatient_engine(server: Server) -> Endpoint:
    """The same as `engine`, but an upgrade may take only 300 ms."""
    return server.engine("impatient")


@pytest.fixture
def socket_io(server: Server) -> Endpoint:
    """A Socket.IO server with the namespaces /, /custom and /members, without a heartbeat that could be seen."""
    return server.socket("slow")


@pytest.fixture
def fast_socket_io(server: Server) -> Endpoint:
    """The same with a fast heartbeat, and a second for the first CONNECT."""
    return server.socket("fast")


@pytest.fixture
def impatient_socket_io(server: Server) -> Endpoint:
    """The same as `socket_io`, but with only a second for the first CONNECT."""
    return server.socket("impatient")


@pytest.fixture(params=["websocket", "polling"])
def transport(request: pytest.FixtureRequest) -> TransportName:
    """Each transport in turn."""
    return request.param


@pytest.fixture
async def stranger(socket_io: Endpoint, transport: TransportName) -> AsyncIterator[SocketClient]:
    """A client over each transport that has not sent its CONNECT."""
    async with socket_client(socket_io, transport) as client:
        yield client


@pytest.fixture
async def client(stranger: SocketClient) -> SocketClient:
    """A client over each transport that is connected to the main namespace."""
    await stranger.enter()
    return stranger
