"""Passwords as argon2id hashes (RFC 9106), made and checked in a few threads of their own."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

# Answers on the same machine come first: against a process that wants the processor too, a hash gets a tenth of it.
NICENESS = 10


class Passwords:
    """Hashes passwords, at most `at_once` at a time: a hash costs 64 MiB and a tenth of a second by intent.

    `argon2` carries the parameters, by default those that the library recommends.
    """

    def __init__(self, *, at_once: int, argon2: PasswordHasher | None = None) -> None:
        self._argon2 = argon2 or PasswordHasher()
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="password", initializer=be_nice)
        self._nobodys_hash = self._argon2.hash(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        """The hash to store, salt and parameters included."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._argon2.hash, password)

    async def is_right(self, password_hash: str | None, password: str) -> bool:
        """Whether the hash was made of this password.

        None, where no account has the e-mail, takes as long as a wrong password, so that the time of a
        refusal does not tell who has an account.
        """
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, self._verify, password_hash or self._nobodys_hash, password
        )

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._argon2.check_needs_rehash(password_hash)

    def close(self) -> None:
        """End the threads; what is not being hashed yet is dropped."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._argon2.verify(password_hash, password)
        except VerifyMismatchError:
            return False


def be_nice() -> None:
    """Lower this thread's priority, and that of the threads argon2 starts from it.

    Linux has a niceness for each thread; elsewhere it is the whole process's, which also lets guests in.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
