"""Creating tasks through both doors, and what is refused."""

from __future__ import annotations

import http.client
import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from idphoto.tasks.model import ReturnType, State
from idphoto.tasks.request import Format
from tests.integration.api.running import KEY, PHOTO, RESULT, Server, Start

CREATE_PATHS = ("/task/pic/idphoto", "/api/tasks/visual/idphoto", "/api/tasks/visual/external/idphoto")
POLL_PATHS = ("/task/", "/api/tasks/visual/idphoto/", "/api/tasks/visual/external/idphoto/")
URL_FIELDS = {"image_url": "https://photos.example/me.jpg", "size": "295x413", "format": "jpeg", "bg_color": "#438edb"}


@pytest.mark.parametrize("path", CREATE_PATHS)
def test_each_door_accepts_a_photo_and_polls_every_task(server: Server, path: str) -> None:
    reply = server.create(path, size="295x413", image_url="", bg_color="", callback_url="")
    assert reply.status_code == 200
    data = reply.json()["data"]
    assert (reply.json()["status"], reply.json()["message"]) == (200, "success")
    assert (data["state"], data["progress"]) == (0, 0)
    assert not data.get("image")
    assert uuid.UUID(data["task_id"]).version == 4
    for poll in POLL_PATHS:
        polled = server.call("GET", poll + data["task_id"]).json()
        assert polled["data"]["task_id"] == data["task_id"]


def test_the_photo_is_stored_before_the_reply(server: Server) -> None:
    task = server.get_task(server.create_id(size="295x413", format="jpg", bg_color="438EDB"))
    assert task.source_key == f"sources/{task.id}"
    assert server.run(server.services.storage.get(task.source_key)) == PHOTO
    assert (task.request.width, task.request.height) == (295, 413)
    assert (task.request.format, task.request.background) == (Format.JPG, "438EDB")
    assert (task.state, task.return_type, task.public_url) == (State.QUEUED, ReturnType.URL, server.url)


@pytest.mark.parametrize("path", CREATE_PATHS)
@pytest.mark.parametrize("kind", ["json", "data", "json_as_urlencoded"])
def test_a_url_comes_as_json_or_urlencoded(server: Server, path: str, kind: str) -> None:
    if kind == "json_as_urlencoded":
        body: dict[str, Any] = {
            "data": json.dumps(URL_FIELDS),
            "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        }
    else:
        body = {kind: URL_FIELDS}
    reply = server.call("POST", path, **body)
    assert reply.status_code == 200, reply.text
    task = server.get_task(reply.json()["data"]["task_id"])
    assert (task.image_url, task.source_key) == (URL_FIELDS["image_url"], None)
    assert (task.request.format, task.request.background) == (Format.JPG, "438EDB")


def test_a_refused_image_address_is_accepted_to_fail_later(server: Server) -> None:
    assert server.create(photo=None, image_url="http://127.0.0.1/me.jpg").status_code == 200


def test_an_empty_file_with_a_name_is_accepted_to_fail_later(server: Server) -> None:
    assert server.create(photo=b"").status_code == 200


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"size": "300"}, "bad_size"),
        ({"size": "99x300"}, "bad_size"),
        ({"format": "gif"}, "bad_format"),
        ({"bg_color": "blue"}, "bad_bg_color"),
        ({"sync": "2"}, "bad_sync"),
        ({"return_type": "9"}, "bad_return_type"),
        ({"return_type": "3"}, "bad_return_type"),
        ({"callback_url": "nowhere"}, "bad_callback_url"),
        ({"callback_url": "http://127.0.0.1/hook"}, "bad_callback_url"),
        ({"callback_url": "http://169.254.169.254/"}, "bad_callback_url"),
        ({"image_url": "https://photos.example/me.jpg"}, "both_images"),
        ({"spec": "atlantis"}, "unknown_spec"),
        ({"faces": "both"}, "bad_faces"),
        ({"max_kb": "many"}, "bad_max_kb"),
        ({"clothes_id": "1"}, "refused_field"),
    ],
)
def test_a_bad_field_is_refused_on_both_doors(server: Server, fields: dict[str, Any], code: str) -> None:
    reply = server.create(**fields)
    body = reply.json()
    assert (reply.status_code, body["status"], body["error"]["code"]) == (400, 400, code)
    assert body["message"] == body["error"]["message"]
    assert body["error"]["type"] == "invalid_request"
    for path in CREATE_PATHS[1:]:
        visual = server.create(path, **fields)
        assert visual.status_code == 400
        assert visual.json() == {"status": 400, "message": body["message"]}
    assert server.call("GET", "/healthz").text == "ok"


def test_a_photo_is_needed(server: Server) -> None:
    for reply in (server.create(photo=None, size="295x413"), server.call("POST", "/task/pic/idphoto")):
        assert (reply.status_code, reply.json()["error"]["code"]) == (400, "missing_image")


def test_an_error_names_the_field_the_value_and_the_rule(server: Server) -> None:
    message = server.create(size="9x" + "9" * 500).json()["message"]
    assert message.startswith("size: '9x99")
    assert "100 to 2000" in message
    assert len(message) < 300


def test_a_repeat_with_the_same_idempotency_key_returns_the_first_task(server: Server) -> None:
    headers = {"Idempotency-Key": f"order {uuid.uuid4()}"}
    first = server.create_id(headers=headers)
    before = count_sources(server)
    assert server.create_id(headers=headers, photo=b"another photo") == first
    assert count_sources(server) == before
    other = server.create(headers={**headers, "X-API-KEY": ""}, key="second-key-of-the-tests")
    assert other.json()["data"]["task_id"] != first


def count_sources(server: Server) -> int:
    return sum(path.is_file() for path in server.services.storage.path("sources/x").parent.iterdir())


def test_repeats_at_the_same_moment_make_one_task(server: Server) -> None:
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    before = count_sources(server)
    with ThreadPoolExecutor(8) as pool:
        ids = {call.result() for call in [pool.submit(server.create_id, headers=headers) for _ in range(8)]}
    assert len(ids) == 1
    assert count_sources(server) == before + 1


@pytest.mark.parametrize("value", ["", "x" * 256, "caf\u00e9"])
def test_a_bad_idempotency_key_is_refused(server: Server, value: str) -> None:
    reply = server.create(headers={"Idempotency-Key": value.encode("latin-1")})
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "bad_idempotency_key")


def test_an_upload_over_the_limit_gets_413_however_it_is_sent(start: Start) -> None:
    with start(max_upload_mb=1) as server:
        reply = server.create(photo=bytes(5 * 1024 * 1024))
        assert (reply.status_code, reply.json()["error"]["code"]) == (413, "upload_too_large")
        assert "1 MB" in reply.json()["message"]
        slightly = server.create(photo=bytes(1024 * 1024 + 1))
        assert slightly.status_code == 413
        for close in ({}, {"Connection": "close"}):
            chunked = server.call(
                "POST",
                "/task/pic/idphoto",
                data=stream_photo(12 * 1024 * 1024),
                headers={"Content-Type": "multipart/form-data; boundary=edge", **close},
            )
            assert chunked.status_code == 413
        assert server.create(photo=bytes(1024 * 1024)).status_code == 200
        assert count_sources(server) == 1


def stream_photo(size: int) -> Iterator[bytes]:
    yield b'--edge\r\nContent-Disposition: form-data; name="image_file"; filename="a.jpg"\r\n\r\n'
    for _ in range(size // 65536):
        yield bytes(65536)
    yield b"\r\n--edge--\r\n"


def test_a_refused_key_is_answered_after_a_long_upload_too(server: Server) -> None:
    for headers in ({}, {"Connection": "close"}):
        assert server.create(key="wrong", photo=bytes(8 * 1024 * 1024), headers=headers).status_code == 401


def test_a_client_that_waits_to_be_asked_is_refused_at_once(server: Server) -> None:
    host = server.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=20)
    connection.putrequest("POST", "/task/pic/idphoto")
    for name, value in (("Expect", "100-continue"), ("Content-Length", "90000000"), ("Content-Type", "image/jpeg")):
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 401
    connection.close()


def test_a_sync_wait_that_is_too_long_answers_state_4_and_no_image(server: Server) -> None:
    for return_type in ("1", "2", "3"):
        data = server.create(sync="1", return_type=return_type).json()["data"]
        assert (data["state"], data.get("image", "")) == (4, "")
        assert server.call("GET", f"/task/{data['task_id']}").json()["data"]["state"] == 0


def test_a_finished_task_answers_as_it_was_asked(server: Server) -> None:
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    for return_type in ("1", "2", "3"):
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        task_id = server.create_id(sync="1", return_type=return_type, headers=headers)
        server.finish(task_id, key=f"results/{uuid.uuid4().hex}.png")
        reply = server.create(sync="1", return_type=return_type, headers=headers)
        assert reply.status_code == 200
        if return_type == "3":
            assert (reply.content, reply.headers["Content-Type"]) == (RESULT, "image/png")
            continue
        data = reply.json()["data"]
        assert (data["state"], data["progress"], data["image_width"], data["image_height"]) == (1, 100, 295, 413)
        if return_type == "1":
            assert server.session.get(data["image"]).content == RESULT
        else:
            assert data["image"] == "iVBORyBhIGZpbmlzaGVkIHBob3Rv"
        assert server.call("GET", f"/task/{task_id}").json()["data"]["image"] == data["image"]


def test_a_failed_binary_task_answers_with_the_envelope(server: Server) -> None:
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    server.fail(server.create_id(sync="1", return_type="3", headers=headers))
    reply = server.create(sync="1", return_type="3", headers=headers)
    assert reply.status_code == 200
    assert reply.json()["data"]["state"] == -1
    assert reply.json()["data"]["err_info"].startswith("no_face: ")


@pytest.mark.parametrize("host", ["evil.example/<script>", "a b", "", "x:y"])
def test_a_host_that_cannot_stand_in_a_url_is_refused(server: Server, host: str) -> None:
    reply = server.create(headers={"Host": host})
    assert reply.status_code == 400


def test_the_public_url_of_the_settings_goes_before_the_host(start: Start) -> None:
    with start(public_url="https://photos.example/") as server:
        assert server.get_task(server.create_id()).public_url == "https://photos.example"


def test_a_sync_wait_ends_with_the_task(start: Start) -> None:
    with start(sync_wait_s=60) as server, ThreadPoolExecutor() as pool:
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        waiting = pool.submit(server.create, sync="1", headers=headers)
        server.finish(server.create_id(headers=headers))
        data = waiting.result().json()["data"]
    assert (data["state"], data["progress"]) == (1, 100)


def test_a_client_that_leaves_is_not_waited_for(start: Start) -> None:
    with start(sync_wait_s=300) as server:
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=20)
        headers = {"X-API-KEY": KEY, "Content-Type": "application/json"}
        body = json.dumps({"image_url": "https://photos.example/me.jpg", "sync": 1})
        connection.request("POST", "/task/pic/idphoto", body, headers)
        while not server.run(server.services.store.count_by_state()):
            pass
        connection.close()
        # The pytest timeout ends this if the request never does.
        while 'route="/task/pic/idphoto"' not in server.call("GET", "/metrics").text:
            pass


def test_a_broken_disk_is_said_and_nothing_is_accepted(start: Start) -> None:
    with start() as server:
        folder = server.services.storage.path("sources/x").parent.parent
        folder.mkdir(parents=True, exist_ok=True)
        folder.rename(folder.with_name("gone"))
        folder.write_text("in the way")
        for path in CREATE_PATHS:
            reply = server.create(path, headers={"X-Request-ID": "order-7"})
            assert (reply.status_code, "try again later" in reply.json()["message"]) == (503, True)
            assert int(reply.headers["Retry-After"]) >= 1
            assert reply.headers["X-Request-ID"] == "order-7"
            assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert server.run(server.services.store.count_by_state()) == {}
        assert "the storage is not writable" in server.call("GET", "/readyz").json()["message"]
