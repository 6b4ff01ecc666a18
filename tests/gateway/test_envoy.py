"""What only Envoy promises, and what only who stands behind it can see."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest

from tests.gateway.envoy_server import Front, envoy_in_front
from tiebreak.embedded.gateway import binary
from tiebreak.gateway.deployment import Address, Deployment
from tiebreak.gateway.envoy import envoy_json
from tiebreak.gateway.table import IDENTITY_HEADERS, STICKY_COOKIE

POLL = "/socket.io/?EIO=4&transport=polling"


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[Front]:
    """Envoy before two servers."""
    async with envoy_in_front(tmp_path) as front:
        yield front


def problem(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == response.status_code
    return response.status_code, response.json()["code"]


@pytest.mark.parametrize("host", ["app-server-1", "10.0.0.1"])
def test_envoy_accepts_the_configuration(tmp_path: Path, host: str) -> None:
    """Names and addresses alike, and no field that will be gone in the next version."""
    deployment = Deployment(app_servers=(Address(host, 8000),), auth_servers=(Address(host, 8001),))
    config = tmp_path / "envoy.json"
    config.write_text(envoy_json(deployment, Address("0.0.0.0", 8000)))
    command = [str(binary()), "--mode", "validate", "--config-path", str(config)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    assert "eprecated" not in result.stderr


async def test_refusals_are_problem_documents(front: Front) -> None:
    """The same documents as our servers', with the same codes."""
    path = "/quiz-session/1/leaderboard"
    assert problem(await front.http.get(path)) == (401, "token_missing")
    assert problem(await front.http.get(path, headers=front.bearer(exp=1))) == (401, "token_expired")
    for wrong in ({"iss": "others"}, {"aud": "others"}, {"nbf": 4_000_000_000}):
        response = await front.http.get(path, headers=front.bearer(**wrong))
        assert problem(response) == (401, "token_invalid"), wrong
        assert response.headers["www-authenticate"].startswith("Bearer")
    assert problem(await front.http.get("/quizzes", headers=front.bearer())) == (403, "account_needed")
    assert problem(await front.http.get("/metrics")) == (404, "route_not_found")
    large = await front.http.post("/update-score", headers=front.bearer(), content=b" " * 65_537)
    assert problem(large) == (413, "body_too_large")
    assert problem(await front.http.get("/pin/%2f")) == (400, "request_invalid")
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
    assert problem(await front.http.get("/pin/1", headers=upgrade)) == (400, "request_invalid")
    assert front.asked == []


async def test_accounts_pass(front: Front) -> None:
    """What a guest may not, an account may; the token goes on to the server, which checks it again."""
    headers = front.bearer(role="account")
    answer = (await front.http.get("/quizzes", headers=headers)).json()
    assert answer["headers"]["authorization"] == headers["Authorization"]


async def test_identity_headers_are_stripped(front: Front) -> None:
    """What claims to say who is calling or from where does not reach a server."""
    others = ("X-Consumer-Anything", "X-Authenticated-Whatever", "X-User-Name", "X_User_Id", "X-Envoy-Original-Path")
    claims = dict.fromkeys((*IDENTITY_HEADERS, *others, "X-Forwarded-For"), "mallory")
    for path in ("/", "/pin/1", "/auth/guest", POLL):
        received = (await front.http.get(path, headers=claims)).json()["headers"]
        assert not any("mallory" in value for value in received.values()), received
        assert ip_address(received["x-forwarded-for"])  # a single one: Envoy's word


async def test_request_ids_reach_the_server(front: Front) -> None:
    """The id in the answer is the one that the server saw."""
    response = await front.http.get("/pin/1")
    assert response.json()["headers"]["x-request-id"] == response.headers["x-request-id"]
    response = await front.http.get("/pin/1", headers={"x-request-id": "mine"})
    assert response.json()["headers"]["x-request-id"] == "mine"


async def test_limits_are_per_client(tmp_path: Path) -> None:
    """One user's haste is not another's: 429 with Retry-After for the one, and log-ins are counted by themselves."""
    async with envoy_in_front(tmp_path, limits_percent=1) as front:
        hasty, other = front.bearer(sub="hasty"), front.bearer(sub="other")
        answers = [await front.http.get("/quiz-session/1/leaderboard", headers=hasty) for _ in range(14)]
        assert [answer.status_code for answer in answers[:12]] == [200] * 12
        assert problem(answers[-1]) == (429, "too_many_tries")
        assert int(answers[-1].headers["retry-after"]) > 0
        again = front.bearer(sub="hasty", jti="a new token of the same user")
        assert (await front.http.get("/quiz-session/1/leaderboard", headers=again)).status_code == 429
        assert (await front.http.get("/quiz-session/1/leaderboard", headers=other)).status_code == 200
        entering = [(await front.http.post("/auth/guest")).status_code for _ in range(14)]
        assert entering[:12] == [200] * 12
        assert entering[-1] == 429
        assert (await front.http.get("/pin/1")).status_code == 200


async def test_new_keys(front: Front) -> None:
    """A token of a key made just now is good within seconds; those of the key before stay good."""
    before = front.bearer()
    front.keys.rotate()
    after = front.bearer()
    async with asyncio.timeout(15):
        while (await front.http.get("/quiz-session/1/leaderboard", headers=after)).status_code != 200:
            await asyncio.sleep(0.1)
    assert (await front.http.get("/quiz-session/1/leaderboard", headers=before)).status_code == 200


async def test_a_browser_stays_with_its_server(front: Front) -> None:
    """The page brings a cookie, and polling with it reaches one server; browsers behind one address are spread."""
    reached: set[str] = set()
    for _ in range(12):
        async with httpx.AsyncClient(base_url=front.http.base_url) as browser:
            page = await browser.get("/")
            assert "HttpOnly" in page.headers["set-cookie"]
            assert browser.cookies[STICKY_COOKIE]
            servers = {(await browser.get(POLL)).json()["server"] for _ in range(5)}
            assert len(servers) == 1
            reached |= servers
    assert len(reached) == 2


async def test_a_program_stays_with_its_server(front: Front) -> None:
    """One that keeps no cookies is known by its address."""
    async with httpx.AsyncClient() as program:
        servers = set()
        for _ in range(10):
            program.cookies.clear()
            servers.add((await program.get(f"{front.http.base_url}{POLL}")).json()["server"])
    assert len(servers) == 1


async def test_calls_are_spread(front: Front) -> None:
    """Calls need no particular server."""
    assert len({(await front.http.get("/pin/1")).json()["server"] for _ in range(40)}) == 2


async def test_nothing_is_lost_to_a_server_that_refuses(tmp_path: Path) -> None:
    """Where a connection is refused nothing was sent: the request goes to another server, whatever it is."""
    async with envoy_in_front(tmp_path, alive=1, dead=1) as front:
        for _ in range(20):
            assert (await front.http.post("/update-score", headers=front.bearer(), json={})).status_code == 200
            assert (await front.http.get(POLL)).status_code == 200
        assert front.asked.count("POST /update-score") == 20


async def test_a_crowd_changes_over_to_the_server_that_is_left(front: Front) -> None:
    """A server that was there a moment ago is gone, and no health check knows: many retries at once, none refused."""
    headers = front.bearer()
    await front.runners[0].cleanup()
    crowd = [front.http.post("/update-score", headers=headers, json={}) for _ in range(100)]
    assert {response.status_code for response in await asyncio.gather(*crowd)} == {200}
    assert front.asked.count("POST /update-score") == 100


async def test_what_was_sent_is_not_sent_again(front: Front) -> None:
    """A POST that a server died over may have been carried out: 503, for the client to decide. Reading is repeated."""
    for server in front.servers:
        server.drops = 1
    response = await front.http.post("/update-score", headers=front.bearer(), json={})
    assert problem(response) == (503, "unavailable")
    assert int(response.headers["retry-after"]) > 0
    assert front.asked.count("POST /update-score") == 1
    for server in front.servers:
        server.drops = 1
    assert (await front.http.get("/quiz-session/1/leaderboard", headers=front.bearer())).status_code == 200
    assert front.asked.count("GET /quiz-session/1/leaderboard") == 3


async def test_nobody_there(tmp_path: Path) -> None:
    """Without a server: 503, which may be tried again; and the gateway says that it is not healthy."""
    async with envoy_in_front(tmp_path, alive=0, dead=2) as front:
        assert problem(await front.http.get("/pin/1")) == (503, "unavailable")
        async with asyncio.timeout(15):
            while (response := await front.http.get("/healthz")).status_code == 200:
                await asyncio.sleep(0.1)
        assert problem(response) == (503, "unavailable")
