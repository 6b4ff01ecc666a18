"""The web client, built from web/ into static/: one page, whose script shows the screen of the address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from litestar import Request, Response, get, static_files
from litestar.datastructures import CacheControlHeader
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.response import File
from litestar.router import Router

from tiebreak.errors import Refusal
from tiebreak.http_edge.problems import problem_response

STATIC = Path(__file__).parent.parent / "static"
SCREENS = ["/", "/join/{pin:str}", "/play/{quiz_session_id:str}", "/host", "/host/{screen:path}"]
# What a script that got in all the same could not ask for.
UNUSED_FEATURES = ("camera", "display-capture", "geolocation", "microphone", "midi", "payment", "serial", "usb")
NOT_BUILT = "The web client is not built: run `make web`, then load this page again.\n"


def page_headers(frame_ancestors: str) -> dict[str, str]:
    """What the page may do, and who may show it in a frame: origins separated by commas, or nobody.

    Scripts, styles, fonts and requests are our own, in files. An origin's own WebSockets are 'self' too (CSP Level 3).
    """
    ancestors = " ".join(origin.strip() for origin in frame_ancestors.split(",") if origin.strip())
    return {
        "Cache-Control": "no-cache",
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
            "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors " + (ancestors or "'none'")
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED_FEATURES),
        "Referrer-Policy": "no-referrer",
    }


def web_client_routes(frame_ancestors: str = "", static: Path = STATIC) -> list[HTTPRouteHandler | Router]:
    """The page under every screen's address, and the files it loads. Without a build, a sentence that says so."""
    headers = page_headers(frame_ancestors)

    @get(SCREENS, include_in_schema=False, sync_to_thread=False)
    def page() -> Response[str]:
        index = static / "index.html"
        if not index.is_file():
            return Response(NOT_BUILT, status_code=503, media_type="text/plain")
        return Response(index.read_text(encoding="utf-8"), media_type="text/html", headers=headers)

    routes: list[HTTPRouteHandler | Router] = [page]
    if (static / "assets").is_dir():
        # The names of these files carry a digest of their content.
        forever = CacheControlHeader(max_age=31_536_000, public=True, immutable=True)
        routes.append(
            static_files.create_static_files_router(
                "/assets",
                [static / "assets"],
                cache_control=forever,
                # Names that no file system takes: a NUL, or far too long.
                exception_handlers={ValueError: no_such_file, OSError: no_such_file, HTTPException: no_such_file},
            )
        )
    if static.is_dir():
        routes += [root_file(path) for path in static.iterdir() if path.is_file() and path.name != "index.html"]
    return routes


def no_such_file(_: Request[Any, Any, Any], __: Exception) -> Response[bytes]:
    return problem_response(Refusal.ROUTE_NOT_FOUND)


def root_file(path: Path) -> HTTPRouteHandler:
    """A file beside the page, such as the icon."""

    @get(f"/{path.name}", include_in_schema=False, sync_to_thread=False)
    def serve_file() -> File:
        return File(path, content_disposition_type="inline", headers={"Cache-Control": "max-age=3600"})

    return serve_file
