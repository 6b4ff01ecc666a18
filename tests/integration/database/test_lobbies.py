"""Joining live sessions: names, locks, teams, and who may not."""

import asyncio
from collections import Counter

import pytest

from tests.lobby_scene import Lobby, set_game
from tests.scene import Scene, new_user, opened_pool
from tiebreak.database.quiz_sessions import Participant, finish_session, join_sessions
from tiebreak.errors import Refusal
from tiebreak.ids import new_id
from tiebreak.quiz.kind_names import COUNT, kind_name
from tiebreak.quiz.names import name_key


async def test_a_name_is_had_once(database_url):
    """Whatever its case, accents and letters; the neighbours in the batch are not disturbed."""
    async with opened_pool(database_url) as pool:
        lobby = await Lobby.set(pool)
        same = ["Ann", "ANN", "\u0410nn", "Ánn", "A\u200bnn"]
        joins = [await lobby.joining(name) for name in ("Bob", *same, "Cat")]
        outcomes = await join_sessions(pool, joins)
        assert [isinstance(it, Participant) for it in outcomes] == [True, True, False, False, False, False, True]
        assert set(outcomes[2:6]) == {Refusal.NAME_TAKEN}
        assert await lobby.names() == ["Ann", "Bob", "Cat"]


async def test_a_name_is_had_once_however_many_servers_ask(database_url):
    """Forty batches at once from two servers, the same name in each and one of its own: one wins, the others are in."""
    async with opened_pool(database_url) as one, opened_pool(database_url) as two:
        lobby = await Lobby.set(one)
        batches = [[await lobby.joining("Ann"), await lobby.joining(f"Player {at}")] for at in range(40)]
        outcomes = await asyncio.gather(*(join_sessions((one, two)[at % 2], batch) for at, batch in enumerate(batches)))
        first = Counter(it if isinstance(it, Refusal) else "in" for it, _ in outcomes)
        assert first == {"in": 1, Refusal.NAME_TAKEN: 39}
        assert all(isinstance(it, Participant) for _, it in outcomes)
        assert len(await lobby.names()) == 41


async def test_names_in_two_sessions_and_in_self_paced_ones_are_free(database_url):
    """Uniqueness is a live session's, and its own."""
    async with opened_pool(database_url) as pool:
        lobby, other, self_paced = await Lobby.set(pool), await Lobby.set(pool), await Scene.set(pool)
        joins = [await lobby.joining("Ann"), await other.joining("Ann")]
        assert all(isinstance(it, Participant) for it in await join_sessions(pool, joins))
        for _ in range(2):
            assert isinstance(await self_paced.join(await new_user(pool), "Ann"), Participant)


async def test_user_joins_once(database_url):
    """Ten requests at once, in ten batches and in one: one place, the others are refused as in self-paced sessions."""
    async with opened_pool(database_url, size=10) as pool:
        lobby = await Lobby.set(pool)
        user, other = await new_user(pool), await new_user(pool)
        outcomes = await asyncio.gather(*(lobby.join(f"Name {at}", user) for at in range(10)))
        outcomes += await join_sessions(pool, [await lobby.joining(f"Other {at}", other) for at in range(10)])
        assert sum(isinstance(it, Participant) for it in outcomes) == 2
        assert outcomes.count(Refusal.ALREADY_JOINED) == 18


async def test_batch_repeated_after_a_commit_nobody_heard_of(database_url):
    """Whoever was taken in is recognised, not refused."""
    async with opened_pool(database_url) as pool:
        lobby = await Lobby.set(pool, teams=["Red", "Blue"])
        joins = [await lobby.joining("Ann"), await lobby.joining("ann"), await lobby.joining("Bob", team="Blue")]
        first = await join_sessions(pool, joins)
        assert await join_sessions(pool, joins) == first
        assert [it.team for it in first if isinstance(it, Participant)] == ["Red", "Blue"]


async def test_who_may_not_join(database_url):
    """No such session, no such user, a finished session; and the host and co-hosts, who would know the answers."""
    async with opened_pool(database_url) as pool:
        lobby = await Lobby.set(pool)
        co_host = await new_user(pool)
        await pool.execute("INSERT INTO quiz_session_hosts VALUES ($1, $2)", lobby.session_id, co_host)
        assert await lobby.join("Ann", lobby.scene.host_id) is Refusal.HOSTS_DO_NOT_PLAY
        assert await lobby.join("Ann", co_host) is Refusal.HOSTS_DO_NOT_PLAY
        assert await lobby.join("Ann", new_id()) is Refusal.USER_UNKNOWN
        await finish_session(pool, lobby.session_id)
        assert await lobby.join("Ann") is Refusal.SESSION_FINISHED


async def test_a_locked_session_takes_nobody(database_url):
    """Until it is unlocked. Who is in it is in it."""
    async with opened_pool(database_url) as pool:
        lobby = await Lobby.set(pool)
        user, _ = await lobby.player("Ann")
        await set_game(pool, lobby.session_id, locked=True)
        assert await lobby.join("Bob") is Refusal.SESSION_LOCKED
        assert await lobby.join("Ann", user) is Refusal.ALREADY_JOINED
        await set_game(pool, lobby.session_id, locked=False)
        assert isinstance(await lobby.join("Bob"), Participant)


@pytest.mark.parametrize(("late_join", "expected"), [(True, Participant), (False, Refusal)])
async def test_joining_a_game_that_has_begun(database_url, late_join, expected):
    """As the host's switch says."""
    async with opened_pool(database_url) as pool:
        lobby = await Lobby.set(pool, late_join=late_join)
        assert isinstance(await lobby.join("Ann"), Participant)
        await set_game(pool, lobby.session_id, phase="question")
        outcome = await lobby.join("Bob")
        assert isinstance(outcome, expected)
        assert outcome is Refusal.JOINING_CLOSED or late_join


async def test_names_that_are_refused(database_url):
    """Rude ones by the filter, unless the host wants them free; one that shows nothing always. Nobody else's fault."""
    async with opened_pool(database_url) as pool:
        filtered, free = await Lobby.set(pool), await Lobby.set(pool, names="free")
        joins = [await filtered.joining("Ann"), await filtered.joining("F.u.c.k"), await free.joining("F.u.c.k")]
        joins += [await free.joining("\u2800"), await filtered.joining("\u3164")]
        outcomes = await join_sessions(pool, joins)
        assert [it if isinstance(it, Refusal) else it.name for it in outcomes] == [
            "Ann", Refusal.NAME_REFUSED, "F.u.c.k", Refusal.NAME_REFUSED, Refusal.NAME_REFUSED,
        ]  # fmt: skip


async def test_the_users_own_name_is_looked_at_as_well(database_url):
    """A guest may be called anything; on the wall of a live session the filter counts."""
    async with opened_pool(database_url) as pool:
        lobby = await Lobby.set(pool)
        rude, nice = await new_user(pool, "Arschloch"), await new_user(pool, "Zoë")
        assert await lobby.join(None, rude) is Refusal.NAME_REFUSED
        assert (await lobby.join(None, nice)).name == "Zoë"
        assert await lobby.join("zoe") is Refusal.NAME_TAKEN


async def test_names_that_the_server_gives(database_url):
    """Each another one, whatever was asked for; in the session's language."""
    async with opened_pool(database_url) as pool:
        lobby = await Lobby.set(pool, names="generated")
        await pool.execute("UPDATE quiz_sessions SET language = 'de-AT' WHERE id = $1", lobby.session_id)
        outcomes = await join_sessions(pool, [await lobby.joining("Fuck") for _ in range(200)])
        names = [it.name for it in outcomes if isinstance(it, Participant)]
        assert len({name_key(name) for name in names}) == len(names) == 200
        assert set(names) <= {kind_name("de", draw) for draw in range(2 * COUNT["de"])}


async def test_teams_grow_evenly(database_url):
    """Who names a team is in it, who names none is in the smallest; no team is another's, or there at all."""
    async with opened_pool(database_url) as pool:
        lobby, without = await Lobby.set(pool, teams=["Red", "Blue", "Green"]), await Lobby.set(pool)
        wishes = ["Blue", 1, None, None, None, None, 3, "Yellow"]
        outcomes = await join_sessions(
            pool, [await lobby.joining(f"Player {at}", team=team) for at, team in enumerate(wishes)]
        )
        teams = [it if isinstance(it, Refusal) else it.team for it in outcomes]
        unknown = Refusal.TEAM_UNKNOWN
        assert teams == ["Blue", "Blue", "Red", "Green", "Red", "Green", unknown, unknown]
        assert (await lobby.join("Last")).team in {"Red", "Blue", "Green"}
        assert await without.join("Ann", team=0) is Refusal.TEAM_UNKNOWN
        assert (await without.join("Ann")).team is None


async def test_self_paced_sessions_have_no_teams(database_url):
    """Who names one is not taken in without it."""
    async with opened_pool(database_url) as pool:
        scene = await Scene.set(pool)
        user = await new_user(pool, "Ann")
        join = await Lobby(pool, scene).joining("Ann", user, team=0)
        assert await join_sessions(pool, [join]) == [Refusal.TEAM_UNKNOWN]
        assert isinstance(await scene.join(user), Participant)


async def test_who_was_removed_may_come_back_unless_banned(database_url):
    """As the same participant, under another name if the old one has gone to somebody else."""
    async with opened_pool(database_url) as pool:
        lobby = await Lobby.set(pool)
        (kicked, before), (banned, _) = await lobby.player("Ann"), await lobby.player("Bob")
        for user, is_banned in ((kicked, False), (banned, True)):
            await pool.execute(
                "UPDATE quiz_session_participants SET removed_at = now(), banned = $2 WHERE user_id = $1",
                user,
                is_banned,
            )
        assert isinstance(await lobby.join("Ann"), Participant)
        assert await lobby.join("Ann", kicked) is Refusal.NAME_TAKEN
        after = await lobby.join("Annie", kicked)
        assert after == Participant(before.id, "Annie", None, is_back=True)
        assert await lobby.join("Annie", kicked) is Refusal.ALREADY_JOINED
        for name in ("Bob", "Somebody else"):
            assert await lobby.join(name, banned) is Refusal.BANNED
        assert await lobby.names() == ["Ann", "Annie"]
