"""Quiz sessions that are played: opened, joined and finished by clients that insist."""

from __future__ import annotations

import asyncio

import msgspec

from chaos.boards import SessionWatch
from chaos.client import ChaosFailed, Origins, Refused
from chaos.history import History
from tiebreak.load_test.content import quiz
from tiebreak.load_test.replies import Joined, Opened, QuizStored, SessionQuestions, Tokens


class Stored(msgspec.Struct, frozen=True):
    """A host's log-in and quiz, for all sessions of a round."""

    token: str
    quiz_id: str
    question_ids: list[str]


class Session(msgspec.Struct):
    """A session under test. In a quiet one nobody answers any more, but all look on."""

    id: str
    question_ids: list[str]
    host_token: str
    history: History
    watch: SessionWatch
    is_quiet: bool = False


async def new_host(origins: Origins, number: int) -> Stored:
    """An account with the quiz that is played."""
    random_name = f"host-{number}-{origins.random.getrandbits(64):x}@example.com"
    body = {"email": random_name, "password": "correct horse battery", "name": "Host"}
    host = await origins.insist_on(Tokens, "POST", "/auth/register", body=body)
    stored = await origins.insist_on(QuizStored, "POST", "/quizzes", token=host.access_token, body=quiz())
    return Stored(host.access_token, stored.quiz_id, stored.question_ids)


async def open_session(origins: Origins, host: Stored) -> Session:
    body = {"quiz_id": host.quiz_id, "mode": "self_paced"}
    opened = await origins.insist_on(Opened, "POST", "/quiz-session", token=host.token, body=body)
    session_id = opened.quiz_session_id
    return Session(session_id, host.question_ids, host.token, History(session_id), SessionWatch())


async def join(origins: Origins, session: Session, name: str) -> tuple[str, str]:
    """A new guest's token and participant id. Who was not told that it has joined asks."""
    guest = await origins.insist_on(Tokens, "POST", "/auth/guest", body={"name": name})
    token, path = guest.access_token, f"/quiz-session/{session.id}"
    said = await origins.insist("POST", f"{path}/join", token=token, body={})
    if isinstance(said, Refused):
        if said.code != "already_joined":
            raise ChaosFailed(f"A guest could not join: {said.code}")
        me = (await origins.insist_on(SessionQuestions, "GET", f"{path}/questions", token=token)).me
        if me is None:
            raise ChaosFailed("A guest has joined, and is not told as whom.")
        participant_id = me.quiz_session_participant_id
    else:
        participant_id = msgspec.json.decode(said.body, type=Joined).quiz_session_participant_id
    session.history.participants[participant_id] = name
    return token, participant_id


async def finish(origins: Origins, session: Session) -> None:
    """End it, for good."""
    session.is_quiet = True
    await origins.insist("POST", f"/quiz-session/{session.id}/finish", token=session.host_token)


async def gathered(*work):  # noqa: ANN002, ANN201 - as asyncio.gather, a few at a time
    """Their results; a dozen are under way at a time."""
    turns = asyncio.Semaphore(12)

    async def one(item):  # noqa: ANN001, ANN202
        async with turns:
            return await item

    return await asyncio.gather(*map(one, work))
