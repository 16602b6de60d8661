from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from idphoto.settings import Settings


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


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"matting_file": "x.onnx"}, "a file of its own"),
        ({"matting_sha256": "0" * 64}, "no MATTING_FILE"),
        ({"matting": "isnet", "matting_file": "x.onnx", "matting_sha256": "12"}, "pattern"),
        ({"providers": "cpu,abacus"}, "abacus"),
    ],
)
def test_matting_settings_that_contradict_are_refused(values: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings(**values)  # type: ignore[arg-type]


def test_matting_settings_belong_together() -> None:
    settings = Settings(matting="isnet", matting_file="x.onnx", matting_sha256="AB" * 32, providers="cuda, cpu")  # type: ignore[arg-type]
    choice = settings.matting_choice
    assert (choice.name, choice.file, choice.sha256) == ("isnet", Path("x.onnx"), "ab" * 32)
    assert choice.providers == ("cuda", "cpu")
