"""Results of sessions, against the ledger and the boards they come from."""

from __future__ import annotations

import random

import pytest

from tests.integration.cache.boards import opened_leaderboards, rebuilder
from tests.integration.results.stage import SECOND, Stage, staged
from tiebreak.answer_log.replay import replay
from tiebreak.database.answers import standings


def places(results: dict) -> list[tuple[int | None, str, int]]:
    return [(it["rank"], it["name"], it["score"]) for it in results["participants"]]


async def play(stage: Stage, seed: int, players: int = 12) -> None:
    """Few points and few moments, so that ties of every kind are common; one answers nothing."""
    chance = random.Random(seed)
    await stage.player("Idle")
    for number in range(1, players):
        player = await stage.player(f"Player {number}")
        for question in range(4):
            if chance.random() < 0.6:
                right = chance.random() < 0.6
                await stage.answer(
                    player,
                    question,
                    [1, [1, 3], True, "cold"][question] if right else [0, [0], False, "warm"][question],
                    score=100 if right else 0,
                    at=chance.choice([0, SECOND, 2 * SECOND]),
                )


@pytest.mark.parametrize("live", [False, True], ids=["self-paced", "live"])
async def test_ranks_are_the_boards(database_url, redis_url, live):
    """Of everybody, ties and those who have answered nothing included: the same in SQL, in Redis and here."""
    async with staged(database_url, live=live) as stage:
        for question in range(4 if live else 0):
            await stage.asked(question, opens=0, closes=5 * SECOND, shut=None if question == 3 else 6 * SECOND)
        await play(stage, seed=7, players=40)
        results = await stage.results()
        expected = await standings(stage.pool, stage.id)
        assert [(row.rank, str(row.quiz_session_participant_id), row.name, row.score) for row in expected] == [
            (it["rank"], it["quiz_session_participant_id"], it["name"], it["score"])
            for it in results["participants"]
            if it["rank"] is not None
        ]
        async with opened_leaderboards(redis_url) as (boards, redis):
            await rebuilder(stage.pool, redis).make_whole(stage.id)
            board = await boards.read(stage.id, limit=100)
        assert board
        assert list(board.rows) == expected
        assert len({row.rank for row in expected}) < len(expected) < results["count"] == 40
        # The last moment of the board's history is the board.
        [*_, last] = await stage.history()
        assert [(it["rank"], it["quiz_session_participant_id"]) for it in last["rows"]] == [
            (row.rank, str(row.quiz_session_participant_id)) for row in expected[:10]
        ]


async def test_equal_points_share_a_place_in_a_live_session(database_url):
    """However much later they were reached; who has answered nothing has no place, nor has who was removed."""
    async with staged(database_url, live=True, teams=["Red", "Blue"]) as stage:
        await stage.asked(0, opens=SECOND, closes=21 * SECOND, shut=9 * SECOND)
        ann, bob, cy = [await stage.player(name, team=at % 2) for at, name in enumerate(("Ann", "Bob", "Cy"))]
        await stage.player("Dee")
        eve = await stage.player("Eve")
        await stage.answer(ann, 0, 1, score=90, at=2 * SECOND)
        await stage.answer(bob, 0, 1, score=90, at=8 * SECOND)
        await stage.answer(cy, 0, 0, score=0, at=3 * SECOND)
        await stage.answer(eve, 0, 1, score=100, at=2 * SECOND)
        await stage.removed(eve)
        results = await stage.results()
        assert {*places(results)[:2]} == {(1, "Ann", 90), (1, "Bob", 90)}
        assert places(results)[2:] == [(3, "Cy", 0), (None, "Dee", 0), (None, "Eve", 100)]
        assert [it["removed"] for it in results["participants"]] == [False] * 4 + [True]
        assert {it["name"]: it["team"] for it in results["participants"]} == {
            "Ann": "Red", "Bob": "Blue", "Cy": "Red", "Dee": None, "Eve": None,
        }  # fmt: skip
        assert results["session"]["participant_count"] == 4
        # Nor does what was removed count for the question.
        assert (results["questions"][0]["answered"], results["questions"][0]["right"]) == (3, 2)


async def test_what_was_answered(database_url):
    """Each answer as it was shown, whether it was right, its points, and the time from the question's opening."""
    async with staged(database_url, live=True) as stage:
        ann = await stage.player("Ann")
        for question, answer in enumerate((2, [3, 1], False, "  Chilly ")):
            opens = (1 + 20 * question) * SECOND
            await stage.asked(question, opens=opens, closes=opens + 10 * SECOND, shut=opens + 10 * SECOND)
            await stage.answer(ann, question, answer, score=50 * (question % 2), at=opens + 1_234, took=1_234)
        results = await stage.results()
        [row] = results["participants"]
        assert [row["answers"][it["question_id"]] for it in results["questions"]] == [
            {"answer": "chair", "correct": False, "score": 0, "response_ms": 1_234},
            {"answer": "2; 4", "correct": True, "score": 50, "response_ms": 1_234},
            {"answer": "false", "correct": False, "score": 0, "response_ms": 1_234},
            {"answer": "  Chilly ", "correct": True, "score": 50, "response_ms": 1_234},
        ]
        assert (row["right"], row["answered"], row["score"]) == (2, 4, 100)
        assert [it["right_answer"] for it in results["questions"]] == ["pear", "2; 4", "true", "cold; chilly"]
        assert [it["median_ms"] for it in results["questions"]] == [1_234] * 4


async def test_a_live_question_that_is_not_shut_shows_nothing(database_url):
    """Neither its answers, nor their points in a total, nor what is right: the host's screen may be the room's."""
    async with staged(database_url, live=True) as stage:
        ann = await stage.player("Ann")
        await stage.asked(0, opens=SECOND, closes=21 * SECOND, shut=20 * SECOND)
        await stage.asked(1, opens=30 * SECOND, closes=50 * SECOND, shut=None)
        await stage.answer(ann, 0, 0, score=0, at=5 * SECOND)
        await stage.answer(ann, 1, [1, 3], score=100, at=31 * SECOND)
        results = await stage.results()
        assert places(results) == [(1, "Ann", 0)]
        assert [*results["participants"][0]["answers"]] == [results["questions"][0]["question_id"]]
        assert [(it["asked"], it["answered"], it["right_answer"]) for it in results["questions"]] == [
            (True, 1, "pear"), (True, 0, None), (False, 0, None), (False, 0, None),
        ]  # fmt: skip
        assert [row["score"] for moment in await stage.history() for row in moment["rows"]] == [0]
        await stage.asked(1, opens=30 * SECOND, closes=50 * SECOND, shut=45 * SECOND)
        assert places(await stage.results()) == [(1, "Ann", 100)]


async def test_times(database_url):
    """Of a question: the median and the mean of what its answers took; in a self-paced session nobody knows."""
    async with staged(database_url, live=True) as stage:
        await stage.asked(0, opens=60 * SECOND, closes=80 * SECOND, shut=81 * SECOND)
        for took in (1_000, 2_000, 9_000):
            await stage.answer(await stage.player("Ann"), 0, 1, score=90, at=60 * SECOND + took, took=took)
        results = await stage.results()
        assert [(it["median_ms"], it["mean_ms"]) for it in results["questions"][:2]] == [(2_000, 4_000), (None, None)]
    async with staged(database_url) as stage:
        await stage.answer(await stage.player("Ann"), 0, 1, score=90, at=SECOND)
        results = await stage.results()
        assert results["questions"][0]["median_ms"] is None
        assert [it["response_ms"] for it in results["participants"][0]["answers"].values()] == [None]


async def test_hardest_first(database_url):
    """By the share of right answers; what nobody answered is not among them."""
    async with staged(database_url) as stage:
        players = [await stage.player(f"Player {number}") for number in range(4)]
        for number, player in enumerate(players):
            await stage.answer(player, 0, 1 if number < 3 else 0, score=100 if number < 3 else 0, at=SECOND)
            await stage.answer(player, 1, [0], score=0, at=SECOND)
        await stage.answer(players[0], 3, "warm", score=0, at=SECOND)
        results = await stage.results()
        ids = [it["question_id"] for it in results["questions"]]
        # Of two that nobody had right, the one that more have tried.
        assert results["hardest"] == [ids[1], ids[3], ids[0]]
        assert [it["share_right"] for it in results["questions"]] == [0.75, 0.0, None, 0.0]


async def test_a_part_of_the_participants(database_url):
    """The figures are of all, whichever part is shown; parts follow each other."""
    async with staged(database_url) as stage:
        await play(stage, seed=3)
        whole = await stage.results()
        parts = [await stage.results(limit=5, offset=at) for at in (0, 5, 10, 15)]
        assert [it for part in parts for it in part["participants"]] == whole["participants"]
        assert all(part["questions"] == whole["questions"] and part["count"] == 12 for part in parts)


async def test_board_history_is_what_replay_shows(database_url):
    """At each of its moments, as `tiebreak replay --at`: rank, name and points of those who lead in the end."""
    async with staged(database_url) as stage:
        await play(stage, seed=11, players=14)
        history = await stage.history()
        final = await standings(stage.pool, stage.id)
        top = {str(row.quiz_session_participant_id) for row in final[:10]}
        assert len(history) == 3
        for moment in history:
            replayed = await replay(database_url, str(stage.id), at_ms=stage.opened + moment["at_ms"])
            assert [
                (it["rank"], it["quiz_session_participant_id"], it["name"], it["score"]) for it in moment["rows"]
            ] == [
                (row.rank, str(row.quiz_session_participant_id), row.name, row.score)
                for row in replayed.rows
                if str(row.quiz_session_participant_id) in top
            ]


async def test_board_history_of_a_live_session(database_url):
    """After each question that was shut, in their order; equal points share a place whenever they were reached."""
    async with staged(database_url, live=True) as stage:
        ann, bob, eve = [await stage.player(name) for name in ("Ann", "Bob", "Eve")]
        for question, shut in ((0, 10 * SECOND), (1, 30 * SECOND), (2, None)):
            await stage.asked(
                question, opens=(1 + 20 * question) * SECOND, closes=(20 + 20 * question) * SECOND, shut=shut
            )
        await stage.answer(ann, 0, 1, score=90, at=2 * SECOND)
        await stage.answer(bob, 1, [1, 3], score=90, at=22 * SECOND)
        await stage.answer(ann, 2, True, score=90, at=42 * SECOND)
        await stage.answer(eve, 0, 1, score=100, at=2 * SECOND)
        await stage.removed(eve)
        history = await stage.history()
        assert [(it["at_ms"], it["question_index"]) for it in history] == [(10 * SECOND, 0), (30 * SECOND, 1)]
        shown = [sorted((row["rank"], row["name"], row["score"]) for row in moment["rows"]) for moment in history]
        assert shown == [[(1, "Ann", 90)], [(1, "Ann", 90), (1, "Bob", 90)]]


async def test_nobody_came(database_url):
    """There are results all the same."""
    async with staged(database_url) as stage:
        results = await stage.results()
        assert (results["participants"], results["hardest"], await stage.history()) == ([], [], [])
        assert [it["answered"] for it in results["questions"]] == [0] * 4
