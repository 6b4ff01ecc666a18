"""The description of the whole interface: ours, and that of the auth server that runs beside us."""

from __future__ import annotations

import httpx
import msgspec
from litestar import Litestar

from tiebreak import __version__
from tiebreak.errors import Refusal, Refused
from tiebreak.http_edge.description import JsonObject, describe, joined
from tiebreak.http_edge.links import add_links

ABOUT = """Live quizzes with a leaderboard that is never wrong.

Errors are problem documents (RFC 9457) with a stable `code`; unknown fields of a body are refused. Times are
milliseconds since the Unix epoch. Beside what is listed: 405 for other methods, 404 for other addresses, 429 from the
gateway, and, before a request is understood, 400, 408 (its head took more than 5 s, or its body more than 20 s) and
431 (its head is larger than 32 KB). A 500 (`internal`) is always our fault. `/readyz` and `/metrics` are for operators:
a gateway does not pass them on. The socket messages are in docs/messages.md.
"""


class Descriptions:
    """Asks the auth server once, and keeps the answer: an auth server updated alone shows after our next start."""

    def __init__(self, auth_client: httpx.AsyncClient) -> None:
        self._auth_client = auth_client
        self._document: bytes | None = None

    async def document(self, app: Litestar) -> bytes:
        """OpenAPI 3.1, as JSON. Raises Refused(UNAVAILABLE) while the auth server has not been heard."""
        if self._document is None:
            ours = describe(app, title="Tiebreak", version=__version__, description=ABOUT)
            document = joined(ours, await self._of_auth_server())
            add_links(document)
            self._document = msgspec.json.encode(document)
        return self._document

    async def _of_auth_server(self) -> JsonObject:
        try:
            response = await self._auth_client.get("/auth/openapi.json")
            response.raise_for_status()
            return response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Refused(Refusal.UNAVAILABLE, "The auth server does not answer.") from error
