"""Health, metrics, specs and documentation."""

from __future__ import annotations

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pytest
import requests
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.integration.api.running import Server, Start


def test_the_process_is_up_without_a_worker_but_not_ready(server: Server) -> None:
    assert requests.get(server.url + "/healthz", timeout=20).status_code == 200
    reply = requests.get(server.url + "/readyz", timeout=20)
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "not_ready")
    assert "no worker is alive" in reply.json()["message"]
    assert "storage" not in reply.json()["message"]
    assert int(reply.headers["Retry-After"]) >= 1


def test_metrics_count_requests_by_template_and_show_the_database(start: Start) -> None:
    with start() as server:
        task_id = server.create_id()
        server.call("GET", f"/task/{task_id}")
        server.call("GET", "/nowhere/secret")
        text = requests.get(server.url + "/metrics", timeout=20).text
    assert 'idphoto_http_requests_total{method="GET",route="/task/{task_id}",status="200"} 1.0' in text
    assert 'idphoto_tasks{state="queued"} 1.0' in text
    assert "idphoto_queue_depth 1.0" in text
    assert "idphoto_workers 0.0" in text
    assert task_id not in text
    assert "secret" not in text


def test_the_specs_can_be_listed_and_read(server: Server) -> None:
    specs = requests.get(server.url + "/specs", timeout=20).json()["specs"]
    passport = next(spec for spec in specs if spec["id"] == "us-passport")
    assert (passport["width"], passport["height"]) == (600, 600)
    assert requests.get(server.url + "/specs/us-passport", timeout=20).json() == passport
    assert requests.get(server.url + "/specs/atlantis", timeout=20).status_code == 404


def test_the_openapi_document_describes_the_create_call(server: Server) -> None:
    document = requests.get(server.url + "/openapi.json", timeout=20).json()
    assert document["openapi"].startswith("3.")
    for path in ("/task/pic/idphoto", "/api/tasks/visual/idphoto", "/api/tasks/visual/external/idphoto"):
        operation = document["paths"][path]["post"]
        fields = operation["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]
        assert fields["image_file"]["format"] == "binary"
        assert all(field["description"] for field in fields.values())
        assert {"200", "400", "401", "413", "429"} <= set(operation["responses"])
        assert operation["security"] == [{"Bearer": []}, {"ApiKey": []}]
    assert "422" not in json.dumps(document)
    identifiers = [one["operationId"] for methods in document["paths"].values() for one in methods.values()]
    assert len(identifiers) == len(set(identifiers))


def test_the_documentation_loads_nothing_from_elsewhere(server: Server) -> None:
    page = requests.get(server.url + "/docs", timeout=20)
    assert page.status_code == 200
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert sources
    for source in sources:
        assert source.startswith("/")
        assert requests.get(server.url + source, timeout=20).status_code == 200


def test_the_page_loads_nothing_from_elsewhere(server: Server) -> None:
    page = requests.get(server.url + "/", timeout=20)
    assert page.status_code == 200
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    for source in re.findall(r'(?:src|href)="([^"#]+)"', page.text):
        assert source.startswith("/")
        assert requests.get(server.url + source, timeout=20).status_code == 200


def test_every_reply_has_security_headers(server: Server) -> None:
    for path in ("/docs", "/static/docs.js", "/healthz", "/nowhere"):
        headers = requests.get(server.url + path, timeout=20).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_no_file_outside_the_web_folder_is_served(server: Server) -> None:
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py"):
        assert requests.get(server.url + path, timeout=20).status_code == 404


def test_many_who_ask_at_once_whether_it_is_ready_share_one_check(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, written = server.services.storage._write, list[Path]()

    def write_slowly(target: Path, source: BinaryIO) -> None:
        written.append(target)
        time.sleep(0.3)
        write(target, source)

    monkeypatch.setattr(server.services.storage, "_write", write_slowly)
    with ThreadPoolExecutor(10) as pool:
        replies = list(pool.map(lambda _: requests.get(server.url + "/readyz", timeout=20), range(10)))
    assert {reply.status_code for reply in replies} == {503}
    assert len(written) <= 2


def test_a_database_whose_connections_are_all_taken_is_said(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = server.services.store._engine
    monkeypatch.setattr(engine.sync_engine.pool, "_timeout", 0.05)

    async def take() -> list[AsyncConnection]:
        return [await engine.connect() for _ in range(15)]

    async def give_back() -> None:
        for connection in taken:
            await connection.close()

    taken = server.run(take())
    refused = server.call("GET", "/task/7d0a2c0e")
    server.run(give_back())
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "storage_failed")
    assert int(refused.headers["Retry-After"]) >= 1
    assert server.call("GET", "/task/7d0a2c0e").status_code == 404
