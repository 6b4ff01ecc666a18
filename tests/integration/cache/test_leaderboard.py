"""Boards in Redis: each answer once, exact ties, one version per batch."""

import asyncio

import msgspec

from tests.integration.cache.boards import open_board, opened_leaderboards
from tiebreak.cache import leaderboard
from tiebreak.cache.keys import KEPT_SECONDS, board_keys
from tiebreak.events import ScoreChange
from tiebreak.ids import new_id
from tiebreak.quiz.ranking import opened_at_ms


def change(session, participant, score=100, after_ms=1_000, name="Somebody", answer=None):
    return ScoreChange(
        participant_answer_id=answer or new_id(),
        quiz_session_id=session,
        quiz_session_participant_id=participant,
        name=name,
        question_id=new_id(),
        score=score,
        answered_at_ms=opened_at_ms(session) + after_ms,
    )


async def opened(boards):
    """A session with its empty board."""
    session = new_id()
    await open_board(boards, session)
    return session


def places(board):
    return [(row.rank, row.name, row.score) for row in board.rows]


async def test_no_board_before_the_opening(redis_url):
    """A session has an empty board from its opening on, and none before."""
    async with opened_leaderboards(redis_url) as (boards, _):
        assert await boards.read(new_id()) is None
        board = await boards.read(await opened(boards))
        assert board
        assert (board.version, board.participants, board.rows) == (0, 0, ())


async def test_batch_is_applied_once(redis_url):
    """The same answers again change neither points nor version."""
    async with opened_leaderboards(redis_url) as (boards, _):
        session, ann = await opened(boards), new_id()
        batch = [change(session, ann, 100, name="Ann"), change(session, ann, 50, name="Ann")]
        first = (await boards.apply({session: batch}))[session]
        again = (await boards.apply({session: batch}))[session]
        assert (first.version, first.new) == (1, 2)
        assert (again.version, again.new, again.epoch) == (1, 0, first.epoch)
        assert places(await boards.read(session)) == [(1, "Ann", 150)]


async def test_a_call_that_is_repeated_begins_another_epoch(redis_url, monkeypatch):
    """Its reply was lost, it is sent again, and meanwhile the board it began was lost: versions start anew."""
    monkeypatch.setattr(leaderboard, "new_epoch", lambda: "of-the-call")
    async with opened_leaderboards(redis_url) as (boards, redis):
        session = new_id()
        epochs = []
        for call in (
            boards.begin(session),
            boards.begin(session),
            boards.apply({session: [change(session, new_id())]}),
        ):
            reply = await call
            epochs.append(reply[session].epoch if isinstance(reply, dict) else reply.epoch)
            await redis.unlink(*board_keys(session))
        assert len(set(epochs)) == 3


async def test_an_answer_given_many_times_at_once_counts_once(redis_url):
    """Ten workers with the same event."""
    async with opened_leaderboards(redis_url) as (boards, _):
        session, ann = await opened(boards), new_id()
        event = change(session, ann)
        applied = await asyncio.gather(*(boards.apply({session: [event]}) for _ in range(10)))
        assert sum(it[session].new for it in applied) == 1
        assert places(await boards.read(session)) == [(1, "Somebody", 100)]


async def test_order_and_shared_ranks(redis_url):
    """Higher points first, then who got there first; level in both share a rank and the next one skips."""
    async with opened_leaderboards(redis_url) as (boards, _):
        session = await opened(boards)
        slow, fast, level, zero = (new_id() for _ in range(4))
        await boards.apply(
            {
                session: [
                    change(session, slow, after_ms=501, name="slow"),
                    change(session, fast, after_ms=500, name="fast"),
                    change(session, level, after_ms=500, name="level"),
                    change(session, zero, score=0, after_ms=1, name="zero"),
                    change(session, fast, score=0, after_ms=9_000, name="fast"),
                ]
            }
        )
        board = await boards.read(session)
        assert board
        assert places(board) == [(1, "level", 100), (1, "fast", 100), (3, "slow", 100), (4, "zero", 0)]
        assert board.participants == 4


async def test_equal_points_share_a_rank_where_time_does_not_decide(redis_url):
    """Whenever and in however many steps they were reached."""
    async with opened_leaderboards(redis_url) as (boards, _):
        session, ann, bob = await opened(boards), new_id(), new_id()
        given = [
            change(session, ann, 100, 9_000, "Ann"),
            change(session, bob, 60, 1_000, "Bob"),
            change(session, bob, 40, 2_000, "Bob"),
            change(session, new_id(), 50, 10, "Cid"),
        ]
        await boards.apply({session: [msgspec.structs.replace(it, time_decides=False) for it in given]})
        assert places(await boards.read(session)) == [(1, "Bob", 100), (1, "Ann", 100), (3, "Cid", 50)]


async def test_a_standing_is_exact_at_the_edges(redis_url):
    """The most points and the latest time a board can hold keep participants apart by one millisecond."""
    async with opened_leaderboards(redis_url) as (boards, _):
        session = await opened(boards)
        earlier, later = new_id(), new_id()
        await boards.apply(
            {
                session: [
                    change(session, later, score=2_097_151, after_ms=4_294_967_295, name="later"),
                    change(session, earlier, score=2_097_151, after_ms=4_294_967_294, name="earlier"),
                ]
            }
        )
        assert places(await boards.read(session)) == [(1, "earlier", 2_097_151), (2, "later", 2_097_151)]


async def test_pages_know_their_ranks(redis_url):
    """A page that begins within a tie shows the shared rank, and "me" is found wherever it is."""
    async with opened_leaderboards(redis_url) as (boards, _):
        session = await opened(boards)
        people = [new_id() for _ in range(30)]
        await boards.apply(
            {
                session: [
                    change(session, person, score=100 - at // 3, after_ms=5, name=f"p{at // 3}")
                    for at, person in enumerate(people)
                ]
            }
        )
        page = await boards.read(session, limit=4, offset=4)
        assert places(page) == [(4, "p1", 99), (4, "p1", 99), (7, "p2", 98), (7, "p2", 98)]
        around = await boards.read(session, limit=5, me=people[15], around_me=True)
        assert around
        assert around.me is not None
        assert (around.me.rank, around.me.name) == (16, "p5")
        assert people[15] in [row.quiz_session_participant_id for row in around.rows]
        assert len(around.rows) == 5
        beyond = await boards.read(session, limit=5, offset=100, me=new_id())
        assert beyond
        assert (beyond.rows, beyond.me, beyond.participants) == ((), None, 30)


async def test_sessions_do_not_mix(redis_url):
    """A call with several sessions changes each one's own board."""
    async with opened_leaderboards(redis_url) as (boards, _):
        one, two = await opened(boards), await opened(boards)
        await boards.apply({one: [change(one, new_id(), name="a")], two: [change(two, new_id(), name="b")] * 2})
        assert places(await boards.read(one)) == [(1, "a", 100)]
        assert places(await boards.read(two)) == [(1, "b", 100)]


async def test_every_key_has_an_end(redis_url):
    """Nothing stays in the cache for ever; an ended session's keys go after a day, late answers or not."""
    async with opened_leaderboards(redis_url) as (boards, redis):
        session = await opened(boards)
        await boards.apply({session: [change(session, new_id())]})
        assert min([await redis.ttl(key) for key in board_keys(session)]) > KEPT_SECONDS
        await boards.expire(session)
        await boards.apply({session: [change(session, new_id())]})
        ends = [await redis.ttl(key) for key in board_keys(session)]
        assert all(0 < end <= KEPT_SECONDS for end in ends)
