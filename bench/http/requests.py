"""The requests that the client sends, and the setting in which they are good."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import msgspec
from joserfc.jwk import RSAKey

from bench.answers.room import RIGHT, quiz_of
from bench.http.servers.parts import Setting
from tiebreak.auth_server.logins import Login
from tiebreak.auth_server.signing import KEY_BITS, AccessTokens
from tiebreak.clock import SystemClock
from tiebreak.ids import new_id
from tiebreak.quiz.model import QuestionId, QuizSessionId, UserId
from tiebreak.tokens import ALGORITHM

# What a browser sends to a server on another host.
HEAD = (
    "POST /update-score HTTP/1.1\r\nHost: quiz.example.com\r\nConnection: keep-alive\r\nContent-Length: {length}\r\n"
    'sec-ch-ua-platform: "Android"\r\nAuthorization: Bearer {token}\r\n'
    "User-Agent: Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Mobile Safari/537.36\r\n"
    "Content-Type: application/json\r\nAccept: */*\r\nOrigin: https://quiz.example.com\r\n"
    "Referer: https://quiz.example.com/play\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-GB,en;q=0.9,vi;q=0.8\r\n\r\n"
)


def write_requests(directory: Path, count: int) -> tuple[Path, Path]:
    """A file with so many players' requests, one after the other, and one with the setting."""
    key = RSAKey.generate_key(KEY_BITS, {"alg": ALGORITHM, "use": "sig"}, private=True, auto_kid=True)
    tokens = AccessTokens(key, SystemClock(), minutes=60)
    question_ids = [QuestionId(new_id()) for _ in range(10)]
    setting = Setting(
        keys={"keys": [key.as_dict(private=False)]},
        pem=key.as_pem(private=False).decode(),
        quiz_session_id=QuizSessionId(new_id()),
        questions=dict(zip(question_ids, quiz_of(10).questions, strict=True)),
    )
    bodies = [
        json.dumps(
            {
                "quiz_session_id": str(setting.quiz_session_id),
                "question_id": str(question_ids[number % 10]),
                "answer": RIGHT,
                "answer_id": str(new_id()),
            },
            separators=(",", ":"),
        )
        for number in range(count)
    ]
    requests = [
        HEAD.format(length=len(body), token=tokens.sign(Login(new_id(), UserId(UUID(int=number)), "guest", ""))) + body
        for number, body in enumerate(bodies)
    ]
    setting_file, requests_file = directory / "setting.json", directory / "requests"
    setting_file.write_bytes(msgspec.json.encode(setting))
    requests_file.write_text("".join(requests))
    return setting_file, requests_file
