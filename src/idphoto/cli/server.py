"""`idphoto serve`, `api`, `worker` and `migrate`."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Annotated, Any

import typer

from idphoto.cli.console import fail, make_console
from idphoto.settings import Settings
from idphoto.specs import Catalogue

_READY_TIMEOUT_S = 60
_READY_POLL_S = 0.1
#: Exit code of a worker that gave up on a photo (EX_TEMPFAIL of sysexits.h).
_HANGING = 75
#: Added to a worker's niceness: where every core is busy with photos, the API still answers first.
_WORKER_NICENESS = 10

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Database, uploads and results. Default: ./data", show_default=False)
]
Host = Annotated[str | None, typer.Option(help="Address to listen on. Default: 127.0.0.1", show_default=False)]
Port = Annotated[int | None, typer.Option(help="Port to listen on; 0: a free one. Default: 8000", show_default=False)]


def serve(
    host: Host = None,
    port: Port = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Worker processes. Default: half the cores.", show_default=False)
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Start the server: the API, the workers and all they need, in one folder."""
    from sqlalchemy.exc import OperationalError

    from idphoto import logs, supervisor
    from idphoto.cli import keys
    from idphoto.database import migrate as migrate_database
    from idphoto.imaging.errors import ModelError
    from idphoto.imaging.models import MODEL_FILES, ModelFolder
    from idphoto.weights import find_missing

    given = {"host": host, "port": port, "workers": workers, "data_dir": data_dir}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    logs.configure(settings.log_format)
    if find_missing(ModelFolder(settings.models_dir), MODEL_FILES):
        fail("The model files are not there yet: run `idphoto models pull` first.")
    Catalogue.load(settings.specs_file)  # raises here and once, not in every process
    try:
        settings.matting_choice.check_file(ModelFolder(settings.models_dir))
        if settings.matting_file is not None:
            from idphoto.imaging.networks import open_network

            # Said once and here, not by every worker. Our own files are known to load: their hash is pinned.
            open_network(settings.matting_choice, ModelFolder(settings.models_dir))
    except ModelError as error:
        fail(str(error))
    try:
        with (
            supervisor.lock_data_dir(settings.data_dir),
            supervisor.listen(settings.host, settings.port) as listener,
        ):
            migrate_database(settings.resolved_database_url)
            token = None
            if not settings.api_keys and not asyncio.run(keys.list_keys(settings)):
                token = asyncio.run(keys.create_key(settings, "first key")).token
            url = _address(settings, listener)
            announcer = threading.Thread(target=_announce, args=(url, settings, token), daemon=True)
            asyncio.run(supervisor.Supervisor(settings, listener).run(announcer.start))
    except (supervisor.AlreadyRunning, supervisor.AddressTaken) as error:
        fail(str(error))
    except OperationalError as error:
        fail(f"The database cannot be used ({error.orig}). Is the disk full, or the data folder not yours to write?")


def _address(settings: Settings, listener: socket.socket) -> str:
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 - compared, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"


def _announce(url: str, settings: Settings, token: str | None) -> None:
    """Say how to use the server, once it can be used."""
    console = make_console()
    deadline = time.monotonic() + _READY_TIMEOUT_S
    while not _is_ready(url):
        if time.monotonic() > deadline:
            console.print(f"The server is not ready after {_READY_TIMEOUT_S} s; the log above says why.")
            return
        time.sleep(_READY_POLL_S)
    page = f"{url}/#key={token}" if token else f"{url}/"
    console.print(f"\n[bold]IDPhoto is running[/]  {page}")
    if token:
        console.print(f"API key (shown once)  [bold]{token}[/]")
    key = token or ("$IDPHOTO_KEY" if not settings.api_keys else "YOUR_STATIC_KEY")
    console.print("\nTry it:")
    console.print(
        f'  curl -sS {url}/task/pic/idphoto -H "Authorization: Bearer {key}" \\\n'
        "    -F image_file=@me.jpg -F size=300x400 -F format=jpg -F bg_color=FFFFFF -F sync=1",
        markup=False,
    )
    if token is None and not settings.api_keys:
        console.print(f"\nLost the key? `{sys.argv[0]} keys create` makes another.")
    console.print("\nStop with Ctrl-C.")


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def api(host: Host = None, port: Port = None, data_dir: DataDir = None) -> None:
    """Run one API process; `serve` starts it for you."""
    from idphoto import app, logs, supervisor

    supervisor.die_with_supervisor()
    given: dict[str, Any] = {"host": host, "port": port, "data_dir": data_dir}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    logs.configure(settings.log_format)
    inherited = os.environ.get(supervisor.LISTEN_VARIABLE)
    try:
        listener = (
            socket.socket(fileno=int(inherited)) if inherited else supervisor.listen(settings.host, settings.port)
        )
    except supervisor.AddressTaken as error:
        fail(str(error))
    asyncio.run(app.run_api(settings, listener))


def worker(data_dir: DataDir = None) -> None:
    """Run one worker process; `serve` starts them for you."""
    from idphoto import app, logs, supervisor

    supervisor.die_with_supervisor()
    os.nice(_WORKER_NICENESS)
    settings = Settings() if data_dir is None else Settings(data_dir=data_dir)
    logs.configure(settings.log_format)
    if not asyncio.run(app.run_worker(settings)):
        # A photo hangs in a thread; an orderly exit would wait for it.
        os._exit(_HANGING)


def migrate(data_dir: DataDir = None) -> None:
    """Bring the database to this version's tables."""
    from idphoto.database import migrate as migrate_database

    settings = Settings() if data_dir is None else Settings(data_dir=data_dir)
    migrate_database(settings.resolved_database_url)
    make_console().print("The database is up to date.")
