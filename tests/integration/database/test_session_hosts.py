"""Hosts and co-hosts."""

import asyncio

from tests.lobby_scene import Lobby
from tests.scene import Scene, new_user, opened_pool
from tiebreak.database.participants import remove_participant
from tiebreak.database.quiz_sessions import Participant
from tiebreak.database.session_hosts import add_co_host, hosts_of, is_host, remove_co_host
from tiebreak.errors import Refusal
from tiebreak.ids import new_id


async def test_host_and_co_host_are_hosts_and_nobody_else(database_url):
    """The opener, a co-host; not a player, not another session's host, nobody of no session."""
    async with opened_pool(database_url) as pool:
        scene, other = await Scene.set(pool), await Scene.set(pool)
        co_host = await new_user(pool, "Co-host")
        player, _ = await scene.player()
        await pool.execute(
            "INSERT INTO quiz_session_hosts (quiz_session_id, user_id) VALUES ($1, $2)", scene.session_id, co_host
        )
        assert await is_host(pool, scene.session_id, scene.host_id)
        assert await is_host(pool, scene.session_id, co_host)
        assert not await is_host(pool, other.session_id, co_host)
        for user in (player, other.host_id, new_id()):
            assert not await is_host(pool, scene.session_id, user)
        assert not await is_host(pool, new_id(), scene.host_id)


async def test_players_do_not_become_co_hosts(database_url):
    """Nor those who have played and were removed; a co-host may be added twice, and the host is one already."""
    async with opened_pool(database_url) as pool:
        lobby = await Lobby.set(pool)
        user, participant = await lobby.player("Ann")
        other = await new_user(pool, "Helper")
        assert await add_co_host(pool, lobby.session_id, user) is Refusal.PLAYS_ALREADY
        await remove_participant(pool, lobby.session_id, participant.id, banned=False)
        assert await add_co_host(pool, lobby.session_id, user) is Refusal.PLAYS_ALREADY
        for co_host in (other, other, lobby.scene.host_id):
            assert await add_co_host(pool, lobby.session_id, co_host) is None
        assert [it.user_id for it in await hosts_of(pool, lobby.session_id)] == [lobby.scene.host_id, other]
        assert await lobby.join("Helper", other) is Refusal.HOSTS_DO_NOT_PLAY
        await remove_co_host(pool, lobby.session_id, other)
        assert isinstance(await lobby.join("Helper", other), Participant)


async def test_nobody_becomes_host_and_player_at_once(database_url):
    """Asked for at the same moment, by different servers: one of the two, never both."""
    async with opened_pool(database_url, size=10) as one, opened_pool(database_url, size=10) as two:
        lobby = await Lobby.set(one)
        users = [await new_user(one, f"User {at}") for at in range(30)]
        asked = [(add_co_host(two, lobby.session_id, user), lobby.join(None, user)) for user in users]
        outcomes = await asyncio.gather(*(it for pair in asked for it in pair))
        for hosted, joined in zip(outcomes[::2], outcomes[1::2], strict=True):
            assert (hosted is None) != isinstance(joined, Participant), (hosted, joined)
