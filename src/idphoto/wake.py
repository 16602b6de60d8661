"""Bells that ring in every process of the server: something changed, look at the database.

A ring carries nothing but its topic. A lost one costs a poll interval, never a task, because whoever listens also looks
from time to time.

Between processes a ring is a datagram with the topic's name. The supervisor's :class:`WakeHub` makes a socket pair for
each child; a child inherits the receiving end of its own pair and the sending ends of all the others, whose numbers are
in the environment variable ``IDPHOTO_WAKE`` as ``receive:send,send,…``.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Mapping

VARIABLE = "IDPHOTO_WAKE"
_MAX_TOPIC_BYTES = 256
#: A channel that holds fewer datagrams has lost none: the kernel's shortest queue is 10 (net.unix.max_dgram_qlen).
_MAX_SURE = 9


class Bell:
    """What one listener waits on."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """End the present wait, or else the next one: a ring between a look and the wait after it is not missed."""
        self._rung.set()

    async def wait(self, timeout_s: float) -> bool:
        """Return at a ring, at once if it came since the last wait, or after ``timeout_s`` seconds; True for a ring."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._rung.wait()
        rung = self._rung.is_set()
        self._rung.clear()
        return rung


class Wake:
    """One process's end of all bells. To be used in one event loop and its thread."""

    def __init__(self, receiver: socket.socket | None = None, senders: tuple[socket.socket, ...] = ()) -> None:
        """Take over non-blocking datagram sockets; without any the bells ring in this process only."""
        self._receiver = receiver
        self._senders = senders
        self._bells: dict[str, set[Bell]] = {}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Wake:
        """Take over the inherited sockets; without the variable the bells ring in this process only."""
        value = environment.get(VARIABLE)
        if value is None:
            return cls()
        receive, _, send = value.partition(":")
        senders = tuple(socket.socket(fileno=int(fd)) for fd in send.split(",") if fd)
        return cls(socket.socket(fileno=int(receive)), senders)

    async def start(self) -> None:
        """Listen for the other processes."""
        if self._receiver is not None:
            asyncio.get_running_loop().add_reader(self._receiver, self._receive)

    async def close(self) -> None:
        """Stop listening and close the sockets."""
        if self._receiver is not None:
            asyncio.get_running_loop().remove_reader(self._receiver)
            self._receiver.close()
        for sender in self._senders:
            sender.close()

    @contextlib.contextmanager
    def listen(self, *topics: str) -> Iterator[Bell]:
        """Give a bell that rings for each of the topics while the context lasts."""
        bell = Bell()
        for topic in topics:
            self._bells.setdefault(topic, set()).add(bell)
        try:
            yield bell
        finally:
            for topic in topics:
                self._bells[topic].discard(bell)
                if not self._bells[topic]:
                    del self._bells[topic]

    def notify(self, topic: str) -> None:
        """Ring for a topic, of up to 256 bytes, in this process and in all others."""
        self._ring(topic)
        for sender in self._senders:
            # Of a full channel the other end knows that it may have lost a ring. A process that is gone needs none: it
            # looks at the database when it starts.
            with contextlib.suppress(BlockingIOError, ConnectionError):
                sender.send(topic.encode())

    def _ring(self, topic: str) -> None:
        for bell in self._bells.get(topic, ()):
            bell.ring()

    def _receive(self) -> None:
        if self._receiver is None:
            return
        topics: list[str] = []
        with contextlib.suppress(BlockingIOError):
            while True:
                topics.append(self._receiver.recv(_MAX_TOPIC_BYTES).decode())
        for topic in self._bells if len(topics) > _MAX_SURE else topics:
            self._ring(topic)


class WakeHub:
    """The socket pairs, held by the supervisor so that a restarted child gets the same ones again."""

    def __init__(self, count: int) -> None:
        """``count``: number of child processes."""
        self._pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(count)]
        for pair in self._pairs:
            for end in pair:
                end.setblocking(False)

    def env_for(self, index: int) -> str:
        """Return the value of ``IDPHOTO_WAKE`` for a child, counted from 0."""
        receive, *send = self.fds_for(index)
        return f"{receive}:{','.join(str(fd) for fd in send)}"

    def fds_for(self, index: int) -> tuple[int, ...]:
        """Return the descriptors to pass to a child: its receiving one, then its sending ones."""
        others = (sender for other, (_, sender) in enumerate(self._pairs) if other != index)
        return (self._pairs[index][0].fileno(), *(sender.fileno() for sender in others))

    def close(self) -> None:
        """Close all sockets."""
        for pair in self._pairs:
            for end in pair:
                end.close()
