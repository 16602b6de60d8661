from __future__ import annotations

import json
from dataclasses import replace

import pytest

from idphoto.envelope import envelope, image_url, reply
from idphoto.tasks.model import Failure, Outcome, ReturnType, State, Task
from idphoto.tasks.request import PhotoRequest

QUEUED = Task(
    id="5f1c1d0e-0000-4000-8000-000000000001",
    owner="key",
    request=PhotoRequest(width=300, height=400),
    return_type=ReturnType.URL,
    public_url="https://photo.example",
    request_id="req-1",
    created_at=1742670626.9,
)
DONE = replace(
    QUEUED,
    state=State.DONE,
    progress=100,
    processed_at=1742670626.95,
    completed_at=1742670627.2,
    download_ms=487.6,
    elapsed_ms=384.5512,
    outcome=Outcome(
        result_key="results/secret.png",
        width=300,
        height=400,
        size_bytes=1000,
        foreground=(133, 110, 604, 952),
        warnings=("upscaled",),
        face={"roll": 0.5},
    ),
)


def test_a_finished_task_reads_as_in_the_reference_sample() -> None:
    data = envelope(DONE)
    assert data == {
        "completed_at": 1742670627,
        "created_at": 1742670626,
        "processed_at": 1742670626,
        "download_time": 488,
        "time_elapsed": 384.55,
        "err_info": "",
        "foreground_rect": {"x": 133, "y": 110, "width": 604, "height": 952},
        "image": "https://photo.example/files/secret.png",
        "image_width": 300,
        "image_height": 400,
        "output_type": 2,
        "result_type": "object",
        "return_type": 1,
        "progress": 100,
        "state": 1,
        "state_detail": "Complete",
        "task_id": QUEUED.id,
        "type": "auto",
        "spec": "",
        "warnings": ["upscaled"],
        "face": {"roll": 0.5},
        "compliance": None,
        "layout": None,
        "image_id": "",
        "request_id": "req-1",
    }


@pytest.mark.parametrize("state", [state for state in State if state is not State.DONE])
def test_only_a_finished_task_has_an_image_and_full_progress(state: State) -> None:
    data = envelope(replace(DONE, state=state), image="aGVsbG8=")
    assert data["image"] == ""
    assert data["progress"] < 100


@pytest.mark.parametrize("state", list(State))
def test_every_key_is_there_with_the_same_type_in_every_state(state: State) -> None:
    finished = envelope(DONE)
    data = envelope(replace(QUEUED, state=state))
    assert list(data) == list(finished)
    assert {key: type(value) for key, value in data.items()} == {key: type(value) for key, value in finished.items()}


def test_a_failure_is_told_by_code_and_sentence() -> None:
    failed = replace(
        QUEUED, state=State.FAILED, failure=Failure(state=State.FAILED, code="no_face", message="No face was found.")
    )
    assert envelope(failed)["err_info"] == "no_face: No face was found."


def test_an_image_given_by_the_caller_replaces_the_url() -> None:
    assert envelope(DONE, image="aGVsbG8=")["image"] == "aGVsbG8="


def test_a_public_url_may_end_in_a_slash() -> None:
    assert image_url(replace(DONE, public_url="https://photo.example/")) == "https://photo.example/files/secret.png"


def test_a_task_without_outcome_has_no_url() -> None:
    assert image_url(QUEUED) == ""


def test_a_reply_wraps_the_envelope_and_is_json() -> None:
    assert json.loads(json.dumps(reply(DONE))) == {"status": 200, "message": "success", "data": envelope(DONE)}
