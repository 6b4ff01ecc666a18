"""After the game, and while it goes on: results for the host, to look at and to take away."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import IO, Annotated, Any

from litestar import Response, get
from litestar.params import Parameter
from litestar.response import Stream

from tiebreak.app_server.callers import identity_of
from tiebreak.app_server.results.csv_file import CSV
from tiebreak.app_server.results.export import Format
from tiebreak.app_server.results.file_name import attachment
from tiebreak.app_server.results.json_file import JSON
from tiebreak.app_server.results.reading import SessionResults
from tiebreak.app_server.results.views import Results
from tiebreak.app_server.results.workbook import XLSX
from tiebreak.app_server.routes.path_ids import session_id_of
from tiebreak.app_server.routes.quiz_sessions import existing
from tiebreak.database.pool import Pool
from tiebreak.database.quiz_sessions import QuizSession
from tiebreak.database.session_hosts import is_host
from tiebreak.errors import Refusal, Refused
from tiebreak.http_edge.bodies import StrictRequest
from tiebreak.http_edge.description import FACTS, Facts
from tiebreak.quiz.board_history import Moment

MAX_PARTICIPANTS = 1_000
CHUNK_BYTES = 256 * 1024
REFUSALS = (Refusal.SESSION_NOT_FOUND, Refusal.NOT_THE_HOST, Refusal.BUSY)


@get("/quiz-session/{quiz_session_id:str}/results", opt={FACTS: Facts(REFUSALS, content=Results)})
async def show_results(
    request: StrictRequest,
    quiz_session_id: str,
    pool: Pool,
    results: SessionResults,
    limit: Annotated[int, Parameter(ge=1, le=MAX_PARTICIPANTS)] = 200,
    offset: Annotated[int, Parameter(ge=0, le=1_000_000)] = 0,
) -> Response[bytes]:
    """What became of each question, and of a part of the participants, best first."""
    session = await hosted(request, quiz_session_id, pool)
    return Response(await results.part(session, limit=limit, offset=offset), media_type="application/json")


@get("/quiz-session/{quiz_session_id:str}/board-history", opt={FACTS: Facts(REFUSALS, content=list[Moment])})
async def show_board_history(
    request: StrictRequest, quiz_session_id: str, pool: Pool, results: SessionResults
) -> Response[bytes]:
    """How the top of the board stood: after each question of a live session, else at up to 60 moments."""
    session = await hosted(request, quiz_session_id, pool)
    return Response(await results.history(session), media_type="application/json")


@get("/quiz-session/{quiz_session_id:str}/results.json", opt={FACTS: Facts(REFUSALS, content=Results)})
async def download_json(request: StrictRequest, quiz_session_id: str, pool: Pool, results: SessionResults) -> Stream:
    """The results with all participants."""
    return await download(request, quiz_session_id, pool, results, JSON)


@get(
    "/quiz-session/{quiz_session_id:str}/results.csv",
    opt={FACTS: Facts(REFUSALS, media_type=CSV.media_type, content=str)},
)
async def download_csv(request: StrictRequest, quiz_session_id: str, pool: Pool, results: SessionResults) -> Stream:
    """A line for each answer.

    RFC 4180 in UTF-8, with a byte-order mark. What a spreadsheet would take for a formula begins with an apostrophe.
    """
    return await download(request, quiz_session_id, pool, results, CSV)


@get(
    "/quiz-session/{quiz_session_id:str}/results.xlsx",
    opt={FACTS: Facts(REFUSALS, media_type=XLSX.media_type, content=Any)},
)
async def download_workbook(
    request: StrictRequest, quiz_session_id: str, pool: Pool, results: SessionResults
) -> Stream:
    """A workbook: ranking, answers, questions."""
    return await download(request, quiz_session_id, pool, results, XLSX)


async def download(
    request: StrictRequest, quiz_session_id: str, pool: Pool, results: SessionResults, format_: Format
) -> Stream:
    session = await hosted(request, quiz_session_id, pool)
    file = await results.file(session, format_)
    headers = {
        "Content-Disposition": attachment(session.title, session.opened_at, format_.ending),
        "Content-Length": str(os.fstat(file.fileno()).st_size),
    }
    return Stream(chunks_of(file), media_type=format_.media_type, headers=headers)


async def chunks_of(file: IO[bytes]) -> AsyncIterator[bytes]:
    """A file's bytes, and then its end. One that nobody reads to its end is closed when it is forgotten."""
    with file:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk


async def hosted(request: StrictRequest, quiz_session_id: str, pool: Pool) -> QuizSession:
    """A session that the caller hosts. Raises Refused."""
    session = await existing(pool, session_id_of(quiz_session_id))
    if not await is_host(pool, session.id, identity_of(request).user_id):
        raise Refused(Refusal.NOT_THE_HOST)
    return session
