"""The task and its life, without any input or output.

::

    QUEUED ──▶ PREPARING ──▶ (WAITING ──▶) PROCESSING ──▶ DONE
       │            │             │             │
       └────────────┴─────────────┴─────────────┴──▶ one of the failures, below zero

PREPARING is the download of an ``image_url`` or the decoding of an upload. WAITING is only seen between a
download and its processing. A task that is run again after a crash goes back to PREPARING; its ``attempt`` grows, and
whoever holds an older attempt can no longer write (fencing).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from idphoto.tasks.request import PhotoRequest


class State(IntEnum):
    """The states of the wire contract."""

    QUEUED = 0
    DONE = 1
    PREPARING = 2
    WAITING = 3
    PROCESSING = 4
    FAILED = -1
    NOT_STORED = -2
    DOWNLOAD_FAILED = -3
    TOO_LARGE = -5
    UNREADABLE = -7
    TIMED_OUT = -8

    @property
    def is_end(self) -> bool:
        """No further change will come."""
        return self is State.DONE or self < 0

    @property
    def detail(self) -> str:
        """The sentence for ``state_detail``."""
        return _DETAILS[self]


#: Values of the states of tasks that will still change.
UNFINISHED = tuple(state.value for state in State if not state.is_end)

_DETAILS = {
    State.QUEUED: "Queued",
    State.DONE: "Complete",
    State.PREPARING: "Preparing",
    State.WAITING: "Waiting",
    State.PROCESSING: "Processing",
    State.FAILED: "Processing failed",
    State.NOT_STORED: "The result could not be stored",
    State.DOWNLOAD_FAILED: "image_url could not be downloaded",
    State.TOO_LARGE: "The image is too large",
    State.UNREADABLE: "Not a readable image",
    State.TIMED_OUT: "Processing took too long",
}


class ReturnType(IntEnum):
    """How the result travels in a reply."""

    URL = 1
    BASE64 = 2
    BINARY = 3


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a task ended without a photo."""

    state: State
    code: str
    """Stable machine code, such as ``no_face``."""
    message: str

    @property
    def err_info(self) -> str:
        """The text of the wire field ``err_info``."""
        return f"{self.code}: {self.message}"


@dataclass(frozen=True, kw_only=True)
class SheetFiles:
    """A print sheet that a task produced."""

    image_key: str
    """Storage keys; their last parts are unguessable."""
    pdf_key: str
    photos: int
    width_mm: float
    height_mm: float


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a task produced."""

    result_key: str | None
    """Storage key of the file; its last part is unguessable. None: a check makes no file."""
    width: int
    height: int
    size_bytes: int
    foreground: tuple[int, int, int, int]
    """x, y, width, height of the person in the upright source, in pixels."""
    warnings: tuple[str, ...] = ()
    face: dict[str, Any] = field(default_factory=dict)
    """Head measures in the finished photo, for the extra wire key ``face``."""
    compliance: dict[str, Any] | None = None
    """The report, as the wire has it; None where no document was asked for."""
    sheet: SheetFiles | None = None
    cutout_key: str | None = None
    """Storage key of what re-rendering needs."""

    @property
    def public_keys(self) -> tuple[str, ...]:
        """Keys of the files that anybody may fetch who knows their names."""
        sheet = (self.sheet.image_key, self.sheet.pdf_key) if self.sheet else ()
        return (*((self.result_key,) if self.result_key else ()), *sheet)

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of all files."""
        return (*self.public_keys, *((self.cutout_key,) if self.cutout_key else ()))


@dataclass(frozen=True, kw_only=True)
class Task:
    """A row of the task table. Times are Unix seconds with a fraction; durations are milliseconds."""

    id: str
    """A UUID, version 4."""
    owner: str
    """Id of the API key that made it; nobody else sees the task."""
    request: PhotoRequest
    return_type: ReturnType
    public_url: str
    """Scheme, host and port under which this client reaches the server; result URLs start with it."""
    request_id: str
    image_url: str | None = None
    source_key: str | None = None
    """Storage key of the uploaded or downloaded source; None once it is deleted."""
    callback_url: str | None = None
    idempotency_key: str | None = None
    state: State = State.QUEUED
    progress: int = 0
    attempt: int = 0
    """Counts the times that processing was begun."""
    created_at: float
    processed_at: float | None = None
    """When processing last began."""
    completed_at: float | None = None
    download_ms: float = 0.0
    elapsed_ms: float = 0.0
    """Processing time of the successful attempt."""
    failure: Failure | None = None
    outcome: Outcome | None = None
    expires_at: float | None = None
    """Set at the end: row and files are deleted after this."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Storage keys of all files that belong to the task."""
        source = (self.source_key,) if self.source_key else ()
        return (*source, *(self.outcome.keys if self.outcome else ()))
