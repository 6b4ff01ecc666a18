"""What the HTTP fuzz plays with: callers, and things that exist, so that cases get beyond 401 and 404."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx

from tests.client import QUESTIONS as FOUR_TYPES
from tests.pictures import picture

PASSWORD = "correct horse battery"
SESSIONS = 5
QUESTIONS = [
    *FOUR_TYPES,
    {"type": "order", "prompt": "By size.", "choices": ["fox", "whale", "ant"], "answer": [2, 0, 1]},
    {"type": "numeric", "prompt": "Normal body heat?", "answer": 36.6, "tolerance": 0.4, "explanation": "In °C."},
    {"type": "poll", "prompt": "How was it?", "choices": ["good", "bad"]},
    {"type": "word_cloud", "prompt": "In a word?"},
    {"type": "info", "prompt": "Have a break."},
]


class Stage:
    """A host with a quiz and sessions, whom any run may use and wear out."""

    def __init__(self, base_url: str) -> None:
        self._http = httpx.Client(base_url=base_url, timeout=60)
        self.email = f"{uuid4()}@example.org"
        self.host = self._call("/auth/register", {"email": self.email, "password": PASSWORD, "name": "Host"})
        self.guest = self._call("/auth/guest", {"name": "Guest"})

    def prepare(self) -> dict[str, list[str]]:
        """Ids that exist, by their names in the interface."""
        quiz = self._call("/quizzes", {"title": "A quiz", "questions": QUESTIONS}, self.host)
        image = self._send("/images", picture(), self.host)
        opening = {"quiz_id": quiz["quiz_id"], "mode": "self_paced"}
        opened = [self._call("/quiz-session", opening, self.host) for _ in range(SESSIONS)]
        live = self._call("/quiz-session", {**opening, "mode": "live", "teams": ["Red", "Blue"]}, self.host)
        joined = [
            self._call(f"/quiz-session/{session['quiz_session_id']}/join", {}, caller)
            for session in opened[1:]
            for caller in (self.guest, self.host)
        ]
        joined.append(self._call(f"/quiz-session/{live['quiz_session_id']}/join", {}, self.guest))
        opened.append(live)
        return {
            "quiz_id": [quiz["quiz_id"]],
            "image_id": [image["image_id"]],
            "question_id": quiz["question_ids"],
            "quiz_session_id": [it["quiz_session_id"] for it in opened],
            "quiz_session_participant_id": [it["quiz_session_participant_id"] for it in joined],
            "user_id": [self.host["user_id"], self.guest["user_id"]],
            "pin": [it["pin"] for it in opened],
        }

    def token(self, identity: str) -> str:
        """A new log-in's access token: of the stage's host, or of its guest, who can have one only."""
        if identity == "host":
            return self._call("/auth/login", {"email": self.email, "password": PASSWORD})["access_token"]
        self.guest = self._call("/auth/refresh", {"refresh_token": self.guest["refresh_token"]})
        return self.guest["access_token"]

    def throwaway_token(self) -> str:
        """For a request that ends its log-in."""
        return self._call("/auth/guest", {"name": "Leaver"})["access_token"]

    def _call(self, path: str, body: dict[str, Any], caller: dict[str, Any] | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {caller['access_token']}"} if caller else {}
        return self._kept(path, self._http.post(path, json=body, headers=headers))

    def _send(self, path: str, content: bytes, caller: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {caller['access_token']}", "Content-Type": "image/png"}
        return self._kept(path, self._http.post(path, content=content, headers=headers))

    def _kept(self, path: str, response: httpx.Response) -> dict[str, Any]:
        assert response.status_code in (200, 201), f"{path}: {response.status_code} {response.text}"
        return response.json()
