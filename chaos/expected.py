"""What every wish gives on a server that nobody disturbs. Rendering is deterministic on one machine."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests
from PIL import Image

from chaos.photos import ABSENT
from chaos.plan import RECIPES, Wish
from tests.running import Server

_MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png"}


class WrongFile(Exception):
    """A file is missing or is not what its task says."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a task comes to."""

    state: int
    code: str
    """Of the failure; empty for a success."""
    files: tuple[str, ...]
    """SHA-256 of the photo, and of the sheet's image and PDF."""


def read_result(data: Mapping[str, Any]) -> Result:
    """Download what an ended task has made and check it as a client can.

    Raises:
        WrongFile: a file cannot be had, or does not fit what the task says.
    """
    if data["state"] != 1:
        return Result(state=data["state"], code=data["err_info"].partition(":")[0], files=())
    photo = _download(data["image"])
    with Image.open(io.BytesIO(photo.content)) as image:
        image.load()
        media_type = _MEDIA_TYPES[image.format or ""]
        if image.size != (data["image_width"], data["image_height"]):
            raise WrongFile(f"the photo is {image.size}")
    if photo.headers["Content-Type"] != media_type:
        raise WrongFile(f"{media_type} came as {photo.headers['Content-Type']}")
    sheet = [_download(data["layout"][part]) for part in ("image", "pdf")] if data["layout"] else []
    return Result(
        state=1, code="", files=tuple(hashlib.sha256(answer.content).hexdigest() for answer in (photo, *sheet))
    )


def _download(url: str) -> requests.Response:
    try:
        answer = requests.get(url, timeout=30)
    except requests.RequestException as error:
        raise WrongFile(f"no file: {type(error).__name__}") from error
    if answer.status_code != 200:
        raise WrongFile(f"no file: {answer.status_code}")
    return answer


def learn_results(server: Server, wishes: Sequence[Wish], photos: Mapping[str, bytes], site: str) -> dict[Wish, Result]:
    """Make every wish once, on a server that is left in peace. Those for a new photo have to come first."""
    portraits: dict[str, str] = {}
    created: dict[Wish, str] = {}
    for wish in wishes:
        fields = {**RECIPES[wish.recipe], "sync": "0"}
        if wish.again:
            server.wait_for_end(portraits[wish.photo])
            answer = server.create(None, fields, last_id=portraits[wish.photo])
        elif wish.photo == ABSENT:
            answer = server.create(None, fields, image_url=f"{site}/{ABSENT}")
        else:
            answer = server.create(photos[wish.photo], fields, name=wish.photo)
        if answer.status_code != 200:
            raise WrongFile(f"{wish}: {answer.status_code} {answer.text}")
        created[wish] = answer.json()["data"]["task_id"]
        if not wish.again:
            portraits.setdefault(wish.photo, created[wish])
    return {wish: read_result(server.wait_for_end(task_id)) for wish, task_id in created.items()}
