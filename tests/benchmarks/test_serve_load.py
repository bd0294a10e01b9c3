"""The load generator of the serving benchmark: what it calls a latency begins when a request was due, not an interval before it was sent."""

import asyncio
import socket
import threading

import pytest


@pytest.fixture(scope="module")
def serve_load(bench):
    pytest.importorskip("uvloop")
    return bench("live", "serve_load")


@pytest.fixture
def echo():
    """The port of a server that answers everything at once."""

    async def answer(reader, writer):
        while head := await reader.read(4096):
            assert head.startswith(b"POST")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    loop, ready = asyncio.new_event_loop(), threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(asyncio.start_server(answer, sock=listening))
        ready.set()
        loop.run_forever()
        server.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    ready.wait(10)
    yield listening.getsockname()[1]
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    listening.close()


def test_in_an_open_loop_each_request_is_sent_when_it_is_due(serve_load, echo):
    told = serve_load.load(echo, [b"x"], rate=10.0, seconds=1.5, connections=4)
    assert len(told.seconds) == 15 and not told.others
    assert (
        told.quantile(0.5, told.behind) < 50.0
    )  # of the 100 ms between two of them; they went out a whole interval late


def test_in_a_closed_loop_whoever_is_answered_asks_again(serve_load, echo):
    told = serve_load.load(echo, [b"x"], seconds=0.5, connections=2)
    assert len(told.seconds) > 10 and told.late == 0
