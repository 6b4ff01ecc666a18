"""Every status of the seed and of the interface, over real HTTP."""

import asyncio
from uuid import uuid4

import pytest

from tests.bad_tokens import bad_tokens
from tests.client import QUESTIONS, RIGHT, WRONG
from tiebreak.quiz.receipts import parse_receipt

NOT_IDS = ["x", "0", "null", "01a2052e", "%00", "..%2f..", "🦊", "1' or '1'='1"]


def problem(response, status, code):
    """Check that a response is a problem document of that status and code."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/problem+json")
    document = response.json()
    assert (document["status"], document["code"]) == (status, code)
    assert document["title"]
    assert document["type"]
    return document


async def test_join(master):
    """200, then 409; 400 for no such session, for what is no id, for none at all, and for a finished one."""
    host, ann = await master.account(), await master.guest("Ann")
    session, _ = await master.session(host)
    joined = await ann.join(session)
    assert joined.status_code == 200
    assert joined.json()["name"] == "Ann"
    assert joined.json()["quiz_session_id"] == session
    assert problem(await ann.join(session), 409, "already_joined")["title"] == "User already joined session"
    problem(await ann.join(str(uuid4())), 400, "session_not_found")
    for text in NOT_IDS[:4]:
        problem(await ann.join(text), 400, "not_an_id")
    problem(await ann.post("/quiz-session//join", {}), 400, "not_an_id")
    assert (await host.post(f"/quiz-session/{session}/finish")).status_code == 200
    problem(await (await master.guest()).join(session), 400, "session_finished")


async def test_joins_sent_at_once(master):
    """A hundred of one user: one has joined, the others are told that it has; no limit is in the way."""
    session, _ = await master.session(await master.account())
    ann = await master.guest("Ann")
    responses = await asyncio.gather(*(ann.join(session) for _ in range(100)))
    assert sorted(response.status_code for response in responses) == [200] + [409] * 99


async def test_join_takes_a_body_or_none(master):
    """The name is optional, and so is the whole body."""
    session, _ = await master.session(await master.account())
    ann, bob = await master.guest("Ann"), await master.guest("Bob")
    assert (await ann.post(f"/quiz-session/{session}/join")).json()["name"] == "Ann"
    assert (await bob.join(session, "  Bobby   T. ")).json()["name"] == "Bobby T."


async def test_update_score(master):
    """200 for right and wrong; 403 not joined; 400 foreign question, answered before, finished."""
    host, ann, stranger = await master.account(), await master.guest(), await master.guest()
    session, questions = await master.session(host)
    _, foreign = await master.session(host)
    await ann.join(session)
    problem(await stranger.answer(session, questions[0], 1), 403, "not_joined")
    problem(await stranger.answer(session, foreign[0], 1), 403, "not_joined")
    problem(await stranger.answer(str(uuid4()), questions[0], 1), 403, "not_joined")
    problem(await ann.answer(session, foreign[0], 1), 400, "question_not_in_quiz")
    first = await ann.answer(session, questions[0], RIGHT[0])
    assert first.status_code == 200
    assert first.json() == {
        "participant_answer_id": first.json()["participant_answer_id"],
        "correct": True,
        "score": 100,
        "receipt": first.json()["receipt"],
    }
    receipt = parse_receipt(first.json()["receipt"])
    assert (str(receipt.answer_id), receipt.position) == (first.json()["participant_answer_id"], 1)
    problem(await ann.answer(session, questions[0], WRONG[0]), 400, "question_already_answered")
    wrong = await ann.answer(session, questions[1], WRONG[1])
    assert (wrong.status_code, wrong.json()["correct"], wrong.json()["score"]) == (200, False, 0)
    await host.post(f"/quiz-session/{session}/finish")
    problem(await ann.answer(session, questions[2], RIGHT[2]), 400, "session_finished")


async def test_every_type_is_graded(master):
    """Right answers earn the question's points, wrong ones nothing."""
    session, questions = await master.session(await master.account())
    for answers, scores in ((RIGHT, [100, 100, 100, 150]), (WRONG, [0, 0, 0, 0])):
        player = await master.guest()
        await player.join(session)
        got = [(await player.answer(session, *pair)).json() for pair in zip(questions, answers, strict=True)]
        assert [it["score"] for it in got] == scores
        assert [it["correct"] for it in got] == [bool(score) for score in scores]


OTHERS = [
    {"type": "order", "prompt": "By size.", "choices": ["fox", "whale", "ant"], "answer": [2, 0, 1]},
    {"type": "numeric", "prompt": "Normal body heat?", "answer": 36.6, "tolerance": 0.4, "points": 200},
    {"type": "poll", "prompt": "How was it?", "choices": ["good", "bad"]},
    {"type": "word_cloud", "prompt": "In a word?"},
    {"type": "info", "prompt": "Have a break."},
]


@pytest.mark.parametrize(
    ("answers", "correct", "scores"),
    [
        ([[2, 0, 1], 37, 0, " so so "], [True, True, True, True], [100, 200, 0, 0]),
        ([[0, 2, 1], 37.000001, 1, "x"], [False, False, True, True], [0, 0, 0, 0]),
    ],
)
async def test_types_with_an_order_a_number_or_no_key(master, answers, correct, scores):
    """All or nothing in a self-paced session; a poll and a word cloud take anything and earn nothing, a slide none."""
    session, questions = await master.session(await master.account(), OTHERS)
    player = await master.guest()
    await player.join(session)
    got = [(await player.answer(session, *pair)).json() for pair in zip(questions, answers, strict=False)]
    assert [(it["correct"], it["score"]) for it in got] == [*zip(correct, scores, strict=True)]
    for anything in (True, 0, 0.5, "", []):
        problem(await player.answer(session, questions[4], anything), 400, "answer_invalid")
    shown = (await player.get(f"/quiz-session/{session}/questions")).json()["questions"]
    assert [it["answered"]["answer"] for it in shown[:4]] == answers
    assert [it["answered"]["right_answer"] for it in shown[:4]] == [[2, 0, 1], 36.6, None, None]
    assert shown[1]["answered"]["tolerance"] == 0.4
    assert shown[4]["answered"] is None


async def test_answer_of_another_type_is_refused_and_lost_for_nobody(master):
    """400, and the participant may still answer."""
    session, questions = await master.session(await master.account())
    ann = await master.guest()
    await ann.join(session)
    for answer in ("1", True, [1], 3, -1, 10**40):
        assert (await ann.answer(session, questions[0], answer)).status_code == 400
    for answer in (1.5, 1.0):
        problem(await ann.answer(session, questions[0], answer), 400, "answer_invalid")
    for answer in (None, {"a": 1}, ["x"], [[1]], [1.5]):
        problem(await ann.answer(session, questions[0], answer), 400, "request_invalid")
    assert (await ann.answer(session, questions[0], 1)).status_code == 200


async def test_same_answer_id_gets_the_first_outcome_again(master):
    """A retry is confirmed, with the same receipt; the same id is no key to another answer."""
    session, questions = await master.session(await master.account())
    ann, bob = await master.guest(), await master.guest()
    await ann.join(session)
    await bob.join(session)
    answer_id = str(uuid4())
    first = await ann.answer(session, questions[0], RIGHT[0], answer_id)
    for answer in (RIGHT[0], WRONG[0]):
        again = await ann.answer(session, questions[0], answer, answer_id)
        assert (again.status_code, again.json()) == (200, first.json())
    other = await bob.answer(session, questions[0], WRONG[0], answer_id)
    assert other.json()["participant_answer_id"] != first.json()["participant_answer_id"]
    assert other.json()["correct"] is False


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/quizzes"),
        ("POST", "/quizzes"),
        ("GET", f"/quizzes/{uuid4()}"),
        ("PUT", f"/quizzes/{uuid4()}"),
        ("DELETE", f"/quizzes/{uuid4()}"),
        ("GET", "/quiz-session"),
        ("POST", "/quiz-session"),
        ("POST", f"/quiz-session/{uuid4()}/join"),
        ("POST", f"/quiz-session/{uuid4()}/finish"),
        ("GET", f"/quiz-session/{uuid4()}/questions"),
        ("GET", f"/quiz-session/{uuid4()}/leaderboard"),
        ("POST", "/update-score"),
    ],
)
async def test_no_entry_without_a_valid_token(master, method, path):
    """401 without, with an expired, a forged, an alg:none and a wrong-audience token, on every private route."""
    valid = (await master.guest()).tokens["access_token"]
    for name, token in bad_tokens(valid).items():
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        response = await master.http.request(method, path, headers=headers)
        assert response.status_code == 401, f"{name}: {response.text}"
        assert response.headers["www-authenticate"] == "Bearer"
        assert response.json()["code"] in {"token_missing", "token_invalid", "token_expired"}


async def test_roles(master):
    """Guests play, owners own, hosts host."""
    host, other, guest = await master.account(), await master.account(), await master.guest()
    quiz, _ = await master.quiz(host)
    session, _ = await master.session(host)
    body = {"title": "T", "questions": QUESTIONS}
    problem(await guest.post("/quizzes", body), 403, "account_needed")
    problem(await guest.get("/quizzes"), 403, "account_needed")
    problem(await guest.post("/quiz-session", {"quiz_id": quiz, "mode": "self_paced"}), 403, "account_needed")
    problem(await other.get(f"/quizzes/{quiz}"), 403, "not_the_owner")
    problem(await other.put(f"/quizzes/{quiz}", body), 403, "not_the_owner")
    problem(await other.delete(f"/quizzes/{quiz}"), 403, "not_the_owner")
    problem(await other.post("/quiz-session", {"quiz_id": quiz, "mode": "self_paced"}), 403, "not_the_owner")
    problem(await other.post(f"/quiz-session/{session}/finish"), 403, "not_the_host")
    problem(await guest.post(f"/quiz-session/{session}/finish"), 403, "not_the_host")
    problem(await other.get(f"/quiz-session/{session}/questions"), 403, "not_joined")


async def test_quizzes(master):
    """Stored, listed, read, replaced, removed; what is not there is 404."""
    host = await master.account()
    quiz, questions = await master.quiz(host)
    shown = (await host.get(f"/quizzes/{quiz}")).json()
    assert [it["question_id"] for it in shown["questions"]] == questions
    assert [it["answer"] for it in shown["questions"]] == [1, [1, 3], True, ["cold", "chilly"]]
    assert shown["questions"][0]["points"] == 100
    [listed] = (await host.get("/quizzes")).json()["quizzes"]
    assert (listed["quiz_id"], listed["question_count"], listed["language"]) == (quiz, 4, "en")
    replaced = await host.put(f"/quizzes/{quiz}", {"title": "New", "language": "de", "questions": QUESTIONS[:1]})
    assert (replaced.status_code, len(replaced.json()["question_ids"])) == (200, 1)
    assert (await host.get(f"/quizzes/{quiz}")).json()["title"] == "New"
    assert (await host.delete(f"/quizzes/{quiz}")).status_code == 204
    problem(await host.get(f"/quizzes/{quiz}"), 404, "quiz_not_found")
    problem(await host.post("/quiz-session", {"quiz_id": quiz, "mode": "self_paced"}), 404, "quiz_not_found")
    problem(await host.get("/quizzes/x"), 400, "not_an_id")


async def test_session_is_public_and_its_pin_leads_to_it(master):
    """Title, state and counts without a token; the PIN until the end."""
    host, ann = await master.account(), await master.guest()
    session, questions = await master.session(host)
    await ann.join(session)
    await ann.answer(session, questions[0], 1)
    shown = (await master.http.get(f"/quiz-session/{session}")).json()
    assert shown["title"] == "A quiz"
    assert (shown["state"], shown["mode"], shown["closed_at"]) == ("open", "self_paced", None)
    assert (shown["question_count"], shown["participant_count"], shown["answer_count"]) == (4, 1, 1)
    assert (await master.http.get(f"/pin/{shown['pin']}")).json() == {"quiz_session_id": session}
    [listed] = (await host.get("/quiz-session")).json()["quiz_sessions"]
    assert listed == shown
    for _ in range(2):
        assert (await host.post(f"/quiz-session/{session}/finish")).json()["state"] == "finished"
    after = (await master.http.get(f"/quiz-session/{session}")).json()
    assert (after["state"], after["pin"]) == ("finished", None)
    assert after["closed_at"] >= after["opened_at"]
    problem(await master.http.get(f"/pin/{shown['pin']}"), 404, "pin_not_found")
    problem(await master.http.get(f"/quiz-session/{uuid4()}"), 404, "session_not_found")


async def test_leaderboard_parameters(master):
    """Limits have edges, and "around" knows only "me"."""
    session, _ = await master.session(await master.account())
    ann = await master.guest()
    path = f"/quiz-session/{session}/leaderboard"
    empty = await ann.leaderboard(session, around="me")
    assert (empty["participants"], empty["rows"], empty["version"]) == (0, [], 0)
    for parameters in (
        {"limit": 0},
        {"limit": 1001},
        {"limit": "x"},
        {"offset": -1},
        {"around": "you"},
        {"around": "null"},
    ):
        problem(await ann.get(path, **parameters), 400, "request_invalid")
    problem(await ann.get(f"/quiz-session/{uuid4()}/leaderboard"), 404, "session_not_found")


async def test_operations(system, master):
    """Health, readiness, metrics and the interface's description, for machines."""
    assert (await master.http.get("/healthz")).json()["status"] == "ok"
    assert (await master.http.get("/readyz")).json() == {"status": "ok"}
    assert "tiebreak_answers_total" in (await master.http.get("/metrics")).text
    document = (await master.http.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert "/update-score" in document["paths"]
    assert "/quiz-session/{quiz_session_id}/join" in document["paths"]
    assert {"/auth/login", "/auth/me", "/.well-known/jwks.json", "/metrics", "/openapi.json"} <= document[
        "paths"
    ].keys()
    problem(await master.http.get("/schema"), 404, "route_not_found")
    problem(await master.http.get("/nothing/here"), 404, "route_not_found")
    problem(await master.http.delete("/update-score"), 405, "method_not_allowed")


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/quizzes", {"GET", "POST", "OPTIONS"}),
        (f"/quizzes/{uuid4()}", {"GET", "PUT", "DELETE", "OPTIONS"}),
        ("/quiz-session", {"GET", "POST", "OPTIONS"}),
        ("/update-score", {"POST", "OPTIONS"}),
        ("/auth/login", {"POST", "OPTIONS"}),
        ("/auth/me", {"GET", "OPTIONS"}),
        ("/healthz", {"GET", "OPTIONS"}),
    ],
)
async def test_methods(master, path, methods):
    """Who asks is told all methods of an address, and so is who tries another one."""
    host = await master.account()
    asked = await master.http.options(path, headers=host.headers)
    tried = await master.http.patch(path, headers=host.headers)
    problem(tried, 405, "method_not_allowed")
    for response in (asked, tried):
        assert set(response.headers["allow"].replace(" ", "").split(",")) == methods
