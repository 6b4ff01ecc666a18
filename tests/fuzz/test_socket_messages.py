"""Whatever a client says over a socket is acknowledged as docs/messages.md has it, or ends that client's connection."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from itertools import cycle
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.fuzz.http_fuzz import faults_in
from tests.fuzz.http_stage import Stage
from tests.fuzz.socket_cases import MESSAGES, anything, bent, fields, packets, right
from tests.fuzz.socket_client import Closed, RawSocket
from tiebreak.app_server.commands import Outcome
from tiebreak.app_server.live.my_results import MyResult
from tiebreak.errors import Refusal
from tiebreak.quiz.ranking import Leaderboard
from tiebreak.socket_adapter.live_messages import GameView, LiveSnapshot
from tiebreak.socket_adapter.server import MAX_MESSAGE_BYTES

# More with `FUZZ_EXAMPLES=5000 make test ARGS=tests/fuzz/test_socket_messages.py`.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "150"))
# As long as the longest run by hand may take.
pytestmark = pytest.mark.timeout(1_200)
# Of this many sockets each has its own allowance of messages.
SOCKETS = 20
OUR_FAULT = {Refusal.INTERNAL, Refusal.UNAVAILABLE, Refusal.BUSY}
CODES = {refusal.code: refusal.title for refusal in Refusal if refusal not in OUR_FAULT}
RESULTS = {
    "enter_session": LiveSnapshot,
    "get_leaderboard": Leaderboard,
    "update_score": Outcome,
    "leave_session": None,
    "renew_token": None,
    "get_game": GameView,
    "get_my_result": MyResult,
}
fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


class Crowd:
    """A guest who has joined, with many sockets; and somebody else, who must notice nothing."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self.stage = Stage(base_url)
        self.known = self.stage.prepare()
        self.token = self.stage.guest["access_token"]
        self._sockets = [self.new() for _ in range(SOCKETS)]
        self._turns = cycle(range(SOCKETS))
        self.bystander = RawSocket(base_url, self.stage.host["access_token"])
        # The stage's host is in every session as host.
        assert self.bystander.ask("enter_session", {"quiz_session_id": self.known["quiz_session_id"][1]})["ok"] is True

    def new(self) -> RawSocket:
        return RawSocket(self._base_url, self.token)

    def ask(self, message: str, *arguments: Any) -> Any:
        """The acknowledgement by one of the sockets, or None if the server has ended it."""
        turn = next(self._turns)
        if turn == 0:
            self.look_around()
        try:
            return self._sockets[turn].ask(message, *arguments)
        except Closed:
            self._sockets[turn] = self.new()
            return None

    def look_around(self) -> None:
        """The bystander is served as ever. It has to be asked now and then: only then it answers pings."""
        assert self.bystander.is_alive()

    def wake(self) -> None:
        """Sockets that were left alone for too long, as between two tests, have been closed."""
        self._sockets = [it if it.is_alive() else self.new() for it in self._sockets]

    def close(self) -> None:
        for socket in [*self._sockets, self.bystander]:
            socket.close()


@pytest.fixture(scope="module")
def whole_crowd(system) -> Iterator[Crowd]:
    crowd = Crowd(system.base_url)
    yield crowd
    crowd.close()


@pytest.fixture
def crowd(whole_crowd, system) -> Iterator[Crowd]:
    whole_crowd.wake()
    yield whole_crowd
    # A bystander has seen nothing of all that, and nothing was logged as a fault.
    whole_crowd.look_around()
    assert not faults_in(system)


def check_acknowledgement(message: str, answer: Any) -> None:
    """`{ok: true, …}` with exactly what the message is acknowledged with, or `{ok: false, code, title, detail?}`."""
    assert isinstance(answer, dict), answer
    ok = answer.pop("ok")
    if ok is False:
        assert answer.keys() - {"detail"} == {"code", "title"}, answer
        # Only a join distinguishes the two titles of session_not_found, and they are the same.
        assert CODES[answer["code"]] == answer["title"]
        assert isinstance(answer.get("detail", ""), str)
        return
    assert ok is True
    expected = RESULTS[message]
    if expected is None:
        assert answer == {}
    else:
        result = msgspec.convert(answer, expected)
        assert json.loads(msgspec.json.encode(result)) == answer


@pytest.mark.parametrize("message", MESSAGES)
def test_right_messages(crowd, message):
    """Of the described shape: acknowledged, whatever their values."""
    of = fields(crowd.known, [crowd.token, crowd.stage.host["access_token"]])

    @fuzzed
    @given(payload=right(message, of))
    def check(payload):
        answer = crowd.ask(message, payload)
        check_acknowledgement(message, answer)

    check()


@pytest.mark.parametrize("message", MESSAGES)
def test_wrong_messages(crowd, message):
    """A field missing, unknown or of another kind: refused, and the socket lives."""
    of = fields(crowd.known, [crowd.token])

    @fuzzed
    @given(case=bent(message, of))
    def check(case):
        how, payload = case
        answer = acknowledged_or_closed(crowd, message, [payload])
        if how != "other" and answer:
            assert (answer["ok"], answer["code"]) == (False, "request_invalid")

    check()


@pytest.mark.parametrize("message", MESSAGES)
def test_no_messages_at_all(crowd, message):
    """Any other argument, none, or several."""

    @fuzzed
    @given(arguments=st.one_of(anything.map(lambda it: [it]), st.lists(anything, max_size=3)))
    def check(arguments):
        answer = acknowledged_or_closed(crowd, message, arguments)
        assert not answer or (answer["ok"], answer["code"]) == (False, "request_invalid")

    check()


def acknowledged_or_closed(crowd, message, arguments):
    """The acknowledgement; None where the connection is closed for the packet's size or depth."""
    answer = crowd.ask(message, *arguments)
    if answer is None:
        size = len(json.dumps([message, *arguments]))
        assert size > MAX_MESSAGE_BYTES - 100 or is_deep(arguments), arguments
    else:
        check_acknowledgement(message, dict(answer))
    return answer


def is_deep(value: Any, limit: int = 90) -> bool:
    """Whether it is nested so deep that the parser may refuse it."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return limit == 0 or any(is_deep(it, limit - 1) for it in inner)


def test_unknown_messages(crowd):
    """Any other name: message_unknown, or for what the protocol keeps for itself the end."""

    @fuzzed
    @given(name=st.text(st.characters(codec="utf-8"), max_size=60), payload=anything)
    def check(name, payload):
        if name in MESSAGES:
            return
        answer = crowd.ask(name, payload)
        if answer is not None:
            assert (answer["ok"], answer["code"]) == (False, "message_unknown")

    check()


def test_packets_of_any_kind(crowd):
    """Text and binary, in and out of order, on a connection of their own, with a CONNECT or without."""

    @fuzzed
    @given(sent=packets(), let_in=st.booleans())
    def check(sent, let_in):
        crowd.look_around()
        socket = RawSocket(crowd._base_url, crowd.token if let_in else None)
        try:
            for packet in sent:
                socket.send(packet)
            socket.is_alive()
        except Closed:
            pass
        finally:
            socket.close()

    check()


def test_messages_without_acknowledgement(crowd):
    """They have their effect; nothing comes back for them."""
    session, question = crowd.known["quiz_session_id"][2], crowd.known["question_id"][0]
    socket = crowd.new()
    for payload in ({"quiz_session_id": session}, {}, None, 1):
        socket.send("42" + json.dumps(["enter_session", payload]))
    body = {"quiz_session_id": session, "question_id": question, "answer": 1, "answer_id": str(uuid4())}
    socket.send("42" + json.dumps(["update_score", body]))
    again = socket.ask("update_score", body)
    assert again["ok"] is True
    socket.close()


class Conversation(RuleBasedStateMachine):
    """Entering, leaving, asking and answering in any order, beside a model of what must come of it."""

    crowd: Crowd

    def __init__(self) -> None:
        super().__init__()
        stage = self.crowd.stage
        self.known = stage.prepare()
        self.session = self.known["quiz_session_id"][1]
        self.token = stage.guest["access_token"]
        self.socket = self.crowd.new()
        # By question: the answer_id and the first outcome.
        self.answered: dict[str, tuple[str, Any]] = {}
        self.board = ("", -1)

    def teardown(self) -> None:
        self.socket.close()
        self.crowd.look_around()

    @rule()
    def enter(self) -> None:
        self.keep_board(self.socket.ask("enter_session", {"quiz_session_id": self.session}))

    @rule()
    def leave(self) -> None:
        assert self.socket.ask("leave_session", {"quiz_session_id": self.session}) == {"ok": True}

    @rule(limit=st.integers(1, 1_000), around=st.sampled_from(["me", None]))
    def look(self, limit: int, around: str | None) -> None:
        payload = {"quiz_session_id": self.session, "limit": limit, "around": around}
        self.keep_board(self.socket.ask("get_leaderboard", payload))

    @rule()
    def renew(self) -> None:
        assert self.socket.ask("renew_token", {"token": self.token}) == {"ok": True}

    @rule()
    def reconnect(self) -> None:
        self.socket.close()
        self.socket = self.crowd.new()

    @rule(at=st.integers(0, 3), right=st.booleans())
    def answer(self, at: int, right: bool) -> None:
        question = self.known["question_id"][at]
        answer_id = str(uuid4())
        given = [[0, 1], [[0], [1, 3]], [False, True], ["warm", "cold"]][at][right]
        outcome = self.update(question, given, answer_id)
        if question in self.answered:
            assert (outcome["ok"], outcome["code"]) == (False, "question_already_answered")
        else:
            assert (outcome["ok"], outcome["correct"], outcome["score"] > 0) == (True, right, right)
            self.answered[question] = answer_id, outcome

    @rule(at=st.integers(0, 3))
    def answer_again(self, at: int) -> None:
        question = self.known["question_id"][at]
        if question in self.answered:
            answer_id, first = self.answered[question]
            assert self.update(question, [0, [0], False, "warm"][at], answer_id) == first

    @rule()
    def answer_elsewhere(self) -> None:
        body = {
            "quiz_session_id": self.known["quiz_session_id"][0],
            "question_id": self.known["question_id"][0],
            "answer": 1,
        }
        assert self.socket.ask("update_score", body)["code"] == "not_joined"
        assert self.socket.ask("enter_session", {"quiz_session_id": body["quiz_session_id"]})["code"] == "not_joined"

    @invariant()
    def messages_are_of_this_session(self) -> None:
        for _, payload in self.socket.messages:
            assert payload["quiz_session_id"] == self.session

    def update(self, question: str, answer: Any, answer_id: str) -> Any:
        body = {"quiz_session_id": self.session, "question_id": question, "answer": answer, "answer_id": answer_id}
        return self.socket.ask("update_score", body)

    def keep_board(self, board: Any) -> None:
        """Within an epoch versions never go back, and nobody has more than was acknowledged."""
        assert board["ok"] is True
        epoch, version = self.board
        if board["epoch"] == epoch:
            assert board["version"] >= version
        self.board = board["epoch"], board["version"]
        total = sum(outcome["score"] for _, outcome in self.answered.values())
        assert all(row["score"] <= total for row in board["rows"])


def test_conversations(crowd):
    """Any order of messages: each answer counts once, and what is told fits what was told before."""
    Conversation.crowd = crowd
    few = settings(
        fuzzed, max_examples=max(15, EXAMPLES // 10), stateful_step_count=25, phases=[Phase.generate, Phase.shrink]
    )
    run_state_machine_as_test(Conversation, settings=few)
