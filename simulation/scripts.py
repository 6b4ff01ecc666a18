"""The cache's Lua scripts, word for word in Python; tests/simulation holds the two together on Valkey and Redis.

Values of a wrong type are left out: nothing but these scripts writes here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha1
from typing import Any, TypeAlias

from simulation.keyspace import Hash, Keyspace, ZSet
from tiebreak.cache.leaderboard import lua

SPAN = 2**32

Arguments: TypeAlias = Sequence[str]
ScriptCode: TypeAlias = Callable[[Keyspace, Arguments, Arguments], list[Any]]


def text(value: str | None) -> bytes | None:
    return None if value is None else value.encode()


def number(value: float) -> str:
    return f"{value:.0f}"


def state(data: Keyspace, keys: Arguments) -> str:
    board, answers, names, meta = keys
    known: Hash = data.get(meta)
    if (
        known.get("life") != data.life
        or known.get("answers") != str(len(data.get(answers)))
        or len(data.get(board)) != len(data.get(names))
        or bool(data.get(board)) != bool(data.get(answers))
    ):
        return "none"
    return "whole" if "whole" in known else "partial"


def begin(data: Keyspace, keys: Arguments, epoch: str) -> None:
    data.delete(*keys)
    epoch = f"{epoch}.{int(data.now() * 1_000_000):x}"
    data.collection(keys[3]).update(epoch=epoch, version="0", life=data.life, answers="0")


def add(data: Keyspace, keys: Arguments, arguments: Arguments) -> int:
    board_key, answers_key, names_key, meta_key = keys
    new = 0
    for at in range(0, len(arguments), 5):
        answer, participant, name, points_text, ms_text = arguments[at : at + 5]
        answers = data.collection(answers_key)
        if answer in answers:
            continue
        answers[answer] = ""
        new += 1
        points, ms = int(points_text), int(ms_text)
        total = reached = 0
        board: ZSet = data.collection(board_key)
        if (standing := board.get(participant)) is not None:
            total = int(standing) // SPAN
            reached = SPAN - 1 - (int(standing) - total * SPAN)
        if points > 0:
            total += points
            reached = max(reached, ms)
        board[participant] = float(total * SPAN + (SPAN - 1 - reached))
        data.collection(names_key)[participant] = name
    if new:
        meta = data.collection(meta_key)
        meta["answers"] = str(int(meta["answers"]) + new)
        meta["version"] = str(int(meta["version"]) + 1)
    return new


def keep(data: Keyspace, keys: Arguments, seconds: str) -> None:
    ttl = data.ttl(keys[3])
    for key in keys:
        data.expire(key, float(seconds) if ttl < 0 else ttl)


def apply(data: Keyspace, keys: Arguments, arguments: Arguments) -> list[Any]:
    if state(data, keys) == "none":
        begin(data, keys, arguments[0])
    new = add(data, keys, arguments[2:])
    keep(data, keys, arguments[1])
    now: Hash = data.get(keys[3])
    return [text(now["epoch"]), int(now["version"]), new, int("whole" in now)]


def begin_board(data: Keyspace, keys: Arguments, arguments: Arguments) -> list[Any]:
    if arguments[2] == "1" or state(data, keys) == "none":
        begin(data, keys, arguments[0])
    keep(data, keys, arguments[1])
    now: Hash = data.get(keys[3])
    return [text(now["epoch"]), int("whole" in now)]


def fill(data: Keyspace, keys: Arguments, arguments: Arguments) -> list[Any]:
    if state(data, keys) == "none" or data.get(keys[3]).get("epoch") != arguments[0]:
        return [0]
    add(data, keys, arguments[3:])
    if arguments[2] == "1":
        data.collection(keys[3])["whole"] = "1"
    keep(data, keys, arguments[1])
    return [1]


def read(data: Keyspace, keys: Arguments, arguments: Arguments) -> list[Any]:
    if state(data, keys) != "whole":
        return [None, 0, 0, 0, 0, [], []]
    board: ZSet = data.get(keys[0])
    names: Hash = data.get(keys[2])
    meta: Hash = data.get(keys[3])
    offset, limit, me = int(arguments[0]), int(arguments[1]), arguments[2]
    order = sorted(board.items(), key=lambda it: (it[1], it[0]), reverse=True)

    def rank_of(standing: float) -> int:
        return 1 + sum(other > standing for other in board.values())

    mine: list[Any] = []
    if me in board:
        mine = [rank_of(board[me]), text(me), text(number(board[me])), text(names.get(me, ""))]
        if arguments[3] == "1":
            offset = max(0, [it for it, _ in order].index(me) - limit // 2)
    page = order[offset : offset + limit]
    cells = [text(cell) for it, standing in page for cell in (it, number(standing), names.get(it, ""))]
    first_rank = rank_of(page[0][1]) if page else 0
    return [text(meta["epoch"]), int(meta["version"]), len(board), offset, first_rank, cells, mine]


def standings(data: Keyspace, keys: Arguments, _: Arguments) -> list[Any]:
    if state(data, keys) != "whole":
        return [0, [], []]
    board: ZSet = data.get(keys[0])
    names: Hash = data.get(keys[2])
    return [
        1,
        [text(cell) for it in sorted(board.items(), key=lambda it: (it[1], it[0])) for cell in (it[0], number(it[1]))],
        [text(cell) for it in names.items() for cell in it],
    ]


def wanted(data: Keyspace, keys: Arguments, arguments: Arguments) -> list[Any]:
    now = int(data.now() * 1000)
    queue: ZSet = data.collection(keys[0])
    found: list[Any] = []
    match arguments[0]:
        case "add":
            queue.update({session: float(now + at) for at, session in enumerate(arguments[1:])})
        case "take":
            until = float(now + int(arguments[2]))
            due = sorted((at, it) for it, at in queue.items() if at <= now)
            for _, session in due[: int(arguments[1])]:
                queue[session] = until
                found += [text(session), text(number(until))]
        case _:
            session = arguments[1]
            if session in queue and number(queue[session]) == arguments[2]:
                del queue[session]
    data.tidy(keys[0])
    return found


def incarnation(data: Keyspace, keys: Arguments, _: Arguments) -> list[Any]:
    seconds = data.now()
    now = number(int(seconds * 1000))
    known: Hash = data.collection(keys[0])
    if known.get("life") != data.life:
        moment = f"{int(seconds)}.{int(seconds * 1_000_000) % 1_000_000}"
        known.update(life=data.life, id=f"{data.life}@{moment}", since_ms=now)
    return [text(known["id"]), text(known["since_ms"]), text(now)]


def digest_of(*names: str) -> str:
    return sha1(lua(*names).encode(), usedforsecurity=False).hexdigest()


SCRIPTS: dict[str, tuple[str, ScriptCode]] = {
    digest_of("life.lua", "board.lua", "apply.lua"): ("apply", apply),
    digest_of("life.lua", "board.lua", "begin.lua"): ("begin", begin_board),
    digest_of("life.lua", "board.lua", "fill.lua"): ("fill", fill),
    digest_of("life.lua", "board.lua", "read.lua"): ("read", read),
    digest_of("life.lua", "board.lua", "standings.lua"): ("standings", standings),
    digest_of("wanted.lua"): ("wanted", wanted),
    digest_of("life.lua", "incarnation.lua"): ("incarnation", incarnation),
}
