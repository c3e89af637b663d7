# SPDX-License-Identifier: GPL-3.0-or-later
"""A TCP proxy that makes a good line bad. It runs as a process of its own, without the rest of the package."""

from __future__ import annotations

import argparse
import asyncio
import random
import socket
import struct
from dataclasses import dataclass

CHUNK = 64 * 1024
Piece = tuple[float, bytes]  # when it is due, and the data; no data is the end


@dataclass(frozen=True)
class Faults:
    """What the line does to a connection.

    latency: seconds added in each direction, without making the line narrower.
    drop: probability for each piece of data (at most 64 KiB) that the connection is reset there.
    reset_after: bytes to the client after which a connection is reset.
    stall_tls: connections are accepted, and nothing is ever answered.
    seed: makes the drops the same in each run.
    """

    latency: float = 0.0
    drop: float = 0.0
    reset_after: int | None = None
    stall_tls: bool = False
    seed: int = 0

    def arguments(self) -> list[str]:
        """The same as command-line arguments."""
        given = [f"--latency={self.latency}", f"--drop={self.drop}", f"--seed={self.seed}"]
        given += [] if self.reset_after is None else [f"--reset-after={self.reset_after}"]
        return [*given, "--stall-tls"] if self.stall_tls else given


class Line:
    """Accepts connections and passes data on, badly."""

    def __init__(self, target: int, faults: Faults) -> None:
        self._target = target
        self._faults = faults
        self._random = random.Random(faults.seed)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either side ends it."""
        try:
            if self._faults.stall_tls:
                while await reader.read(CHUNK):
                    pass
            else:
                await self._connect(reader, writer)
        except OSError:
            reset(writer)
        finally:
            writer.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass data on in both directions; raises ConnectionError where the line breaks."""
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target)
        there: asyncio.Queue[Piece] = asyncio.Queue(maxsize=1024)
        back: asyncio.Queue[Piece] = asyncio.Queue(maxsize=1024)
        parts = [
            asyncio.ensure_future(self._take(reader, there)),
            asyncio.ensure_future(self._deliver(there, server_writer, None)),
            asyncio.ensure_future(self._take(server_reader, back)),
            asyncio.ensure_future(self._deliver(back, writer, self._faults.reset_after)),
        ]
        try:
            ended = await asyncio.wait(parts, return_when=asyncio.FIRST_EXCEPTION)
            for part in ended[0]:
                part.result()
        finally:
            for part in parts:
                part.cancel()
            server_writer.close()

    async def _take(self, reader: asyncio.StreamReader, under_way: asyncio.Queue[Piece]) -> None:
        loop = asyncio.get_running_loop()
        while data := await reader.read(CHUNK):
            await under_way.put((loop.time() + self._faults.latency, data))
        await under_way.put((loop.time() + self._faults.latency, b""))

    async def _deliver(
        self, under_way: asyncio.Queue[Piece], writer: asyncio.StreamWriter, reset_after: int | None
    ) -> None:
        loop = asyncio.get_running_loop()
        sent = 0
        while True:
            due, data = await under_way.get()
            if (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
            if not data:
                writer.write_eof()
                return
            if self._random.random() < self._faults.drop:
                raise ConnectionResetError("dropped")
            if reset_after is not None and sent + len(data) > reset_after:
                writer.write(data[: reset_after - sent])
                await writer.drain()
                raise ConnectionResetError("enough bytes")
            sent += len(data)
            writer.write(data)
            await writer.drain()


def reset(writer: asyncio.StreamWriter) -> None:
    """End the connection with RST instead of FIN, as a broken line does."""
    connection = writer.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def serve(listen: int, target: int, faults: Faults) -> None:
    """Serve until killed."""
    server = await asyncio.start_server(Line(target, faults).accept, "127.0.0.1", listen)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Read the command line that `Faults.arguments` wrote."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", type=int, required=True)
    parser.add_argument("--target", type=int, required=True)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--drop", type=float, default=0.0)
    parser.add_argument("--reset-after", type=int)
    parser.add_argument("--stall-tls", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    faults = Faults(given.latency, given.drop, given.reset_after, given.stall_tls, given.seed)
    asyncio.run(serve(given.listen, given.target, faults))


if __name__ == "__main__":
    main()
