"""Feeds the parsers of what clients send with inputs that a coverage-guided fuzzer (atheris, libFuzzer) thinks up.

    uv run --with atheris python tests/fuzz/fuzz_parsers.py -max_total_time=300 [folder that keeps the inputs found]

It stops at the first input for which a parser raises anything but its own error, or breaks one of the promises checked
below, and writes that input to a file `crash-…`: run again with that file as the only argument to see the traceback.
All other arguments are libFuzzer's (https://llvm.org/docs/LibFuzzer.html#options). Needs Linux or macOS on CPython.
"""

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tiebreak.socket_adapter"]):
    from tiebreak.socket_adapter.engine_io import frames
    from tiebreak.socket_adapter.engine_io import packets as engine_packets
    from tiebreak.socket_adapter.socket_io import packets as socket_packets

LIMIT = 300
MAX_ATTACHMENTS = 3


def read_frames(chunks: list[bytes]) -> list[object]:
    """All messages, and the close code of a breach."""
    reader = frames.FrameReader(LIMIT)
    out: list[object] = []
    try:
        for chunk in chunks:
            reader.feed(chunk)
            while (message := reader.next()) is not None:
                assert len(message[1]) <= max(LIMIT, 125)
                out.append(message)
                if message[0] == frames.CLOSE:
                    code, reason = frames.parse_close(bytes(message[1]))
                    assert frames.close_frame(code, reason)[2:] == message[1]
    except frames.FrameInvalid as invalid:
        out.append(invalid.code)
    return out


def fuzz_frames(provider: atheris.FuzzedDataProvider) -> None:
    """The messages are the same however the bytes are cut."""
    size = provider.ConsumeIntInRange(1, 40)
    data = provider.ConsumeBytes(sys.maxsize)
    cut = [data[start : start + size] for start in range(0, len(data), size)]
    assert read_frames([data]) == read_frames(cut)


def fuzz_engine_packets(provider: atheris.FuzzedDataProvider) -> None:
    """Packets or PacketInvalid; text packets come back from what is encoded of them."""
    body = provider.ConsumeBytes(sys.maxsize)
    with suppress(engine_packets.PacketInvalid, UnicodeDecodeError):
        engine_packets.decode_packet(body.decode("utf-8", "surrogatepass"))
    try:
        packets = engine_packets.decode_payload(body, max_packets=8)
    except engine_packets.PacketInvalid:
        return
    assert len(packets) <= 8
    again = engine_packets.encode_payload(
        engine_packets.binary_for_polling(packet.data)
        if isinstance(packet.data, bytes)
        else (packet.type + packet.data).encode()
        for packet in packets
    )
    assert engine_packets.decode_payload(again, max_packets=8) == packets


def fuzz_socket_packets(provider: atheris.FuzzedDataProvider) -> None:
    """Packets or PacketInvalid; what is decoded can be encoded, and decoded to the same."""
    decoder = socket_packets.Decoder(max_attachments=MAX_ATTACHMENTS)
    for part in provider.ConsumeBytes(sys.maxsize).split(b"\0"):
        try:
            packet = decoder.add(part[1:] if part[:1] == b"\xff" else part.decode("utf-8", "replace"))
        except socket_packets.PacketInvalid:
            continue
        if packet is not None:
            check_comes_back(packet)


def check_comes_back(packet: socket_packets.Packet) -> None:
    """Encode a decoded packet and decode it."""
    text, attachments = socket_packets.encode(packet)
    decoder = socket_packets.Decoder(max_attachments=MAX_ATTACHMENTS)
    again = None
    try:
        for message in (text, *attachments):
            assert again is None
            again = decoder.add(message)
    except socket_packets.PacketInvalid:
        # Data that looks like a placeholder beside a true one cannot be told from it, the protocol has no escape.
        assert attachments
        assert text.count("_placeholder") > len(attachments)
        return
    assert again == packet or "_placeholder" in text


TARGETS: tuple[Callable[[atheris.FuzzedDataProvider], None], ...] = (
    fuzz_frames,
    fuzz_engine_packets,
    fuzz_socket_packets,
)


# To begin with, one for each target, which the last byte chooses: JSON is not found by chance.
SEEDS = (
    b"\x81\x81\0\0\0\0a\x01\x82\0\0\0\0\xe2\x82\x89\x80\0\0\0\0\x80\xfe\0\x7e\1\2\3\4\x88\x82\0\0\0\0\x03\xe8"
    + bytes([39, 0]),
    b"4a\x1e2probe\x1ebAQIDBA==\x1e6" + bytes([1]),
    b'2/a?x=1,12["a",{"b":[1.5e3,-2,true,null,"\\ud83d\\ude00"]}]\x000/a,{"t":"x"}\x004"no"\x0031[]' + bytes([2]),
    b'52-1["a",{"_placeholder":true,"num":1},{"b":[{"_placeholder":true,"num":0}]}]\0\xff0\0\xff1' + bytes([2]),
    b'2["a",' + b"[" * 99 + b"]" * 100 + bytes([2]),
)


def fuzz_one(data: bytes) -> None:
    """One input, for one of the parsers."""
    provider = atheris.FuzzedDataProvider(data)
    TARGETS[provider.ConsumeIntInRange(0, len(TARGETS) - 1)](provider)


if __name__ == "__main__":
    if (folder := Path(sys.argv[-1])).is_dir():
        for number, seed in enumerate(SEEDS):
            (folder / f"seed-{number}").write_bytes(seed)
    atheris.enabled_hooks.add("RegEx")
    atheris.Setup(sys.argv, fuzz_one)
    atheris.Fuzz()
