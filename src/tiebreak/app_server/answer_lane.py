"""`POST /update-score` on a lane of its own (http_edge/lanes.py). It does what routes/answers.py does."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from tiebreak.app_server.commands import Answers, Outcome
from tiebreak.clock import Clock
from tiebreak.errors import Refusal, Refused
from tiebreak.http_edge.bodies import decode_body
from tiebreak.socket_adapter.messages import UpdateScore
from tiebreak.tokens import Remembered, Verifier, bearer_token

PATH = b"/update-score"
SCHEME = b"Bearer "


class AnswerLane:
    """Answers to questions, as Lane has it."""

    def __init__(self, verifier: Verifier, answers: Answers, clock: Clock) -> None:
        self._clock = clock
        self._verifier = verifier
        self._answers = answers
        self._decode = msgspec.json.Decoder(UpdateScore).decode
        self._encode = msgspec.json.Encoder().encode

    def caller_of(self, authorization: bytes | None) -> Remembered | None:
        # Whatever stands there: only a token that was verified as it is can be one that is remembered.
        token = authorization[len(SCHEME) :] if authorization and authorization.startswith(SCHEME) else None
        return self._verifier.recall(token) if token else None

    def begin(self, caller: Remembered, body: bytes, settle: Callable[[Outcome | Refusal | Exception], None]) -> bool:
        now_ms = self._clock.now_ms()
        identity = self._verifier.still_good(caller, now_ms)
        if identity is None or not body:
            return False
        begun = self._answers.begin(identity.user_id, decode_body(body, self._decode), settle, now_ms)
        if begun == "waiting":
            return True
        if isinstance(begun, Refusal):
            raise Refused(begun)
        return False

    def content_of(self, outcome: Outcome | Refusal | Exception) -> bytes:
        if isinstance(outcome, Outcome):
            return self._encode(outcome)
        raise Refused(outcome) if isinstance(outcome, Refusal) else outcome

    async def answer(self, authorization: bytes | None, body: bytes) -> bytes:
        identity = await self._verifier.verify(bearer_token((authorization or b"").decode("latin-1")))
        if isinstance(identity, Refusal):
            raise Refused(identity)
        if not body:
            raise Refused(Refusal.REQUEST_INVALID, "A JSON body is needed.")
        return self.content_of(await self._answers.submit(identity.user_id, decode_body(body, self._decode)))
