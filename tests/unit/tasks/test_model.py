from __future__ import annotations

import json

import pytest

from idphoto.tasks.model import Failure, State
from idphoto.tasks.request import Format, LayoutRequest, Mode, PhotoRequest


@pytest.mark.parametrize("state", [State.QUEUED, State.PREPARING, State.WAITING, State.PROCESSING])
def test_a_task_in_progress_has_not_ended(state):
    assert not state.is_end


@pytest.mark.parametrize("state", [State.DONE, *(state for state in State if state < 0)])
def test_success_and_every_failure_are_an_end(state):
    assert state.is_end


def test_every_state_has_its_own_sentence():
    sentences = {state.detail for state in State}
    assert "" not in sentences
    assert len(sentences) == len(State)


def test_a_finished_task_reads_complete():
    assert State.DONE.detail == "Complete"


def test_a_request_survives_its_storage_as_json():
    request = PhotoRequest(width=295, height=413, spec=None, format=Format.JPG, background="438EDB", largest_face=True)
    assert PhotoRequest.from_json(json.loads(json.dumps(request.to_json()))) == request


def test_a_request_with_all_its_parts_survives_as_well():
    layout = LayoutRequest(paper="6inch", copies=4, others=(("cn-2inch", 2), ("us-visa", None)), cut_lines=False)
    request = PhotoRequest(
        mode=Mode.CHECK,
        spec="cn-1inch",
        dpi=600,
        keep_background=True,
        retouch={"smooth": 0.5},
        layout=layout,
        last_id="7d0a2c0e",
    )
    assert PhotoRequest.from_json(json.loads(json.dumps(request.to_json()))) == request


def test_a_request_that_an_older_version_stored_can_be_read():
    stored = {"width": 295, "height": 413, "spec": None, "format": "jpg", "background": "438EDB", "largest_face": False}
    assert PhotoRequest.from_json(stored) == PhotoRequest(width=295, height=413, format=Format.JPG, background="438EDB")


def test_the_media_type_follows_the_format():
    assert [format_.media_type for format_ in Format] == ["image/png", "image/jpeg"]


def test_err_info_starts_with_the_machine_code():
    failure = Failure(state=State.FAILED, code="no_face", message="No face was found.")
    assert failure.err_info == "no_face: No face was found."
