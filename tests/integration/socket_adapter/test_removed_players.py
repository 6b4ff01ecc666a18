"""A player who is removed by one app server, with a phone on another."""

from tests.client import connected


async def test_a_removed_players_phone_is_shown_out_of_the_room(stage):
    """Wherever it is connected: it is told so, and then hears nothing of what the others in the room hear."""
    quiz_id, _ = await stage.master.quiz(stage.host)
    opening = {"quiz_id": quiz_id, "mode": "live"}
    session = (await stage.host.post("/quiz-session", opening)).json()["quiz_session_id"]
    players = [await stage.master.guest(name) for name in ("Ann", "Bob")]
    ids = [(await player.join(session)).json()["quiz_session_participant_id"] for player in players]
    second, session_ref = stage.topology.second.base_url, {"quiz_session_id": session}
    async with (
        connected(second, players[0].tokens["access_token"]) as ann,
        connected(second, players[1].tokens["access_token"]) as bob,
    ):
        for screen in (ann, bob):
            screen.client.on("removed", screen._keep("removed"))
            assert (await screen.client.call("enter_session", session_ref, timeout=10))["ok"]
        path = f"/quiz-session/{session}/participants/{ids[0]}"
        assert (await stage.host.post(path, {"action": "ban"})).status_code == 200
        await ann.until(lambda: ann.of("removed"))
        assert ann.of("removed") == [session_ref | {"banned": True}]
        assert bob.of("removed") == []
        # What comes behind it in the stream.
        await stage.emit("the last", to=session)
        await bob.until(lambda: [it for it in bob.of("session_update") if it["state"] == "the last"])
        await ann.client.call("leave_session", session_ref, timeout=10)
        assert [it for it in ann.of("session_update") if it["state"] == "the last"] == []
