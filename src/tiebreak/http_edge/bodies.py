"""Request bodies, decoded strictly into the type that the route handler declares."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import msgspec
from litestar import Request

from tiebreak.errors import Refusal, Refused

LARGEST_BODY_BYTES = 64 * 1024
# The one route that takes more than JSON (app_server/routes/images.py).
LARGEST_IMAGE_BYTES = 2 * 1024 * 1024

Body = TypeVar("Body")


def decode_body(body: bytes, decode: Callable[[bytes], Body]) -> Body:
    """JSON by `decode` of a msgspec decoder: no type is bent, no unknown field let through.

    Raises Refused: JSON_MALFORMED where it is no JSON, REQUEST_INVALID where it is another shape.
    """
    try:
        return decode(body)
    except msgspec.ValidationError as error:
        raise Refused(Refusal.REQUEST_INVALID, str(error)) from error
    except RecursionError as error:
        raise Refused(Refusal.JSON_MALFORMED, "The JSON is nested too deeply.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(Refusal.JSON_MALFORMED, str(error)) from error


class StrictRequest(Request[Any, Any, Any]):
    """Litestar's own decoding bends types ("1" for 1, 1 for true); answers must mean what was sent."""

    async def json(self) -> Any:  # noqa: ANN401 - the type of the base class
        expected = self.route_handler.parsed_fn_signature.parameters["data"].annotation
        return decode_body(await self.body(), partial(msgspec.json.decode, type=expected))
