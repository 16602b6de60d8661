"""A bell that rings in every process of the server: something changed, look at the database.

It carries nothing. A lost ring costs a poll interval, never a task, because whoever waits also looks from time to time.

Between processes a ring is a one-byte datagram. The supervisor's :class:`WakeHub` makes a socket pair for each child;
a child inherits the receiving end of its own pair and the sending ends of all the others, whose numbers are in the
environment variable ``IDPHOTO_WAKE`` as ``receive:send,send,…``.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Mapping

VARIABLE = "IDPHOTO_WAKE"


class Wake:
    """One process's end of the bell. To be used in one event loop and its thread."""

    def __init__(self, receiver: socket.socket | None = None, senders: tuple[socket.socket, ...] = ()) -> None:
        """Take over non-blocking datagram sockets; without any the bell rings in this process only."""
        self._receiver = receiver
        self._senders = senders
        self._bell = asyncio.Event()
        self._count = 0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Wake:
        """Take over the inherited sockets; without the variable the bell rings in this process only."""
        value = environment.get(VARIABLE)
        if value is None:
            return cls()
        receive, _, send = value.partition(":")
        senders = tuple(socket.socket(fileno=int(fd)) for fd in send.split(",") if fd)
        return cls(socket.socket(fileno=int(receive)), senders)

    @property
    def count(self) -> int:
        """How often it has rung here. Read it before looking at the database, pass it to :meth:`wait` after."""
        return self._count

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

    def notify(self) -> None:
        """Ring in this process and in all others."""
        self._ring()
        for sender in self._senders:
            # A full buffer has a ring pending, which does for this one too. A process that is gone needs none: it
            # looks at the database when it starts.
            with contextlib.suppress(BlockingIOError, ConnectionError):
                sender.send(b"\0")

    async def wait(self, timeout_s: float, *, since: int | None = None) -> None:
        """Return at the next ring or after ``timeout_s`` seconds.

        With ``since``, an earlier :attr:`count`: at once when it has rung since then.
        """
        if since is not None and since != self._count:
            return
        bell = self._bell
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await bell.wait()

    def _ring(self) -> None:
        # A new event for those who come later, so that all who wait now are woken and nobody has to reset anything.
        self._count += 1
        self._bell.set()
        self._bell = asyncio.Event()

    def _receive(self) -> None:
        if self._receiver is None:
            return
        # Take everything, for any number of pending bytes is one ring.
        with contextlib.suppress(BlockingIOError):
            while self._receiver.recv(1):
                pass
        self._ring()


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
