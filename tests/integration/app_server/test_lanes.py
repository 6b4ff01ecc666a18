"""Lanes keep HTTP's promises: order, one response for each request, deadlines, a decent end."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conformance.http_connection import HttpConnection
from tests.integration.app_server.lane_stage import PATH, LaneStage, lane_request, lane_stage, route_request
from tests.integration.socket_core.stage import slow_connection, turns, until, within
from tiebreak.http_edge import connections, serving


@pytest.fixture
async def stage() -> AsyncIterator[LaneStage]:
    async with lane_stage() as stage:
        yield stage


async def bodies(connection: HttpConnection, count: int) -> list[str]:
    """The next responses, each a 200."""
    found: list[str] = []
    for _ in range(count):
        answer = await connection.answer("POST")
        assert answer.status == 200, answer.text
        found.append(answer.json())
    return found


# --- order -----------------------------------------------------------------------------------------------------------

KINDS = {
    "lane": lambda n: lane_request(f"now {n}"),
    "lane, in a task": lambda n: lane_request(f"wait {n}"),
    "lane, with an id": lambda n: lane_request(f"now {n}", f"X-Request-Id: {n}"),
    "lane, 20 KB": lambda n: lane_request(f"now {n}".ljust(20_000, ".")),
    "route": lambda n: route_request(f"now {n}"),
    "chunked": lambda n: (
        f"POST {PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nnow \r\n1\r\n{n}\r\n0\r\n\r\n"
    ).encode(),
    "with blank lines before it": lambda n: b"\r\n\r\n" + lane_request(f"now {n}"),
}


def test_requests_in_any_portions() -> None:
    """However TCP cuts them, the responses are the same, in order, none lost, none twice."""

    async def exchange(stage: LaneStage, kinds: list[str], cuts: list[int]) -> None:
        stage.lane.may_end.set()
        stage.lane.ended.clear()
        stage.route_bodies.clear()
        data = b"".join(KINDS[kind](number) for number, kind in enumerate(kinds))
        edges = sorted({0, len(data), *(cut % len(data) for cut in cuts)})
        async with stage.connection() as connection:
            for start, end in itertools.pairwise(edges):
                await connection.send(data[start:end])
                # The server reads what there is before the rest is sent.
                await asyncio.sleep(0)
            answers = [body.rstrip(".").split()[1] for body in await bodies(connection, len(kinds))]
        assert answers == [str(number) for number in range(len(kinds))]
        assert len(stage.lane.ended) + len(stage.route_bodies) == len(kinds)

    with asyncio.Runner() as runner:
        opened = lane_stage()
        stage = runner.run(opened.__aenter__())

        @settings(max_examples=150, deadline=None)
        @given(
            st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=6),
            st.lists(st.integers(0, 100_000), max_size=12),
        )
        def examples(kinds: list[str], cuts: list[int]) -> None:
            runner.run(exchange(stage, kinds, cuts))

        try:
            examples()
        finally:
            runner.run(opened.__aexit__(None, None, None))


@pytest.mark.parametrize("kinds", ["LL", "LR", "RL", "LLLL", "LRLR", "RRLL", "LLR" * 20])
async def test_pipelining(stage: LaneStage, kinds: str) -> None:
    """What comes behind a request that takes its time waits for it, whichever way each of them goes."""
    requests = [(lane_request if kind == "L" else route_request)(f"later {at}") for at, kind in enumerate(kinds)]
    async with stage.connection() as connection:
        await connection.send(requests[0])
        await connection.send(b"".join(requests[1:-1]))
        await connection.send(lane_request("later last", "Connection: close"))
        stage.lane.may_end.set()
        expected = [f"later {at}" for at in range(len(kinds) - 1)]
        assert await bodies(connection, len(kinds)) == [*expected, "later last"]
        assert await connection.rest() == b""


async def test_connection_close(stage: LaneStage) -> None:
    """The response says so too, and what follows is not answered."""
    async with stage.connection() as connection:
        await connection.send(lane_request("now", "Connection: close") + lane_request("now 2"))
        answer = await connection.answer("POST")
        assert (answer.json(), answer.headers["Connection"]) == ("now", "close")
        assert await connection.rest() == b""
    assert stage.lane.ended == [b"now"]


async def test_who_asks(stage: LaneStage) -> None:
    """It is found out once for a head that is repeated, and anew when the lane cannot begin with what it had."""
    stage.lane.may_end.set()
    a, b, unknown = (f"Authorization: {name}" for name in ("a", "b", "unknown"))
    async with stage.connection() as connection:
        for body, name, asked in (
            ("now", a, 1),
            ("now", a, 1),
            ("now", b, 2),
            ("now", a, 3),
            # No reason to doubt it.
            ("refused", a, 4),
            ("refused", a, 4),
            ("wait", a, 5),
            ("wait", a, 6),
            ("now", unknown, 7),
            ("now", unknown, 8),
        ):
            await connection.send(lane_request(body, name))
            assert (await connection.answer("POST")).status == (503 if body == "refused" else 200)
            assert len(stage.lane.asked) == asked, (body, name)
    assert stage.lane.asked == [b"a", b"b", *[b"a"] * 4, b"unknown", b"unknown"]
    assert len(stage.lane.began) == 8


SMUGGLED = lane_request("now smuggled")


async def test_a_body_that_looks_like_a_request_behind_a_413(stage: LaneStage) -> None:
    """It is a body, though its response has been sent."""
    async with stage.connection() as connection:
        await connection.send(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {70_000}\r\n\r\n".encode())
        await connection.send(b"x" * 69_000)
        assert (await connection.answer("POST")).status == 413
        await turns(50)
        await connection.send(SMUGGLED)
        # It is read by itself: nothing else tells it from a request.
        await turns(50)
        await connection.send(b"x" * (1_000 - len(SMUGGLED)))
        await connection.send(lane_request("now next"))
        assert await bodies(connection, 1) == ["now next"]
    assert stage.lane.ended == [b"now next"]


async def test_a_body_that_looks_like_a_request_behind_an_early_response(stage: LaneStage) -> None:
    """The route has answered before the body came."""
    async with stage.connection() as connection:
        head = f"POST {PATH}?early HTTP/1.1\r\nHost: x\r\nContent-Length: {len(SMUGGLED)}\r\n\r\n"
        await connection.send(head.encode())
        assert await bodies(connection, 1) == [""]
        await turns(50)
        await connection.send(SMUGGLED)
        # It is read by itself: nothing else tells it from a request.
        await turns(50)
        await connection.send(lane_request("now next"))
        assert await bodies(connection, 1) == ["now next"]
    assert stage.lane.ended == [b"now next"]


async def test_offer_of_another_protocol_cannot_bring_a_body(stage: LaneStage) -> None:
    """The parser takes no body there: what comes after the head would be a request of somebody else's making."""
    offer = (b"Upgrade: h2c", b"Connection: upgrade")
    head = b"\r\n".join((b"POST /update-score HTTP/1.1", b"Host: x", *offer, b"Content-Length: %d", b"", b""))
    async with stage.connection() as connection:
        await connection.send(head % len(SMUGGLED))
        assert (await connection.answer("POST")).status == 400
        assert await connection.rest() == b""
    assert stage.lane.began == []


# --- time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", ["", "now"])
async def test_a_body_that_does_not_come(stage: LaneStage, monkeypatch: pytest.MonkeyPatch, sent: str) -> None:
    """408, and the connection's end; the lane has seen nothing."""
    monkeypatch.setattr(connections, "BODY_SECONDS", 0.1)
    async with stage.connection() as connection:
        await connection.send(lane_request("now first"))
        assert await bodies(connection, 1) == ["now first"]
        await connection.send(lane_request("now and more").removesuffix(b"now and more") + sent.encode())
        assert (await connection.answer("POST")).status == 408
        assert await connection.rest() == b""
    assert stage.lane.began == [b"now first"]


async def test_a_head_that_does_not_end(stage: LaneStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also behind requests of which the deadlines knew nothing."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.1)
    async with stage.connection() as connection:
        for _ in range(2):
            await connection.send(lane_request("now"))
            assert await bodies(connection, 1) == ["now"]
        await connection.send(lane_request("now")[:30])
        assert (await connection.answer("POST")).status == 408
        assert await connection.rest() == b""


async def test_a_body_without_an_end(stage: LaneStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """413 as soon as it is too large, and no more time than any other body."""
    monkeypatch.setattr(connections, "BODY_SECONDS", 0.5)
    async with stage.connection() as connection:
        await connection.send(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(20):
            await connection.send(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")
        assert (await connection.answer("POST")).status == 413
        await connection.rest()
    assert stage.lane.began == []


async def test_keep_alive(stage: LaneStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle connection is closed after its time, however many exchanges it had."""
    await until(lambda: hasattr(stage, "endpoint"))
    monkeypatch.setattr(serving, "KEEP_ALIVE_SECONDS", 0.2)
    async with lane_stage() as other, other.connection() as connection:
        for number in range(3):
            await connection.send(lane_request(f"now {number}"))
            assert await bodies(connection, 1) == [f"now {number}"]
        assert await connection.rest() == b""


@pytest.mark.parametrize("target", [PATH, f"{PATH}?x"])
async def test_blank_lines_are_no_request(monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    """An idle connection that sends nothing else is closed as well."""
    monkeypatch.setattr(serving, "KEEP_ALIVE_SECONDS", 0.2)
    async with lane_stage() as stage, stage.connection() as connection:
        await connection.send(lane_request("now", target=target))
        assert await bodies(connection, 1) == ["now"]
        await connection.send(b"\r\n")
        assert await connection.rest() == b""


async def test_a_body_behind_its_response(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it is here the connection is idle."""
    monkeypatch.setattr(serving, "KEEP_ALIVE_SECONDS", 0.2)
    async with lane_stage() as stage, stage.connection() as connection:
        request = lane_request("now", target=f"{PATH}?early")
        await connection.send(request[:-1])
        assert await bodies(connection, 1) == [""]
        await connection.send(request[-1:])
        assert await connection.rest() == b""


async def test_an_exchange_that_takes_longer_than_keep_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is not idle meanwhile."""
    monkeypatch.setattr(serving, "KEEP_ALIVE_SECONDS", 0.05)
    async with lane_stage() as stage, stage.connection() as connection:
        for how in ("now", "later"):
            await connection.send(lane_request(how))
            await until(lambda: len(stage.lane.began) == 1 + (how == "later"))  # noqa: B023
        assert await bodies(connection, 1) == ["now"]
        await asyncio.sleep(0.2)
        stage.lane.may_end.set()
        assert await bodies(connection, 1) == ["later"]


# --- ends ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["later", "wait"])
async def test_a_client_that_leaves(stage: LaneStage, how: str) -> None:
    """Its request is carried out all the same, and nothing is wrong."""
    with structlog.testing.capture_logs() as logs:
        async with stage.connection() as connection:
            await connection.send(lane_request(how))
            await until(lambda: stage.lane.began)
            connection.abort()
        stage.lane.may_end.set()
        await until(lambda: stage.lane.ended)
        async with stage.connection() as connection:
            await connection.send(lane_request("now"))
            assert await bodies(connection, 1) == ["now"]
    assert logs == []


async def test_a_client_that_does_not_read(stage: LaneStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing more is done for it once its responses pile up, and it is given up in the end."""
    monkeypatch.setattr(connections, "STALLED_SECONDS", 0.5)
    async with slow_connection(stage.endpoint) as connection:

        async def send_for_ever() -> None:
            while True:
                await connection.send(lane_request("much"))
                await turns()

        with pytest.raises(ConnectionError):
            await within(send_for_ever())
    # 6 KB each: no more than the two kernels hold, and a little.
    assert 0 < len(stage.lane.ended) < 100
    assert len(stage.route_bodies) < 100


async def test_a_server_that_is_told_to_stop(stage: LaneStage) -> None:
    """Exchanges under way get their responses first."""
    async with stage.connection() as early, stage.connection() as task, stage.connection() as idle:
        await early.send(lane_request("later"))
        await task.send(lane_request("wait"))
        await idle.send(lane_request("now"))
        assert await bodies(idle, 1) == ["now"]
        await until(lambda: len(stage.lane.began) == 3)
        stage.stop.set()
        assert await idle.rest() == b""
        stage.lane.may_end.set()
        for connection, body in ((early, "later"), (task, "wait")):
            answer = await connection.answer("POST")
            assert (answer.json(), answer.headers["Connection"]) == (body, "close")
            assert await connection.rest() == b""


# --- failures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["", "begin-"])
@pytest.mark.parametrize(
    ("how", "status", "code", "logged"),
    [
        ("refused", 503, "busy", []),
        ("outage", 503, "unavailable", ["request.unavailable"]),
        ("keys", 503, "unavailable", ["request.unavailable"]),
        ("bug", 500, "internal", ["request.failed"]),
    ],
)
async def test_failures(stage: LaneStage, when: str, how: str, status: int, code: str, logged: list[str]) -> None:
    """Problem documents as everywhere; only what is our fault is an error in the log. The connection goes on."""
    async with stage.connection() as connection:
        with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
            await connection.send(lane_request(when + how, "X-Request-Id: abc"))
            answer = await connection.answer("POST")
        assert (answer.status, answer.json()["code"]) == (status, code)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["Retry-After"] == ("1" if status == 503 else None)
        assert [log["event"] for log in logs] == logged
        for log in logs:
            assert (log["path"], log["request_id"]) == (PATH, "abc")
            assert log["log_level"] == ("error" if how == "bug" else "warning")
        await connection.send(lane_request("now"))
        assert await bodies(connection, 1) == ["now"]


async def test_request_ids(stage: LaneStage) -> None:
    """Each exchange has its own in what it logs, or none."""
    stage.lane.may_end.set()
    async with stage.connection() as connection:
        for fields in (["X-Request-Id: one"], [], ["x-request-id: two"], ["X-REQUEST-ID: a\tb"], []):
            await connection.send(lane_request("wait", *fields))
            assert await bodies(connection, 1) == ["wait"]
    assert stage.lane.contexts == [{"request_id": "one"}, {}, {"request_id": "two"}, {}, {}]
