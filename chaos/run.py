"""One run: a quiet server to learn from, then the plan against another one, then the verdict."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from standardwebhooks import Webhook, WebhookVerificationError

from chaos.client import Client, Watcher
from chaos.disk import open_disk
from chaos.expected import learn_results
from chaos.faults import ServerFaults, Stagehand, spoil_receiver
from chaos.ledger import Ledger
from chaos.photos import make_photos
from chaos.plan import LEASE_S, Plan
from chaos.receiver import MoodyReceiver
from chaos.verdict import await_empty_queue, await_ends, check_callbacks, check_data_folder, check_results
from tests.running import Server, run_receiver

_WORKERS = 2
_CLIENTS = 8
#: Orders on their way at a time. Faults come between orders, so that with more of them most of the work would be done
#: after the last fault.
_OPEN_ORDERS = 14
_SAY_EVERY_S = 5.0
_PAUSE_S = 0.05
_SETTINGS = {
    "IDPHOTO_LEASE_S": f"{LEASE_S:g}",
    "IDPHOTO_SYNC_WAIT_S": "8",
    "IDPHOTO_RESULT_TTL_S": "7200",
    # The usual waits, cut down: the same number of tries would end before the receiver's bad phases do.
    "IDPHOTO_CALLBACK_RETRY_S": ",".join(["0.5", "1", "2", *["3"] * 40]),
}


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a run was like."""

    disk: str
    """How the disk was filled."""
    ledger: Ledger
    seconds: float
    output: tuple[str, ...]
    """The server's."""


def run(plan: Plan, folder: Path, *, mount: bool) -> Report:
    """Carry a plan out in an empty folder.

    Args:
        mount: fill a file system of the run's own if that is permitted, instead of limiting the processes.
    """
    started = time.monotonic()
    photos = make_photos()
    with run_receiver() as site:
        site.files.update({f"/{name}": (200, data) for name, data in photos.items()})
        quiet = Server(folder / "quiet", _SETTINGS, workers=_WORKERS).start()
        try:
            expected = learn_results(quiet, plan.wishes, photos, site.url)
        finally:
            quiet.stop()
        print(f"  {len(expected)} different wishes tried in peace", flush=True)
        data_dir = folder / "data"
        with open_disk(data_dir, mount=mount) as disk:
            server = Server(data_dir, _SETTINGS, workers=_WORKERS, port=_find_port())
            ledger = Ledger()
            server.start()
            try:
                with MoodyReceiver(ledger, partial(_verify, data_dir)) as receiver:
                    client = Client(
                        server=server,
                        ledger=ledger,
                        photos=photos,
                        site_url=site.url,
                        callback_url=f"{receiver.url}/callback",
                    )
                    _disturb(plan, client, receiver, ServerFaults(server, disk, ledger))
                    await_empty_queue(data_dir / "idphoto.db", ledger)
                    check_results(ledger, expected)
                    check_callbacks(ledger)
            finally:
                code = server.stop()
            if code != 0:
                ledger.accuse(f"the server ended with exit code {code} after SIGTERM")
            check_data_folder(data_dir, ledger)
    return Report(disk=disk.name, ledger=ledger, seconds=time.monotonic() - started, output=tuple(server.output))


def _disturb(plan: Plan, client: Client, receiver: MoodyReceiver, server_faults: ServerFaults) -> None:
    """Send all orders among all faults, and wait until every task has ended."""
    ledger, server_hand, receiver_hand = client.ledger, Stagehand(), Stagehand()
    acts: list[tuple[int, Stagehand, Callable[[], None]]] = [
        *((fault.before, server_hand, partial(server_faults.do, fault)) for fault in plan.server_faults),
        *(
            (fault.before, receiver_hand, partial(spoil_receiver, receiver, ledger, fault))
            for fault in plan.receiver_faults
        ),
    ]
    watcher = Watcher(client)
    watcher.start()
    stop = threading.Event()
    speaker = threading.Thread(target=_speak, args=(plan, ledger, stop), daemon=True)
    speaker.start()
    try:
        with ThreadPoolExecutor(_CLIENTS) as pool:
            sent: list[Future[None]] = []
            for order in plan.orders:
                for _, hand, act in [item for item in acts if item[0] == order.number]:
                    hand.hand(act)
                _await_room(ledger, sent)
                sent.append(pool.submit(client.send, order))
            for future in sent:
                future.result()
        server_hand.finish()
        receiver_hand.finish()
        await_ends(ledger, len(plan.orders))
    finally:
        watcher.stop()
        stop.set()
        speaker.join()
    for seen in ledger.list_tasks():
        client.ask(seen)


def _await_room(ledger: Ledger, sent: list[Future[None]]) -> None:
    while len(sent) - sum(seen.end is not None for seen in ledger.list_tasks()) >= _OPEN_ORDERS:
        for future in sent:
            if future.done():
                future.result()  # raises what went wrong in the test itself
        time.sleep(_PAUSE_S)


def _speak(plan: Plan, ledger: Ledger, stop: threading.Event) -> None:
    started = time.monotonic()
    while not stop.wait(_SAY_EVERY_S):
        tasks = ledger.list_tasks()
        ended = sum(seen.end is not None for seen in tasks)
        with ledger.lock:
            faults = sum(count for what, count in ledger.counts.items() if what.startswith("faults: "))
            taken = sum(any(call.is_taken for call in calls) for calls in ledger.calls.values())
        print(
            f"  {time.monotonic() - started:6.0f} s  {len(plan.orders)} orders: {len(tasks)} acknowledged, "
            f"{ended} ended, {taken} announced; {faults} faults; {len(ledger.broken)} promises broken",
            flush=True,
        )


def _verify(data_dir: Path, body: bytes, headers: dict[str, str]) -> bool:
    secret = (data_dir / "webhook.secret").read_text("ascii").strip()
    try:
        return bool(Webhook(secret).verify(body, headers) == json.loads(body))
    except WebhookVerificationError:
        return False


def _find_port() -> int:
    """Return a port that is free now: a server that is started again has to get its old one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
