"""What rooms of live sessions are told of who is in them."""

from tests.integration.app_server.test_ticks import running
from tests.lobby_scene import Lobby
from tests.scene import Scene
from tiebreak.database.quiz_sessions import join_sessions


async def test_a_lobby_is_told_the_newest_names(database_url, redis_url):
    """The last fifty, the newest first, and how many more there are: a message that is lost takes no name with it."""
    async with running(database_url, redis_url) as servers:
        lobby = await Lobby.set(servers.pool)
        await join_sessions(servers.pool, [await lobby.joining(f"Player {at}") for at in range(60)])
        servers.ticks[0].players_changed(lobby.session_id)
        await servers.until(1, lobby.session_id, "players_update")
        [update] = await servers.messages(lobby.session_id, "players_update")
        assert (update["more"], update["participant_count"], len(update["joined"])) == (10, 60, 50)
        assert update["joined"][:2] == ["Player 59", "Player 58"]


async def test_a_lobby_is_told_twice_a_second(database_url, redis_url):
    """However many join, and however many servers take them in."""
    async with running(database_url, redis_url, servers=2) as servers:
        lobby = await Lobby.set(servers.pool)
        for at in range(40):
            await lobby.player(f"Player {at}")
            servers.ticks[at % 2].players_changed(lobby.session_id)
            await servers.sessions_settled()
            servers.clock.advance(seconds=0.1)
        await servers.sessions_settled()
        updates = await servers.messages(lobby.session_id, "players_update")
        # Four seconds, and the first of each server at once.
        assert 4 <= len(updates) <= 10
        assert updates[-1]["participant_count"] >= 38


async def test_names_are_told_only_where_they_are_wanted(database_url, redis_url):
    """Not in self-paced sessions; and not when a live one's state changes."""
    async with running(database_url, redis_url) as servers:
        lobby, scene = await Lobby.set(servers.pool), await Scene.set(servers.pool)
        await scene.player()
        servers.ticks[0].players_changed(scene.session_id)
        await servers.until(1, scene.session_id, "session_update")
        servers.ticks[0].session_changed(lobby.session_id)
        await servers.until(1, lobby.session_id, "session_update")
        assert await servers.messages(scene.session_id, "players_update") == []
        assert await servers.messages(lobby.session_id, "players_update") == []
