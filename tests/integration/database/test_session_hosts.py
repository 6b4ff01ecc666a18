"""Hosts and co-hosts."""

from tests.scene import Scene, new_user, opened_pool
from tiebreak.database.session_hosts import is_host
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
