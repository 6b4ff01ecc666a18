"""httptools and uvloop, and nothing else: `python -m bench.http.servers.bare SETTING`."""

from __future__ import annotations

import asyncio

import httptools
import uvloop

from bench.http.servers.parts import listening
from bench.http.servers.raw_asgi import REPLY

RESPONSE = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(REPLY), REPLY)


class Connection(asyncio.Protocol):
    """Answers every request alike."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._transport.write(RESPONSE)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Connection, sock=listening())
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
