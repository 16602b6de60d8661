"""Settings, read once from the environment and ``.env`` (prefix ``IDPHOTO_``) and passed down.

docs/settings.md lists them for operators.
"""

from __future__ import annotations

import os
import sys
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from idphoto.imaging.recipes import MATTING_MODELS, PROVIDERS, MattingChoice, PulledModel
from idphoto.webhooks import RETRY_DELAYS_S, Signer

#: A callback's job lives as long as its waits; a week each is more than any receiver is away.
_LONGEST_RETRY_S = 7 * 24 * 3600.0
_MOST_RETRIES = 100


def _default_workers() -> int:
    return max(1, (os.cpu_count() or 1) // 2)


class Settings(BaseSettings):
    """Everything an operator can set."""

    model_config = SettingsConfigDict(env_prefix="IDPHOTO_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Path("data")
    """Database, uploads, results and generated secrets."""
    models_dir: Path = Path(sys.prefix) / "share" / "idphoto" / "weights"
    """Model files, fetched by `idphoto models pull`; beside the installed code unless set."""
    database_url: str = ""
    """SQLAlchemy URL; empty: SQLite in the data folder."""
    public_url: str = ""
    """How clients reach this server, for result URLs; empty: the address that the client used."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    workers: int = Field(default_factory=_default_workers, ge=1, le=256)

    api_keys: Annotated[tuple[str, ...], NoDecode] = ()
    """Static keys, beside those made by `idphoto keys create`."""
    webhook_secret: str = ""
    """`whsec_…`; empty: generated once and kept in the data folder."""

    matting: str = "rvm"
    """Name of the matting model, see `idphoto models list`."""
    matting_file: Path | None = None
    """ONNX file of a matting model that is not pulled."""
    matting_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    """What that file must hash to."""
    providers: Annotated[tuple[str, ...], NoDecode] = ("cpu",)
    """What the matting model runs on, the first choice first; what cannot be used is passed over."""

    specs_file: Path | None = None
    """TOML file with further specs, in the format of our catalogue; its entries come before ours of the same id."""

    result_ttl_s: int = Field(default=3600, ge=1)
    sync_wait_s: float = Field(default=25.0, gt=0, le=300)
    task_timeout_s: float = Field(default=30.0, gt=0)
    """A task that is processed for longer ends in state -8."""
    max_upload_mb: float = Field(default=15.0, gt=0)
    max_pixels: int = Field(default=50_000_000, gt=0)
    queue_limit: int = Field(default=1000, ge=1)
    """Unfinished tasks beyond which new ones get 429."""
    rate_per_s: float = Field(default=20.0, gt=0)
    """Tasks that a key may make per second, unless the key has a limit of its own, as for the two below."""
    key_at_once: int = Field(default=200, ge=1)
    """Unfinished tasks that a key may have."""
    key_per_day: int = Field(default=0, ge=0)
    """Tasks that a key may make from midnight to midnight UTC; 0: any number."""
    keep_sources: bool = False
    """Whether uploads and downloads are kept until the task expires, and not only until the photo is done."""
    stop_delay_s: float = Field(default=1.0, ge=0)
    """After SIGTERM the server says that it is not ready, but serves on for this long."""
    stop_grace_s: float = Field(default=8.0, gt=0)
    """Photos and requests that have not ended so long after SIGTERM are handed back or broken off."""
    worker_memory_mb: int = Field(default=3072, ge=1024)
    """Memory that a worker may take; a photo that needs more ends with an error."""
    upload_timeout_s: float = Field(default=120.0, gt=0)
    """A body that takes longer to come in is refused."""
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Web origins whose pages may call the API with a key of theirs; `*`: all."""
    lease_s: float = Field(default=10.0, ge=0.2)
    """A job whose worker gives no sign of life for this long is run again."""
    callback_retry_s: Annotated[tuple[float, ...], NoDecode] = Field(default=RETRY_DELAYS_S, max_length=_MOST_RETRIES)
    """Waits after the first, second, … failed try of a callback; after one more it is given up."""
    outbound_allow: Annotated[tuple[str, ...], NoDecode] = ()
    """CIDRs that image and callback URLs may reach besides public addresses."""
    log_format: Literal["console", "json"] = "console"

    @field_validator("api_keys", "outbound_allow", "providers", "cors_origins", "callback_retry_s", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("providers")
    @classmethod
    def _know_providers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in PROVIDERS:
                raise ValueError(f"{name!r} is not one of {', '.join(PROVIDERS)}")
        return value

    @field_validator("outbound_allow")
    @classmethod
    def _know_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            try:
                ip_network(text)
            except ValueError:
                raise ValueError(f"{text!r} is not a network such as 10.0.0.0/8 or 10.1.2.3") from None
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _know_secret(cls, value: str) -> str:
        try:
            if value:
                Signer(value)
        except ValueError:
            raise ValueError("it must be whsec_ and 24 to 64 bytes in base64") from None
        return value

    @field_validator("callback_retry_s")
    @classmethod
    def _bound_waits(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        for seconds in value:
            # Written so that "nan" is refused too.
            if not 0 < seconds <= _LONGEST_RETRY_S:
                raise ValueError(f"{seconds:g} is not above 0 and up to {_LONGEST_RETRY_S:g} seconds")
        return value

    @field_validator("matting_file", "matting_sha256", "specs_file", mode="before")
    @classmethod
    def _read_empty_as_unset(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("matting_sha256", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _need_a_model_for_the_file(self) -> Self:
        if self.matting_file is not None and isinstance(MATTING_MODELS.get(self.matting), PulledModel):
            raise ValueError(
                f"MATTING_FILE is set, but the matting model {self.matting!r} has a file of its own: "
                f"set MATTING too, or leave MATTING_FILE out"
            )
        if self.matting_sha256 is not None and self.matting_file is None:
            raise ValueError("MATTING_SHA256 is set, but no MATTING_FILE")
        return self

    @property
    def matting_choice(self) -> MattingChoice:
        """The settings of the matting model together."""
        return MattingChoice(
            name=self.matting, file=self.matting_file, sha256=self.matting_sha256, providers=self.providers
        )

    @property
    def max_upload_bytes(self) -> int:
        """The upload limit in bytes (1 MB = 1024 * 1024 bytes)."""
        return int(self.max_upload_mb * 1024 * 1024)

    @property
    def resolved_database_url(self) -> str:
        """The database to use, as an async SQLAlchemy URL."""
        return self.database_url or f"sqlite+aiosqlite:///{(self.data_dir / 'idphoto.db').resolve()}"
