"""Hashing: bounded, and no cheaper for an unknown e-mail."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from typing import Literal

import pytest
from argon2 import PasswordHasher

from tiebreak.auth_server.passwords import NICENESS, Passwords


class QuickHasher(PasswordHasher):
    """Argon2id with the smallest costs, which notes the hashes it verifies."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - the library's name
        self.verified.append(str(hash))
        return super().verify(hash, password)


class GatedHasher(QuickHasher):
    """Verifies only while the gate is open, and knows how many wait at it."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.entered = threading.Semaphore(0)
        self.inside = 0
        self.most_inside = 0
        self._counting = threading.Lock()

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
        with self._counting:
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
        self.entered.release()
        self.gate.wait(timeout=10)
        with self._counting:
            self.inside -= 1
        return super().verify(hash, password)


@pytest.fixture
def hasher() -> QuickHasher:
    return QuickHasher()


@pytest.fixture
def passwords(hasher: QuickHasher) -> Iterator[Passwords]:
    passwords = Passwords(at_once=1, argon2=hasher)
    yield passwords
    passwords.close()


async def test_right_and_wrong_passwords(passwords: Passwords) -> None:
    """A hash fits the password it was made of and no other."""
    password_hash = await passwords.hash("correct horse")
    assert await passwords.is_right(password_hash, "correct horse")
    assert not await passwords.is_right(password_hash, "correct horsf")


async def test_a_hash_is_salted_argon2id(passwords: Passwords) -> None:
    """The same password never gives the same hash."""
    first, second = await passwords.hash("correct horse"), await passwords.hash("correct horse")
    assert first != second
    assert first.startswith("$argon2id$v=19$")


async def test_an_unknown_email_costs_a_verification(passwords: Passwords, hasher: QuickHasher) -> None:
    """Without an account a password is checked all the same, against a hash of equal cost, and is wrong."""
    assert not await passwords.is_right(None, "correct horse")
    real = await passwords.hash("correct horse")
    (dummy,) = hasher.verified
    assert dummy.split("$")[:4] == real.split("$")[:4]


async def test_old_parameters_are_outdated(passwords: Passwords) -> None:
    """A hash made with other costs asks to be renewed, one made with today's does not."""
    weaker = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash("correct horse")
    assert passwords.is_outdated(weaker)
    assert not passwords.is_outdated(await passwords.hash("correct horse"))


def test_recommended_parameters_by_default() -> None:
    """Unless told otherwise: RFC 9106's second recommended option, 64 MiB, 3 passes, 4 lanes."""
    passwords = Passwords(at_once=1)
    try:
        assert not passwords.is_outdated(PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4).hash("x"))
    finally:
        passwords.close()


async def test_at_most_so_many_at_once_and_the_loop_goes_on() -> None:
    """With two hashers and five passwords two are in work; the event loop is free meanwhile."""
    hasher = GatedHasher()
    passwords = Passwords(at_once=2, argon2=hasher)
    checks = [asyncio.create_task(passwords.is_right(None, "x")) for _ in range(5)]
    try:
        for _ in range(2):
            assert await asyncio.to_thread(hasher.entered.acquire, timeout=10)
        assert hasher.inside == 2
    finally:
        hasher.gate.set()
    assert await asyncio.gather(*checks) == [False] * 5
    assert hasher.most_inside == 2
    passwords.close()


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has a priority of its own on Linux only")
async def test_hashing_comes_last() -> None:
    """The threads that hash have a lower priority than everything else, the event loop among it."""
    niceness: list[int] = []

    class Noting(QuickHasher):
        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            niceness.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
            return super().hash(password, salt=salt)

    passwords = Passwords(at_once=1, argon2=Noting())
    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    await passwords.hash("correct horse")
    passwords.close()
    assert niceness[-1] >= before + NICENESS
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before
