"""A client as it should be: what broke or was refused for a moment is sent again under its Idempotency-Key."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import requests

from chaos.ledger import Ledger, Seen
from chaos.plan import RECIPES, Order, Way, Wish
from tests.running import Server

PATIENCE_S = 180.0
#: Longer than the server lets anybody wait for its locks.
_TIMEOUT_S = 60.0
_PAUSE_S = 0.3


@dataclass(frozen=True, kw_only=True)
class Client:
    """Sends orders and asks for tasks; to be used by several threads."""

    server: Server
    ledger: Ledger
    photos: Mapping[str, bytes]
    site_url: str
    callback_url: str

    def send(self, order: Order) -> None:
        """Send an order until it is acknowledged, and once more if the plan says so."""
        fields, photo, wish = self._fill_in(order)
        for _ in range(2 if order.repeat else 1):
            asked_at = time.monotonic()
            answer = self._insist(lambda: self._post(order, fields, photo), f"order {order.number}")
            if answer is None:
                return
            self.ledger.acknowledge(order, wish, answer["data"], asked_at=asked_at)

    def ask(self, seen: Seen) -> None:
        """Poll a task once; a failed poll is counted, for the next one will tell."""
        asked_at = time.monotonic()
        try:
            answer = requests.get(
                f"{self.server.url}/task/{seen.task_id}", headers=self.server.headers, timeout=_TIMEOUT_S
            )
        except requests.Timeout:
            self.ledger.accuse(f"a poll hung for {_TIMEOUT_S:g} s")
        except requests.RequestException:
            self.ledger.count("polls: connection broken")
        else:
            if answer.status_code == 200:
                self.ledger.tell(seen, answer.json()["data"], asked_at=asked_at)
            else:
                self._judge_refusal(answer, f"poll of {seen.task_id}")

    def _fill_in(self, order: Order) -> tuple[dict[str, str], bytes | None, Wish]:
        """Return fields, photo, and the wish as it is sent."""
        fields = {**RECIPES[order.wish.recipe], "callback_url": self.callback_url}
        fields["sync"] = "1" if order.sync else "0"
        if order.way is Way.URL:
            return {**fields, "image_url": f"{self.site_url}/{order.wish.photo}"}, None, order.wish
        base = self._await_base(order.base) if order.base is not None else None
        if base is not None:
            return {**fields, "last_id": base}, None, order.wish
        if order.way is Way.AGAIN:
            self.ledger.count("last_id: the earlier task was spoilt by faults, photo sent instead")
        return fields, self.photos[order.wish.photo], replace(order.wish, again=False)

    def _await_base(self, number: int) -> str | None:
        """Return the image_id of an earlier order once it has ended, None when it has none."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            seen = self.ledger.find(number)
            if seen is not None and seen.end is not None:
                return seen.end["image_id"] or None
            time.sleep(_PAUSE_S)
        return None

    def _post(self, order: Order, fields: dict[str, str], photo: bytes | None) -> requests.Response:
        parts: dict[str, Any] = {name: (None, value) for name, value in fields.items()}
        if photo is not None:
            parts["image_file"] = (order.wish.photo, photo)
        headers = {**self.server.headers, "Idempotency-Key": f"order-{order.number}"}
        url = f"{self.server.url}/task/pic/idphoto"
        return requests.post(url, files=parts, headers=headers, timeout=_TIMEOUT_S)

    def _insist(self, send: Callable[[], requests.Response], what: str) -> dict[str, Any] | None:
        """Repeat a call until it is accepted; None when it never is."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                answer = send()
            except requests.Timeout:
                self.ledger.accuse(f"{what} hung for {_TIMEOUT_S:g} s")
            except requests.RequestException:
                self.ledger.count("create calls: connection broken, sent again")
            else:
                if answer.status_code == 200:
                    body: dict[str, Any] = answer.json()
                    return body
                if not self._judge_refusal(answer, what):
                    return None
            time.sleep(_PAUSE_S)
        self.ledger.accuse(f"{what} was not accepted within {PATIENCE_S:g} s")
        return None

    def _judge_refusal(self, answer: requests.Response, what: str) -> bool:
        """Note a reply other than 200; tell whether the client may try again."""
        try:
            body = answer.json()
            is_envelope = body["status"] == answer.status_code and bool(body["message"]) and bool(body["error"]["code"])
        except (requests.JSONDecodeError, KeyError, TypeError):
            is_envelope = False
        if not is_envelope:
            self.ledger.accuse(f"{what}: {answer.status_code} without an envelope: {answer.text[:200]!r}")
        if answer.status_code == 429 or answer.status_code >= 500:
            self.ledger.count(f"replies {answer.status_code}")
            return True
        self.ledger.accuse(f"{what}: {answer.status_code} {answer.text[:300]}")
        return False


class Watcher:
    """Polls unfinished tasks, and now and then finished ones, until it is stopped."""

    _EVERY_S = 0.3
    _FINISHED_AT_ONCE = 3

    def __init__(self, client: Client) -> None:
        self._client = client
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to poll."""
        self._thread.start()

    def stop(self) -> None:
        """Return when the last poll is over."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        turn = 0
        while not self._stop.wait(self._EVERY_S):
            tasks = self._client.ledger.list_tasks()
            finished = [seen for seen in tasks if seen.end is not None]
            again = [finished[(turn + n) % len(finished)] for n in range(min(self._FINISHED_AT_ONCE, len(finished)))]
            turn += len(again)
            for seen in [*again, *(seen for seen in tasks if seen.end is None)]:
                self._client.ask(seen)
