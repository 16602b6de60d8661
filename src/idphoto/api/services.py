"""What the web layer is given by the composition root."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from fastapi import Request

from idphoto.api.limits import CallerLimits
from idphoto.keys import KeyStore
from idphoto.metrics import Metrics
from idphoto.outbound import Outbound
from idphoto.settings import Settings
from idphoto.specs import Catalogue
from idphoto.storage import LocalStorage
from idphoto.tasks.deliveries import DeliveryLog
from idphoto.tasks.queue import JobQueue
from idphoto.tasks.store import TaskStore
from idphoto.tasks.waiting import Waiters
from idphoto.tasks.workers import WorkerRegistry


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything that a request may use."""

    settings: Settings
    store: TaskStore
    queue: JobQueue
    storage: LocalStorage
    keys: KeyStore
    waiters: Waiters
    outbound: Outbound
    """Only asked whether a callback may go to an address; requests never reach out from here."""
    catalogue: Catalogue
    deliveries: DeliveryLog
    workers: WorkerRegistry
    limits: CallerLimits
    metrics: Metrics
    stopping: asyncio.Event
    """Set when the process is about to end."""


def get_services(request: Request) -> Services:
    """Return the services of the app that this request came to."""
    services: Services = request.app.state.services
    return services
