"""Signing of callbacks, and when to try one again.

Signatures follow the Standard Webhooks specification (https://www.standardwebhooks.com).
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from standardwebhooks import Webhook

#: Waits after the first, second, … failed try, in seconds, unless set otherwise.
RETRY_DELAYS_S = (5.0, 30.0, 120.0, 600.0, 3600.0, 21600.0)
_JITTER = 0.2
_MAX_RETRY_AFTER_S = 3600.0
_SECRET_BYTES = 32


class Signer:
    """Signs the bodies of callbacks.

    Args:
        secret: ``whsec_`` and 24 to 64 bytes in base64.

    Raises:
        ValueError: the secret is not that.
    """

    def __init__(self, secret: str) -> None:
        if not 24 <= len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64:
            raise ValueError("The secret is too short or too long.")
        self._webhook = Webhook(secret)

    def sign(self, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
        """Return the headers to send with a JSON body.

        Args:
            message_id: The same for every try, so that receivers can tell a repeat from news.
            at: When it is sent, with a time zone.
            body: UTF-8.
        """
        moment = at.astimezone(UTC)
        return {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": self._webhook.sign(message_id, moment, body.decode("utf-8")),
        }


def retry_delay(
    attempt: int, retry_after_s: float | None = None, *, delays_s: Sequence[float] = RETRY_DELAYS_S
) -> float | None:
    """Return how many seconds to wait after a failed try, or None to give up.

    Args:
        attempt: Number of the try that failed, 1 for the first.
        retry_after_s: What the receiver asked for; honoured up to an hour when it is longer than our own wait.
        delays_s: Seconds to wait after the first, second, … failed try; after one more the callback is given up.
    """
    if attempt > len(delays_s):
        return None
    # Spread by a fifth, so that receivers that were down do not get everything at the same moment.
    wait = delays_s[attempt - 1] * secrets.SystemRandom().uniform(1 - _JITTER, 1 + _JITTER)
    return max(wait, min(retry_after_s or 0.0, _MAX_RETRY_AFTER_S))


def load_or_create_secret(path: Path) -> str:
    """Return the signing secret kept in a file that only its owner can read; make one if there is none.

    Processes that start together end up with the same secret.

    Raises:
        OSError: the file cannot be read or written.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode('ascii')}\n")
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                path.hardlink_to(fresh)  # unlike a rename, this never replaces what another process was quicker to make
        finally:
            fresh.unlink()
    return path.read_text(encoding="ascii").strip()
