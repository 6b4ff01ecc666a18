"""Ids: UUIDs like any other, in the order in which they were made."""

from __future__ import annotations

import pickle
from threading import Thread
from uuid import RFC_4122, UUID, SafeUUID

import msgspec
import pytest

from tiebreak.clock import SystemClock
from tiebreak.ids import id_of, new_id


def test_an_id_is_a_uuid() -> None:
    """The standard library's own, version 7, whole: it can be compared, shown, encoded and copied."""
    made = new_id()
    assert type(made) is UUID
    assert (made.version, made.variant, made.is_safe) == (7, RFC_4122, SafeUUID.unknown)
    for same in (UUID(str(made)), UUID(bytes=made.bytes), pickle.loads(pickle.dumps(made))):
        assert (same, hash(same), repr(same)) == (made, hash(made), repr(made))
    assert msgspec.json.decode(msgspec.json.encode(made), type=UUID) == made


def test_an_id_says_when_it_was_made() -> None:
    """Its first 48 bits are the milliseconds since the epoch."""
    before = SystemClock().now_ms()
    made = new_id()
    assert before <= made.int >> 80 <= SystemClock().now_ms()


def test_ids_rise() -> None:
    """However many there are in a millisecond: an index grows at its end."""
    made = [new_id() for _ in range(10_000)]
    assert made == sorted(set(made))


def test_ids_of_several_threads() -> None:
    """No two are the same."""
    made: list[UUID] = []
    threads = [Thread(target=lambda: made.extend(new_id() for _ in range(5_000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 20_000


def test_what_we_wrote():
    """Our own ids are read again, in either case."""
    id_ = new_id()
    assert id_of(str(id_)) == id_of(str(id_).upper()) == id_


@pytest.mark.parametrize(
    "text",
    [
        "",
        "01a2052e",
        "{01a220bd-07c2-722d-8886-40f7d654751}",
        "0-1-a-220bd07c2722d888640f7d65475123",
        "01a220bd07c2722d888640f7d6547512----",
        "0x01a220bd07c2722d888640f7d65475----",
        "01a2_0bd-07c2-722d-8886-40f7d6547512",
        " 1a220bd-07c2-722d-8886-40f7d6547512",
        "٠1a220bd-07c2-722d-8886-40f7d6547512",
        "01a220bd-07c2-722d-8886-40f7d6547512\n",
    ],
)
def test_what_is_no_id(text):
    """UUID() takes much for one that is not written as RFC 9562 has it; the interface says `format: uuid`."""
    assert id_of(text) is None
