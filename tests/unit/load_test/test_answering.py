"""Answers are sent until they are acknowledged; against a real HTTP server that behaves badly on demand."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from random import Random
from time import perf_counter

import pytest
from aiohttp import web

from tests.unit.load_test.serving import serving
from tiebreak.load_test.answering import Answering, of_acknowledgement, of_reply
from tiebreak.load_test.boards import SessionBoards, Visibility
from tiebreak.load_test.content import ANSWERS_PER_PLAYER, QUESTIONS
from tiebreak.load_test.http_client import HttpClient, Reply, Unanswered
from tiebreak.load_test.login import Login
from tiebreak.load_test.measurements import Measurements
from tiebreak.load_test.player import Player, Session
from tiebreak.load_test.replies import Again, AnswerTaken, Recorded, Refused, Tokens
from tiebreak.load_test.requests import not_carried_out


def problem(status, code, **headers):
    return web.json_response({"code": code, "title": "No"}, status=status, headers=headers)


@asynccontextmanager
async def replying(replies):
    """A server that gives these replies in turn (None: the connection breaks): its URL and the bodies it was sent."""
    bodies = []
    waiting = iter(replies)

    async def handle(request):
        bodies.append(await request.json())
        reply = next(waiting)
        if reply is None:
            request.transport.abort()
            return web.Response()
        return reply()

    async with serving(handle) as url:
        yield url, bodies


async def answered(replies):
    """One answer of one player to a server with these replies."""
    async with replying(replies) as (url, bodies), HttpClient(url) as http:
        measurements = Measurements()
        session = Session("s", [f"q{number}" for number in range(QUESTIONS)], SessionBoards(Visibility()))
        player = Player(0, url, session, Login(http, Tokens("t", "r", 900)), Random(1))
        answering = Answering(http, "http", measurements, Random(1))
        answering.turn(player, perf_counter(), right=True)
        await answering.finish()
        return measurements, player, bodies


def recorded():
    return web.json_response({"participant_answer_id": "x", "correct": True, "score": 20})


async def test_again_with_the_same_answer_id():
    """Busy, a lost connection, unavailable: three retries, one answer."""
    measurements, player, bodies = await answered(
        [lambda: problem(503, "busy"), None, lambda: problem(503, "unavailable"), recorded]
    )
    assert len({body["answer_id"] for body in bodies}) == 1
    assert measurements.retries == {"busy": 1, "connection lost": 1, "unavailable": 1}
    assert (measurements.acknowledged.count, measurements.unsettled) == (1, 0)
    assert player.given[0].recorded == Recorded(True, 20)


async def test_retry_after_is_honoured():
    """It waits as long as it is asked to."""
    before = perf_counter()
    measurements, _, bodies = await answered([lambda: problem(429, "too_many_tries", **{"Retry-After": "1"}), recorded])
    assert perf_counter() - before >= 1
    assert len(bodies) == 2
    assert measurements.retries == {"too_many_tries": 1}


async def test_latency_counts_from_the_time_it_was_due():
    """Retries and pauses belong to it."""
    measurements, _, _ = await answered([lambda: problem(429, "busy", **{"Retry-After": "1"}), recorded])
    assert measurements.acknowledged.figures().max_ms >= 1_000


async def test_a_refusal_is_final():
    """It is counted by its code."""
    measurements, player, bodies = await answered([lambda: problem(400, "session_finished")])
    assert len(bodies) == 1
    assert measurements.refused == {"session_finished": 1}
    assert player.given[0].refused == "session_finished"


async def test_a_system_that_never_answers(monkeypatch):
    """It is given up after a while, and said so."""
    monkeypatch.setattr("tiebreak.load_test.answering.GIVE_UP_SECONDS", 0.2)
    measurements, player, _ = await answered([None] * 20)
    assert (measurements.unacknowledged, measurements.acknowledged.count) == (1, 0)
    assert (player.given[0].recorded, player.given[0].refused) == (None, None)


async def test_a_system_that_is_gone_is_not_waited_for_by_every_answer(monkeypatch):
    """What still has to wait for its turn is given up together with what is under way."""
    monkeypatch.setattr("tiebreak.load_test.answering.GIVE_UP_SECONDS", 0.3)
    measurements = Measurements()
    async with HttpClient("http://127.0.0.1:1") as http, asyncio.timeout(10):
        session = Session("s", [f"q{number}" for number in range(QUESTIONS)], SessionBoards(Visibility()))
        player = Player(0, "http://127.0.0.1:1", session, Login(http, Tokens("t", "r", 900)), Random(1))
        answering = Answering(http, "http", measurements, Random(1))
        for _ in range(ANSWERS_PER_PLAYER):
            answering.turn(player, perf_counter(), right=True)
        await answering.finish()
    assert (measurements.unacknowledged, measurements.unsettled) == (ANSWERS_PER_PLAYER, 0)


class Unforeseen(HttpClient):
    """Fails as nobody expected."""

    async def call(self, method, path, *, token="", body=None):
        raise RuntimeError("nobody expected this")


def unforeseen():
    """Answering that breaks, what it measures, and two players."""
    http, measurements = Unforeseen("http://127.0.0.1:1"), Measurements()
    session = Session("s", [f"q{number}" for number in range(QUESTIONS)], SessionBoards(Visibility()))
    login = Login(http, Tokens("t", "r", 900))
    players = [Player(number, "http://127.0.0.1:1", session, login, Random(1)) for number in range(2)]
    return Answering(http, "http", measurements, Random(1)), measurements, players


async def test_what_nobody_expected_ends_the_test():
    """A player who would never play again is not passed over in silence."""
    answering, _, players = unforeseen()
    for _ in range(3):
        answering.turn(players[0], perf_counter(), right=True)
    with pytest.raises(RuntimeError, match="nobody expected this"):
        await answering.finish()


async def test_what_nobody_expected_ends_the_test_at_the_next_turn():
    """Not only after all the others have played to the end."""
    answering, _, players = unforeseen()
    answering.turn(players[0], perf_counter(), right=True)
    await asyncio.sleep(0)  # the task
    await asyncio.sleep(0)  # its callback
    with pytest.raises(RuntimeError, match="nobody expected this"):
        answering.turn(players[1], perf_counter(), right=True)


async def test_an_answer_that_nobody_settles_is_never_acknowledged():
    """Whatever the reason: none is left over."""
    answering, measurements, players = unforeseen()
    answering.turn(players[0], perf_counter(), right=True)
    answering.abandon()
    await answering.finish()
    assert (measurements.due, measurements.unacknowledged, measurements.unsettled) == (1, 1, 0)


async def test_players_give_one_answer_at_a_time():
    """In the order of the quiz; the one that had to wait counts from when it was due."""
    async with replying([recorded] * 3) as (url, bodies), HttpClient(url) as http:
        session = Session("s", [f"q{number}" for number in range(QUESTIONS)], SessionBoards(Visibility()))
        player = Player(0, url, session, Login(http, Tokens("t", "r", 900)), Random(1))
        answering = Answering(http, "http", Measurements(), Random(1))
        for _ in range(3):
            answering.turn(player, perf_counter(), right=True)
        await asyncio.sleep(0)
        assert len(player.given) <= 1
        await answering.finish()
    assert [body["question_id"] for body in bodies] == ["q1", "q2", "q3"]


async def test_nobody_listens():
    """A connection that is refused is no reply."""
    async with HttpClient("http://127.0.0.1:1") as http:
        with pytest.raises(Unanswered):
            await http.call("GET", "/")


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply(200, b'{"participant_answer_id":"x","correct":false,"score":0}', 0), Recorded(False, 0)),
        (Reply(503, b'{"code":"busy"}', 2), Again("busy", 2)),
        (Reply(429, b"slow down", 3), Again("status 429", 3)),
        (Reply(408, b"", 0), Again("status 408", 0)),
        (Reply(502, b"<html>", 0), Again("status 502")),
        (Reply(500, b'{"code":"internal"}', 0), Again("internal")),
        (Reply(401, b'{"code":"token_expired"}', 0), Again("token_expired")),
        (Reply(401, b'{"code":"token_invalid"}', 0), Refused("token_invalid")),
        (Reply(400, b'{"code":"question_already_answered"}', 0), Refused("question_already_answered")),
        (Reply(200, b"<html>", 0), Refused("status 200")),
    ],
)
def test_outcomes_of_replies(reply, outcome):
    """A temporary one is tried again, a refusal is not."""
    assert of_reply(reply) == outcome


@pytest.mark.parametrize(
    ("taken", "outcome"),
    [
        (AnswerTaken(ok=True, correct=True, score=10), Recorded(True, 10)),
        (AnswerTaken(ok=False, code="busy"), Again("busy")),
        (AnswerTaken(ok=False, code="unavailable"), Again("unavailable")),
        (AnswerTaken(ok=False, code="not_joined"), Refused("not_joined")),
    ],
)
def test_outcomes_of_acknowledgements(taken, outcome):
    """As over HTTP."""
    assert of_acknowledgement(taken) == outcome


def test_limits_are_explained():
    """Whoever hits one is told which setting to change."""
    said = str(not_carried_out("A guest", Reply(429, b"API rate limit exceeded", 0)))
    assert "TIEBREAK_LIMIT_GATEWAY_PERCENT" in said
