"""The process: opens its parts, serves, closes them in reverse order."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial

import httpx
from joserfc.jwk import KeySetSerialization
from prometheus_client import CollectorRegistry

from tiebreak.app_server.answer_lane import PATH, AnswerLane
from tiebreak.app_server.app import OUTAGES, http_app
from tiebreak.app_server.batches import AT_ONCE
from tiebreak.app_server.commands import Answers, Joins
from tiebreak.app_server.frozen_questions import FrozenQuestions
from tiebreak.app_server.healing import Healing
from tiebreak.app_server.host_limit import HostLimit
from tiebreak.app_server.images import Images
from tiebreak.app_server.join_limit import JoinLimit
from tiebreak.app_server.live.conductor import Conductor
from tiebreak.app_server.live.game_clock import GameClock
from tiebreak.app_server.live.latency import Latency
from tiebreak.app_server.live.my_results import MyResults
from tiebreak.app_server.live.presence import Presence
from tiebreak.app_server.live.progress import Progress
from tiebreak.app_server.live.telling import Telling
from tiebreak.app_server.nudge import Nudge
from tiebreak.app_server.plays import Plays
from tiebreak.app_server.results.reading import SessionResults
from tiebreak.app_server.revocations import Revocations
from tiebreak.app_server.room_members import RoomMembers
from tiebreak.app_server.routes.auth_forward import open_auth_client
from tiebreak.app_server.session_counts import CountedSessions
from tiebreak.app_server.session_ends import SessionEnds
from tiebreak.app_server.sockets import socket_server
from tiebreak.app_server.ticks import Ticks
from tiebreak.boards.audit import Auditor
from tiebreak.boards.care import BoardCare
from tiebreak.boards.reading import Boards
from tiebreak.boards.rebuild import Rebuilder
from tiebreak.cache.call_limits import CallLimits
from tiebreak.cache.incarnation import Incarnations
from tiebreak.cache.leaderboard import Leaderboards
from tiebreak.cache.limits import MissLimit
from tiebreak.cache.turns import Turns
from tiebreak.cache.wanted_boards import WantedBoards
from tiebreak.clock import SystemClock
from tiebreak.database.pool import can_write, open_pool, patiently
from tiebreak.errors import KeysUnavailable
from tiebreak.http_edge.health import Check, Doctor
from tiebreak.http_edge.lanes import LaneConnection
from tiebreak.http_edge.serving import serve
from tiebreak.metrics import AppServerMetrics, BoardMetrics, SocketMetrics, TokenMetrics
from tiebreak.redis_client import open_redis, when_it_answers
from tiebreak.settings import Settings, required
from tiebreak.socket_adapter.emitter import Emitter
from tiebreak.socket_adapter.garbage import tend_garbage
from tiebreak.socket_adapter.redis_streams.streams import RedisStreams
from tiebreak.socket_adapter.server import Limits
from tiebreak.tokens import Verifier


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Serve until `stop` is set. The database must have been migrated.

    Raises SettingsInvalid without TIEBREAK_DATABASE_URL and TIEBREAK_REDIS_URL, DatabaseUnavailable if Postgres
    does not answer at the start.
    """
    database_url = required(settings.database_url, "TIEBREAK_DATABASE_URL")
    redis_url = required(settings.redis_url, "TIEBREAK_REDIS_URL")
    clock = SystemClock()
    async with AsyncExitStack() as closing:
        pool = await open_pool(database_url, size=settings.database_pool_size, hot=AT_ONCE, plans="force_generic_plan")
        closing.push_async_callback(pool.close)
        redis = await open_redis(redis_url)
        closing.push_async_callback(redis.aclose)
        auth_client = open_auth_client(settings.auth_url)
        closing.push_async_callback(auth_client.aclose)

        registry = CollectorRegistry()
        leaderboards = Leaderboards(redis)
        emitter = Emitter(redis)
        ticks = Ticks(pool, emitter, clock)
        questions = FrozenQuestions(pool)
        nudge = Nudge(pool, clock)
        game_clock = GameClock(clock)
        latency = Latency()
        plays = Plays(pool, questions, game_clock.now_ms, credit_ms=latency.credit_ms)
        telling = Telling(pool, questions, emitter, game_clock, clock)
        session_ends = SessionEnds(questions, ticks, leaderboards)
        conductor = Conductor(pool, questions, telling, nudge, game_clock, clock, session_ends.ended)
        presence = Presence(redis, game_clock, clock)
        progress = Progress(pool, questions, emitter, conductor, presence, clock, ticks.known_servers)
        my_results = MyResults(pool, questions, clock)
        limits = CallLimits(redis, clock)
        answers = Answers(
            pool,
            plays,
            ticks,
            nudge,
            clock,
            AppServerMetrics(registry),
            limits.limit("answers", settings.limit_answers_per_minute),
            longest_queue=settings.limit_waiting_answers,
            on_live_answer=progress.answered,
        )
        board_metrics = BoardMetrics(registry)
        rebuilder = Rebuilder(pool, leaderboards, emitter, board_metrics)
        boards = Boards(pool, leaderboards, rebuilder)
        board_care = BoardCare(
            pool,
            rebuilder,
            Auditor(pool, leaderboards, clock),
            WantedBoards(redis),
            Incarnations(redis),
            Turns(redis),
            clock,
            board_metrics,
            audit_seconds=settings.audit_seconds,
        )
        verifier = Verifier(lambda: fetch_keys(auth_client), clock)
        revocations = Revocations(
            pool,
            clock,
            verifier,
            TokenMetrics(registry, verifier.count_remembered),
            token_seconds=settings.access_token_minutes * 60,
        )
        await patiently(revocations.read, seconds=10)
        healing = Healing(boards, ticks, clock)
        streams = RedisStreams(redis, on_gap=healing.gap)
        sockets = socket_server(
            origins=settings.origins,
            verifier=verifier,
            pool=pool,
            boards=boards,
            answers=answers,
            telling=telling,
            my_results=my_results,
            presence=presence,
            limits=Limits(settings.limit_sockets_per_address, settings.limit_sockets_per_user),
            clock=clock,
            adapter=streams.adapter,
            on_recovered=healing.back,
            outages=OUTAGES,
        )
        latency.measured_by(sockets.round_trip_seconds)
        SocketMetrics(registry, lambda: sockets.figures(streams.counts.of))
        checks: dict[str, Check] = {
            "database": partial(can_write, pool),
            "cache": redis.ping,
            "auth": verifier.ready,
        }
        app = http_app(
            {
                "pool": pool,
                "doctor": Doctor(checks, registry, stop),
                "leaderboards": leaderboards,
                "pin_misses": MissLimit(
                    redis,
                    clock,
                    name="pin",
                    per_minute=settings.limit_pin_misses_per_minute,
                    overall_per_minute=settings.limit_pin_misses_overall_per_minute,
                ),
                "join_limit": JoinLimit(
                    limits.limit("joins-of-user", settings.limit_joins_per_user_per_minute),
                    limits.limit("joins-of-address", settings.limit_joins_per_minute),
                ),
                "host_limit": HostLimit(limits.limit("hosts", settings.limit_host_calls_per_minute)),
                "presence": presence,
                "room_members": RoomMembers(sockets),
                "ticks": ticks,
                "questions": questions,
                "answers": answers,
                "joins": Joins(pool, ticks, clock, longest_queue=settings.limit_waiting_answers),
                "boards": boards,
                "counted_sessions": CountedSessions(pool, clock),
                "results": SessionResults(pool, questions),
                "images": Images(
                    pool,
                    limits.limit("images", settings.limit_images_per_minute),
                    most_per_user=settings.limit_images_kept,
                ),
                "verifier": verifier,
                "conductor": conductor,
                "session_ends": session_ends,
                "telling": telling,
                "my_results": my_results,
            },
            auth_client=auth_client,
            forward_auth=settings.forward_auth,
            frame_ancestors=settings.frame_ancestors,
        )
        await when_it_answers(streams.start, seconds=10)
        async with asyncio.TaskGroup() as group:
            background = [
                group.create_task(streams.run()),
                group.create_task(healing.run(sockets)),
                group.create_task(board_care.run()),
                group.create_task(verifier.run()),
                group.create_task(revocations.run(sockets.close_logins)),
                group.create_task(tend_garbage(sockets.count_opened, sockets.count_open)),
                group.create_task(ticks.run(sockets.count_in, sockets.count_servers)),
                group.create_task(nudge.run()),
                group.create_task(conductor.run()),
                group.create_task(presence.run(sockets.users_in)),
                group.create_task(progress.run()),
                group.create_task(limits.run()),
            ]
            lanes = {PATH: AnswerLane(verifier, answers, clock)}
            await serve(app, settings, stop, sockets, partial(LaneConnection, lanes=lanes, outages=OUTAGES))
            await streams.close()
            for task in background:
                task.cancel()
        await ticks.flush()


async def fetch_keys(client: httpx.AsyncClient) -> KeySetSerialization:
    """The auth server's public keys. Raises KeysUnavailable."""
    try:
        response = await client.get("/.well-known/jwks.json")
        response.raise_for_status()
        return response.json()
    except (httpx.HTTPError, ValueError) as error:
        raise KeysUnavailable(f"The auth server's keys cannot be read from {client.base_url}: {error}") from error
