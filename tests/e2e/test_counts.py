"""The counts that anybody may see follow what happens."""

import asyncio

from tests.client import RIGHT


async def test_counts_follow_within_about_a_second(system, master):
    """Asked for before a join and an answer, they are right soon after, for the public and for the host."""
    host, ann = await master.account(), await master.guest("Ann")
    session, questions = await master.session(host)

    async def shown() -> tuple[int, int]:
        view = (await master.http.get(f"/quiz-session/{session}")).json()
        return view["participant_count"], view["answer_count"]

    assert await shown() == (0, 0)
    await ann.join(session)
    assert (await ann.answer(session, questions[0], RIGHT[0])).status_code == 200
    async with asyncio.timeout(10):
        while await shown() != (1, 1):
            await asyncio.sleep(0.05)
        while (await host.get("/quiz-session")).json()["quiz_sessions"][0]["answer_count"] != 1:
            await asyncio.sleep(0.05)
