from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from idphoto.settings import Settings
from idphoto.webhooks import RETRY_DELAYS_S


def test_lists_are_comma_separated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDPHOTO_API_KEYS", "one, two,,")
    monkeypatch.setenv("IDPHOTO_OUTBOUND_ALLOW", "127.0.0.0/8")
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    assert settings.api_keys == ("one", "two")
    assert settings.outbound_allow == ("127.0.0.0/8",)


def test_the_database_is_in_the_data_folder_unless_set() -> None:
    assert Settings(data_dir=Path("/srv/x")).resolved_database_url == "sqlite+aiosqlite:////srv/x/idphoto.db"
    assert Settings(database_url="postgresql+psycopg://db").resolved_database_url == "postgresql+psycopg://db"


def test_15_mb_is_the_upload_limit_unless_set() -> None:
    assert Settings().max_upload_bytes == 15 * 1024 * 1024


def test_a_wrong_value_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDPHOTO_WORKERS", "0")
    with pytest.raises(ValidationError):
        Settings(_env_file=None)  # type: ignore[call-arg]


def test_the_waits_between_tries_of_a_callback_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings(_env_file=None).callback_retry_s == RETRY_DELAYS_S  # type: ignore[call-arg]
    monkeypatch.setenv("IDPHOTO_CALLBACK_RETRY_S", "1, 2.5")
    assert Settings(_env_file=None).callback_retry_s == (1.0, 2.5)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("0", "not above 0"),
        ("5,-1", "not above 0"),
        ("nan", "not above 0"),
        ("1e9", "604800"),
        ("soon", "number"),
        ("1," * 101, "at most 100"),
    ],
)
def test_waits_that_make_no_sense_are_refused(value: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings(callback_retry_s=value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"matting_file": "x.onnx"}, "a file of its own"),
        ({"matting_sha256": "0" * 64}, "no MATTING_FILE"),
        ({"matting": "isnet", "matting_file": "x.onnx", "matting_sha256": "12"}, "pattern"),
        ({"providers": "cpu,abacus"}, "abacus"),
        ({"outbound_allow": "10.0.0.0/8, 10.0.0.1/8"}, "'10.0.0.1/8' is not a network"),
        ({"outbound_allow": "localhost"}, "'localhost' is not a network"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(values: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings(**values)  # type: ignore[arg-type]


def test_matting_settings_belong_together() -> None:
    settings = Settings(matting="isnet", matting_file="x.onnx", matting_sha256="AB" * 32, providers="cuda, cpu")  # type: ignore[arg-type]
    choice = settings.matting_choice
    assert (choice.name, choice.file, choice.sha256) == ("isnet", Path("x.onnx"), "ab" * 32)
    assert choice.providers == ("cuda", "cpu")
