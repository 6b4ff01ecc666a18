"""The whole topology on Kafka, two of every process, while processes and the broker die, come and go."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from functools import partial
from uuid import uuid4

import aiohttp
import pytest

from tests.client import RIGHT, connected, quizmaster
from tests.cluster import Cluster, running_cluster
from tests.e2e.test_browser import play_a_session
from tests.e2e.test_crowd import board_equals_ledger, counted
from tests.kafka_server import Kafka
from tests.servers import folder
from tiebreak.event_bus.kafka import KafkaBus
from tiebreak.events import TOPIC, decode

PLAYERS, QUESTIONS = 200, 100


@pytest.fixture
async def kafka() -> AsyncIterator[Kafka]:
    """A broker of this test's own, to be killed."""
    with folder() as directory:
        kafka = Kafka(directory)
        await kafka.start()
        try:
            yield kafka
        finally:
            await kafka.stop()


@pytest.fixture
def cluster(kafka, database_url, redis_url, tmp_path):
    with running_cluster(
        tmp_path, database_url=database_url, redis_url=redis_url, kafka_servers=kafka.servers
    ) as cluster:
        yield cluster


async def order_of_arrival(servers: str, session: str) -> tuple[int, dict[str, list[str]]]:
    """What the topic holds of a session: how many records, and each participant's questions as they first came."""
    consumer = await KafkaBus(servers, replication=1).consumer(TOPIC, group=f"check-{uuid4()}")
    records, quiet, first = 0, 0, {}
    while quiet < 12:
        polled = [it for it in await consumer.poll(limit=5_000, timeout_seconds=0.5) if it.key == session.encode()]
        quiet = 0 if polled else quiet + 1
        records += len(polled)
        for record in polled:
            change = decode(record.value).payload
            first.setdefault(str(change.quiz_session_participant_id), {})[str(change.question_id)] = True
    await consumer.close()
    return records, {participant: [*questions] for participant, questions in first.items()}


async def test_a_game_on_two_of_every_process(cluster: Cluster):
    """Players and screens on different app servers see one board, and it equals the ledger."""
    assert len(cluster.names) == 8
    async with quizmaster(cluster.url("app-server-1")) as here, quizmaster(cluster.url("app-server-2")) as there:
        host = await here.account()
        session, questions = await here.session(host)
        players = [await master.guest(name) for master, name in ((here, "Ann"), (there, "Bob"), (there, "Cleo"))]
        for player in players:
            assert (await player.join(session)).status_code == 200
        async with (
            connected(cluster.url("app-server-1"), host.tokens["access_token"], transports=["websocket"]) as projector,
            connected(
                cluster.url("app-server-2"), players[1].tokens["access_token"], transports=["websocket"]
            ) as phone,
        ):
            for screen in (projector, phone):
                assert (await screen.client.call("enter_session", {"quiz_session_id": session}))["ok"]
            for player, right in zip(players, (4, 3, 2), strict=True):
                for at in range(right):
                    assert (await player.answer(session, questions[at], RIGHT[at])).status_code == 200
            rows = await board_equals_ledger(cluster, host, session)
            assert [row["name"] for row in rows] == ["Ann", "Bob", "Cleo"]
            for screen in (projector, phone):
                await screen.until(
                    lambda screen=screen: any(it["rows"] == rows for it in screen.of("leaderboard_updating"))
                )
                await screen.until(lambda screen=screen: screen.of("score_update"))
        for name in cluster.names:
            assert cluster.ready(name)


async def test_the_browsers_session_on_two_of_every_process(cluster: Cluster):
    """The same session as on one machine, its people spread over both app servers, a publisher and a worker killed."""
    urls = [cluster.url(f"app-server-{number}") for number in (1, 2, 1, 2)]
    fates = [partial(cluster.kill, f"{kind}-1") for kind in ("publisher-worker", "cache-worker")]
    await play_a_session(urls, fates)


@pytest.mark.timeout(600)
async def test_twenty_thousand_answers_while_workers_and_the_broker_die(cluster: Cluster, kafka: Kafka):
    """Killed: a publisher, a cache worker, the broker (back after 5 s). Nothing lost, nothing doubled, order kept."""

    async def fates() -> None:
        await asyncio.sleep(3)
        await asyncio.to_thread(cluster.kill, "publisher-worker-1")
        await asyncio.sleep(3)
        await asyncio.to_thread(cluster.kill, "cache-worker-1")
        await asyncio.sleep(3)
        await kafka.kill()
        await asyncio.sleep(5)
        await kafka.start()

    await crowd_under(fates(), cluster)


@pytest.mark.timeout(600)
async def test_workers_come_and_go_in_the_middle_of_a_run(cluster: Cluster):
    """Added and removed while answers flow: the same holds."""

    async def fates() -> None:
        for number in itertools.count(3):
            if number > 5:
                return
            for kind in ("publisher-worker", "cache-worker"):
                await asyncio.to_thread(cluster.start, f"{kind}-{number}")
                await asyncio.sleep(1)
                await asyncio.to_thread(cluster.terminate, f"{kind}-{number - 2}")

    await crowd_under(fates(), cluster)


async def crowd_under(fates, cluster: Cluster) -> None:
    """A crowd answers 20,000 questions while `fates` happen; then everything must add up."""
    async with quizmaster(cluster.url("app-server-1")) as master:
        host = await master.account()
        content = [{"type": "true_false", "prompt": f"Question {at}", "answer": True} for at in range(QUESTIONS)]
        session, questions = await master.session(host, content)
        players = [await master.guest(f"Player {at}") for at in range(PLAYERS)]
        for player in players:
            assert (await player.join(session)).status_code == 200
    servers = [cluster.url("app-server-1"), cluster.url("app-server-2")]
    acknowledged = 0

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=PLAYERS)) as http:

        async def play(number: int, player) -> None:
            nonlocal acknowledged
            for at, question in enumerate(questions):
                body = {
                    "quiz_session_id": session,
                    "question_id": question,
                    "answer": (number + at) % 3 > 0,
                    "answer_id": str(uuid4()),
                }
                url = f"{servers[(number + at) % 2]}/update-score"
                async with http.post(url, json=body, headers=player.headers) as response:
                    assert response.status == 200, await response.text()
                    acknowledged += 1
                await asyncio.sleep(0.1)

        await asyncio.gather(fates, *(play(number, player) for number, player in enumerate(players)))
    assert acknowledged == PLAYERS * QUESTIONS
    async with quizmaster(cluster.url("app-server-2")) as master:
        host.http = master.http
        rows = await board_equals_ledger(cluster, host, session, seconds=60)
    assert len(rows) == PLAYERS
    assert await counted(cluster, session) == (acknowledged, acknowledged)
    records, arrived = await order_of_arrival(cluster.kafka_servers, session)
    assert records >= acknowledged
    assert len(arrived) == PLAYERS
    assert all(came == questions for came in arrived.values())
