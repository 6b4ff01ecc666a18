"""How this process logs: structlog's events and those of libraries, all on standard error.

For people when it is a terminal, otherwise one JSON object per line.
"""

from __future__ import annotations

import io
import logging
import re
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, Processor

from tiebreak.errors import SettingsInvalid

LEVELS = ("debug", "info", "warning", "error")
# What moves a terminal's cursor, rings its bell or begins another line. JSON escapes it by itself.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
ONE_LINE_PER_REQUEST = ("httpx", "httpcore")


def set_up_log_output(process: str, level: str) -> None:
    """Call once, first thing in a process. Raises SettingsInvalid for an unknown level."""
    if level.lower() not in LEVELS:
        raise SettingsInvalid(f"TIEBREAK_LOG_LEVEL must be one of {', '.join(LEVELS)}, not {level!r}.")
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            *shared,
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering(sys.stderr.isatty())],
            foreign_pre_chain=shared,
        )
    )
    logging.basicConfig(handlers=[handler], level=number, force=True)
    for chatty in ONE_LINE_PER_REQUEST:
        logging.getLogger(chatty).setLevel(max(number, logging.WARNING))
    structlog.contextvars.bind_contextvars(process=process)


def rendering(for_people: bool) -> list[Processor]:
    """The last steps of an event on its way out."""
    if for_people:
        return [escaped, structlog.dev.ConsoleRenderer(exception_formatter=plain_escaped_traceback)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]


def escaped(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Texts that people have sent us stay in their line."""
    return {name: without_controls(value) if isinstance(value, str) else value for name, value in event.items()}


def plain_escaped_traceback(output: TextIO, exc_info: ExcInfo) -> None:
    """Plain: the default prints the local variables of each frame, passwords among them. Indented: none of its lines is
    an event's, whatever an error says."""
    written = io.StringIO()
    structlog.dev.plain_traceback(written, exc_info)
    output.write("\n".join("  " + without_controls(line) for line in written.getvalue().split("\n")))


def without_controls(text: str) -> str:
    """The text with every control character spelled out."""
    return CONTROL.sub(lambda found: ascii(found.group())[1:-1], text)
