"""The load generator against a tiny server: it counts what came back, and the meter sees the server's CPU."""

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator

import psutil
import pytest

from benchmarks.load import drive
from benchmarks.meter import Meter
from benchmarks.wire import Connection, Request

ANSWERS = {
    b"/api/fine": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"/api/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3\r\n!!!\r\n0\r\n\r\n",
    b"/api/busy": b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
}
FINE, CHUNKED, BUSY, GONE = (Request("GET", f"/{name}") for name in ("fine", "chunked", "busy", "gone"))


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        await reader.readuntil(b"\r\n\r\n")
        answer = ANSWERS.get(line.split()[1])
        if answer is None:
            break
        writer.write(answer)
    writer.close()


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """The port of a server that knows three paths and hangs up on all others."""
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_answers_are_read_whole(port: int) -> None:
    """With a length and in chunks, one after the other on one connection."""
    async with Connection("127.0.0.1", port, "/api") as connection:
        assert await connection.send(FINE) == (200, b"ok")
        assert await connection.send(CHUNKED) == (200, b"ok!!!")
        assert await connection.send(FINE) == (200, b"ok")


async def test_only_expected_statuses_are_accepted(port: int) -> None:
    """A 503 is counted apart, with its status."""
    async with Connection("127.0.0.1", port, "/api") as connection:
        tally = await drive([connection], iter([FINE, BUSY, BUSY, FINE, FINE]), seconds=5)

    assert tally.accepted == 3
    assert tally.refused == {503: 2}


async def test_a_server_that_hangs_up_is_refusing(port: int) -> None:
    """A broken connection counts as an answer that was not given, and the next request connects again."""
    async with Connection("127.0.0.1", port, "/api") as connection:
        tally = await drive([connection], iter([FINE, GONE, FINE]), seconds=5)

    assert tally.accepted == 2
    assert tally.refused == {0: 1}


async def test_a_batch_ends_with_its_time(port: int) -> None:
    """Requests without an end stop at the deadline, on all connections."""
    async with Connection("127.0.0.1", port, "/api") as one, Connection("127.0.0.1", port, "/api") as other:
        tally = await drive([one, other], itertools.repeat(FINE), seconds=0.05)

    assert tally.accepted > 2
    assert not tally.refused


async def test_a_batch_ends_with_a_whole_cycle(port: int) -> None:
    """A mix of requests is answered evenly, and a stream that must be finished is, whatever the time."""
    async with Connection("127.0.0.1", port, "/api") as connection:
        even = await drive([connection], itertools.cycle([FINE, BUSY, FINE, CHUNKED]), seconds=0, cycle=4)
        all_of_it = await drive([connection], iter([FINE] * 25), seconds=0, cycle=1_000_000)

    assert (even.accepted, even.refused) == (3, {503: 1})
    assert all_of_it.accepted == 25


async def test_the_meter_counts_the_whole_tree_of_processes() -> None:
    """CPU of a child that has ended is still the server's."""
    burn = "sum(range(6_000_000))"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}]); {burn}; print(1); input()"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    await process.stdout.readline()
    meter, alone = Meter(process.pid), psutil.Process(process.pid).cpu_times()
    try:
        assert meter.cpu_seconds() >= alone.children_user + alone.user
        assert alone.children_user > 0
        assert meter.resident_bytes() > 1_000_000
    finally:
        process.kill()
        await process.wait()
