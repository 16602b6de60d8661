from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from idphoto.webhooks import RETRY_DELAYS_S, Signer, load_or_create_secret, retry_delay

BODY = '{"state":1,"说明":"完成"}'.encode()


@pytest.fixture
def secret(tmp_path: Path) -> str:
    return load_or_create_secret(tmp_path / "webhook.secret")


def test_a_receiver_can_verify_the_signature(secret: str) -> None:
    headers = Signer(secret).sign("msg_1", datetime.now(UTC), BODY)
    assert Webhook(secret).verify(BODY, headers) == {"state": 1, "说明": "完成"}
    assert headers["webhook-id"] == "msg_1"
    assert headers["content-type"] == "application/json"


def test_the_signature_holds_for_a_time_in_another_zone(secret: str) -> None:
    at = datetime.now(timezone(timedelta(hours=8)))
    assert Webhook(secret).verify(BODY, Signer(secret).sign("msg_1", at, BODY))


@pytest.mark.parametrize("change", ["body", "webhook-id", "webhook-timestamp", "secret"])
def test_a_receiver_sees_any_change(secret: str, tmp_path: Path, change: str) -> None:
    now = datetime.now(UTC)
    headers = Signer(secret).sign("msg_1", now, BODY)
    changes = {"webhook-id": "msg_2", "webhook-timestamp": str(int(now.timestamp()) + 1)}
    if change in changes:
        headers[change] = changes[change]
    body = BODY + b" " if change == "body" else BODY
    key = load_or_create_secret(tmp_path / "other") if change == "secret" else secret
    with pytest.raises(WebhookVerificationError):
        Webhook(key).verify(body, headers)


def test_an_old_call_cannot_be_replayed(secret: str) -> None:
    headers = Signer(secret).sign("msg_1", datetime.now(UTC) - timedelta(minutes=10), BODY)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, headers)


def test_a_secret_that_is_not_base64_is_refused() -> None:
    with pytest.raises(ValueError, match=r"base64|data characters"):
        Signer("whsec_a")


@pytest.mark.parametrize("attempt", range(1, len(RETRY_DELAYS_S) + 1))
def test_a_wait_is_spread_by_a_fifth(attempt: int) -> None:
    planned = RETRY_DELAYS_S[attempt - 1]
    waits = [retry_delay(attempt) for _ in range(50)]
    assert all(wait is not None and 0.8 * planned <= wait <= 1.2 * planned for wait in waits)
    assert len(set(waits)) > 1


def test_a_callback_is_given_up_after_the_last_wait() -> None:
    assert retry_delay(len(RETRY_DELAYS_S) + 1) is None
    assert retry_delay(len(RETRY_DELAYS_S) + 1, 10.0) is None


def test_other_waits_can_be_asked_for() -> None:
    wait = retry_delay(2, delays_s=(1.0, 50.0))
    assert wait is not None
    assert 40 <= wait <= 60
    assert retry_delay(3, delays_s=(1.0, 50.0)) is None
    assert retry_delay(1, delays_s=()) is None


@pytest.mark.parametrize(("asked", "wait"), [(300.0, 300.0), (3600.0, 3600.0), (1e9, 3600.0)])
def test_a_receiver_may_ask_for_up_to_an_hour(asked: float, wait: float) -> None:
    assert retry_delay(1, asked) == wait


def test_a_receiver_cannot_ask_for_a_shorter_wait() -> None:
    wait = retry_delay(4, 1.0)
    assert wait is not None
    assert wait >= 480.0


def test_the_secret_is_made_once_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "webhook.secret"
    secret = load_or_create_secret(path)
    assert load_or_create_secret(path) == secret
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    assert [file.name for file in path.parent.iterdir()] == ["webhook.secret"]


def test_those_who_ask_at_the_same_time_get_the_same_secret(tmp_path: Path) -> None:
    path = tmp_path / "webhook.secret"
    with ThreadPoolExecutor(8) as pool:
        secrets = list(pool.map(lambda _: load_or_create_secret(path), range(32)))
    assert len(set(secrets)) == 1
