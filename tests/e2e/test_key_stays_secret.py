"""The answer key is in no byte a participant receives before having answered."""

import json
from uuid import uuid4

from tests.client import QUESTIONS, connected

# Keys nobody would write by chance. Choices are shown, so for those it is the index that must not be there.
SECRET = "kestrel-7f3a91"
SECRET_QUESTIONS = [
    *QUESTIONS,
    {"type": "typed", "prompt": "Say the word.", "answer": [SECRET, SECRET.upper()], "explanation": f"Only {SECRET}."},
    {"type": "numeric", "prompt": "How many?", "answer": 731_946_558, "tolerance": 731_946},
    {"type": "order", "prompt": "In order.", "choices": ["b", "a", "c"], "answer": [1, 0, 2], "explanation": SECRET},
]
KEY_FIELDS = {"answer", "right_answer", "correct", "key", "body", "answers", "explanation", "tolerance"}


def fields_of(value, path=()):
    """Every (path, value) in a JSON document."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield (*path, name), item
            yield from fields_of(item, (*path, name))
    elif isinstance(value, list):
        for item in value:
            yield from fields_of(item, path)


async def test_no_byte_before_the_answer(system, master):
    """Neither in responses, whatever is asked, nor in socket messages while others answer."""
    host, ann, bob = await master.account(), await master.guest("Ann"), await master.guest("Bob")
    session, questions = await master.session(host, SECRET_QUESTIONS)
    quiz = (await host.get("/quizzes")).json()["quizzes"][0]["quiz_id"]
    received: list[bytes] = []

    async def keep(response):
        received.append(response.headers.get("content-type", "").encode() + await response.aread())

    master.http.event_hooks["response"].append(keep)
    await ann.join(session)
    await bob.join(session)
    async with connected(system.base_url, ann.tokens["access_token"]) as screen:
        received.append(json.dumps(await screen.client.call("enter_session", {"quiz_session_id": session})).encode())
        for path in (
            f"/quiz-session/{session}",
            f"/quiz-session/{session}/questions",
            f"/quiz-session/{session}/leaderboard",
            f"/quizzes/{quiz}",
            "/quizzes",
            "/quiz-session",
            "/auth/me",
            "/openapi.json",
            "/metrics",
            "/",
        ):
            await ann.get(path)
        # Tries that are no answers, to provoke an error message that says too much.
        for at, nonsense in enumerate([99, [99], "true", 1, True, "many", [0, 1]]):
            assert (await ann.answer(session, questions[at], nonsense)).status_code == 400
        seen_by_ann = [*received]
        master.http.event_hooks["response"].clear()
        for at, answer in enumerate([1, [1, 3], True, "chilly", SECRET, 731_946_000, [1, 0, 2]]):
            assert (await bob.answer(session, questions[at], answer)).json()["correct"] is True
        await screen.until(lambda: any(it["rows"][0]["score"] == 750 for it in screen.of("leaderboard_updating")))
        messages = [json.dumps(payload, ensure_ascii=False) for _, payload in screen.received]
        for text in [*messages, *(body.decode(errors="replace") for body in seen_by_ann)]:
            assert SECRET not in text.lower()
            assert "chilly" not in text.lower()
            assert "731946" not in text
        for _, payload in screen.received:
            assert not KEY_FIELDS & {path[-1] for path, _ in fields_of(payload)}
        before = (await ann.get(f"/quiz-session/{session}/questions")).json()
        assert all(question["answered"] is None for question in before["questions"])
        assert not KEY_FIELDS & {path[-1] for path, _ in fields_of(before)}

        # After the answer the key of that question, and of no other, may be shown.
        assert (await ann.answer(session, questions[4], "wrong", str(uuid4()))).json()["correct"] is False
        after = (await ann.get(f"/quiz-session/{session}/questions")).json()["questions"]
        assert after[4]["answered"]["right_answer"] == [SECRET, SECRET.upper()]
        assert after[4]["answered"]["explanation"] == f"Only {SECRET}."
        assert [question["answered"] for question in after if question != after[4]] == [None] * 6


async def test_the_same_bytes_whatever_is_right(master):
    """Two quizzes that differ in their keys only look the same to a participant, ids and times aside."""
    host = await master.account()
    shown = []
    asked = [*QUESTIONS, *SECRET_QUESTIONS[5:]]
    for answers, told in (
        ((0, [0], True, ["red"], 3, [0, 1, 2]), "For a reason."),
        ((2, [1, 2], False, ["blue", "azure"], 0.125, [2, 1, 0]), "So it is."),
    ):
        variants = [
            question | {"answer": answer, "explanation": told} for question, answer in zip(asked, answers, strict=True)
        ]
        session, _ = await master.session(host, variants)
        ann = await master.guest("Ann")
        await ann.join(session)
        questions = (await ann.get(f"/quiz-session/{session}/questions")).json()["questions"]
        shown.append([{name: it for name, it in question.items() if name != "question_id"} for question in questions])
    assert shown[0] == shown[1]
