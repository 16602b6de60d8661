"""Keys, other people's tasks, deleting, and what every reply carries."""

from __future__ import annotations

import socket
import time
import uuid

import pytest
import requests

from tests.integration.api.running import KEY, OTHER_KEY, RESULT, Server, Start

DOORS = (
    ("POST", "/task/pic/idphoto"),
    ("GET", "/task/7d0a2c0e"),
    ("DELETE", "/task/7d0a2c0e"),
    ("POST", "/api/tasks/visual/idphoto"),
    ("POST", "/api/tasks/visual/external/idphoto"),
    ("GET", "/api/tasks/visual/idphoto/7d0a2c0e"),
    ("GET", "/api/tasks/visual/external/idphoto/7d0a2c0e"),
)


@pytest.mark.parametrize(("method", "path"), DOORS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Basic {KEY}"},
        {"Authorization": KEY},
        {"X-API-KEY": "wrong"},
        {"X-API-KEY": "k\u00e9y".encode("latin-1")},
        {"X-API-KEY": KEY + "x"},
        {"X-API-KEY": KEY[:-1]},
    ],
)
def test_without_a_good_key_every_door_answers_401(
    server: Server, method: str, path: str, headers: dict[str, str]
) -> None:
    reply = server.call(method, path, key=None, headers=headers)
    assert reply.status_code == 401
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")
    assert reply.json()["status"] == 401
    assert ("error" in reply.json()) is path.startswith("/task/")


@pytest.mark.parametrize("path", ["/task/pic/idphoto", "/api/tasks/visual/idphoto"])
@pytest.mark.parametrize("headers", [{"Authorization": f"Bearer {KEY}"}, {"X-API-KEY": KEY}, {"x-api-key": KEY}])
def test_either_header_opens_either_door(server: Server, path: str, headers: dict[str, str]) -> None:
    assert server.create(path, key=None, headers=headers).status_code == 200


def test_a_made_key_opens_until_it_is_revoked(server: Server) -> None:
    made = server.run(server.services.keys.create("test"))
    assert server.create(key=made.token).status_code == 200
    assert server.run(server.services.keys.revoke(made.id))
    assert server.create(key=made.token).status_code == 401


def test_another_keys_task_is_not_there(server: Server) -> None:
    task_id = server.create_id()
    for path in ("/task/", "/api/tasks/visual/idphoto/"):
        assert server.call("GET", path + task_id, key=OTHER_KEY).status_code == 404
    assert server.call("DELETE", f"/task/{task_id}", key=OTHER_KEY).status_code == 404
    assert server.call("GET", f"/task/{task_id}").status_code == 200


@pytest.mark.parametrize("task_id", [str(uuid.uuid4()), "x", "' OR 1=1 --", "%00", "..%2f..%2fetc", "a" * 3000])
def test_an_unknown_task_is_404_in_the_shape_of_its_door(server: Server, task_id: str) -> None:
    reply = server.call("GET", f"/task/{task_id}")
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "not_found")
    visual = server.call("GET", f"/api/tasks/visual/idphoto/{task_id}")
    assert visual.status_code == 404
    assert set(visual.json()) == {"status", "message"}


def test_a_deleted_task_is_gone_with_its_files(server: Server) -> None:
    task_id = server.create_id()
    source = server.services.storage.path(f"sources/{task_id}")
    assert source.is_file()
    key = f"results/{uuid.uuid4().hex}.png"
    server.finish(task_id, key=key)
    assert server.session.get(f"{server.url}/files/{key.removeprefix('results/')}").content == RESULT
    reply = server.call("DELETE", f"/task/{task_id}")
    assert (reply.status_code, reply.json()["data"]["task_id"]) == (200, task_id)
    assert not source.exists()
    assert not server.services.storage.path(key).exists()
    assert server.session.get(f"{server.url}/files/{key.removeprefix('results/')}").status_code == 404
    assert server.call("GET", f"/task/{task_id}").status_code == 404
    assert server.call("DELETE", f"/task/{task_id}").status_code == 404


def test_every_reply_carries_a_request_id(server: Server) -> None:
    for path in ("/healthz", "/nowhere", "/task/x", "/files/x", "/openapi.json"):
        assert len(requests.get(server.url + path, timeout=20).headers["X-Request-ID"]) == 32


def test_a_sane_request_id_is_kept(server: Server) -> None:
    reply = server.create(headers={"X-Request-ID": "order-7.a_B"})
    assert reply.headers["X-Request-ID"] == "order-7.a_B"
    assert reply.json()["data"]["request_id"] == "order-7.a_B"


@pytest.mark.parametrize("given", ["a b", "x" * 65, "<script>", ""])
def test_any_other_request_id_is_replaced(server: Server, given: str) -> None:
    assert server.call("GET", "/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"] != given


def test_an_unknown_address_or_method_answers_in_json(server: Server) -> None:
    unknown = server.call("GET", "/nowhere")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "not_found")
    method = server.call("PUT", "/task/pic/idphoto", data=b"x")
    assert (method.status_code, method.json()["error"]["code"]) == (405, "method_not_allowed")
    assert "POST" in method.headers["Allow"]


def test_pages_of_other_origins_may_call_only_where_the_operator_says_so(start: Start) -> None:
    shop, other = "https://shop.example", "https://other.example"
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "Authorization"}
    with start() as server:
        refused = server.call("OPTIONS", "/task/pic/idphoto", key=None, headers={"Origin": shop, **asked})
        assert refused.status_code == 405
        assert "Access-Control-Allow-Origin" not in server.create(headers={"Origin": shop}).headers
    with start(cors_origins=(shop,)) as server:
        asks = {origin: {"Origin": origin, **asked} for origin in (shop, other)}
        allowed = server.call("OPTIONS", "/task/pic/idphoto", key=None, headers=asks[shop])
        assert (allowed.status_code, allowed.headers["Access-Control-Allow-Origin"]) == (200, shop)
        assert "authorization" in allowed.headers["Access-Control-Allow-Headers"].lower()
        assert server.call("OPTIONS", "/task/pic/idphoto", key=None, headers=asks[other]).status_code == 400
        reply = server.create(headers={"Origin": shop})
        assert (reply.status_code, reply.headers["Access-Control-Allow-Origin"]) == (200, shop)
        assert "Retry-After" in reply.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Origin" not in server.create(headers={"Origin": other}).headers


def test_a_key_that_is_revoked_during_an_upload_has_made_no_task(server: Server) -> None:
    made = server.run(server.services.keys.create("test"))
    before = server.run(server.services.queue.count_ready())
    body = b'--b\r\nContent-Disposition: form-data; name="image_file"; filename="me.jpg"\r\n\r\n' + b"p" * 100_000
    end = b"\r\n--b--\r\n"
    head = f"POST /task/pic/idphoto HTTP/1.1\r\nHost: x\r\nX-API-KEY: {made.token}\r\nConnection: close\r\n"
    head += f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(body) + len(end)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=20) as client:
        client.sendall(head.encode() + body)
        time.sleep(0.2)
        assert server.run(server.services.keys.revoke(made.id))
        client.sendall(end)
        assert client.recv(65536).startswith(b"HTTP/1.1 401 ")
    assert server.run(server.services.queue.count_ready()) == before
