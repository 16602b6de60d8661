"""Logging for all processes: structlog's events and the libraries' own, as console lines or JSON, on stderr.

No photo, key or signed URL is ever logged: events carry ids, codes and counts, and tracebacks leave out the values of
local variables.
"""

from __future__ import annotations

import io
import logging
import sys
from typing import TYPE_CHECKING, Literal

import structlog

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer


class _LastingFile(io.RawIOBase):
    """Writes to a file descriptor, and says later how often it could not: a full disk or a closed pipe ends no process.

    Nothing is kept for later, so that a line that could not be written does not come up as an error of the next.
    """

    name = "log"

    def __init__(self, descriptor: int) -> None:
        self._file = io.FileIO(descriptor, "w", closefd=False)
        self._lost = 0

    def writable(self) -> bool:
        """Say that this is for writing."""
        return True

    def write(self, data: Buffer, /) -> int:
        """Write the data, or drop it."""
        view = bytes(data)
        is_told = not self._lost or self._try(b"%d lines of this log could not be written.\n" % self._lost)
        self._lost = 0 if is_told and self._try(view) else self._lost + 1
        return len(view)

    def _try(self, data: bytes) -> bool:
        try:
            while data:
                written = self._file.write(data)
                if not written:
                    return False
                data = data[written:]
        except OSError:
            return False
        return True


def configure(log_format: Literal["console", "json"]) -> None:
    """Set the log up for this process."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if log_format == "json":
        last: list[structlog.typing.Processor] = [
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    else:
        last = [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    file = _LastingFile(sys.stderr.fileno())
    stream = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", line_buffering=True)
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
    )
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
