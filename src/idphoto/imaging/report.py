"""The report of a check: what was measured, what is allowed, and what follows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias


class Status(StrEnum):
    """How a check ended."""

    PASS = "pass"  # noqa: S105 - no password
    WARN = "warn"
    FAIL = "fail"
    NOT_ASSESSED = "not_assessed"


class MeasuredOn(StrEnum):
    """Which picture a value was measured on."""

    INPUT = "input"
    OUTPUT = "output"


#: What a value is compared with: the least and the most (None: open), a colour or a word, or several of them.
Limit: TypeAlias = tuple[float | None, float | None] | str | tuple[str, ...] | None

#: Said beside every report.
NOTICE = "A pre-check by measurement, not an approval: the office decides."


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check."""

    id: str
    """Stable, such as ``head_height``."""
    status: Status
    value: float | str | None = None
    limit: Limit = None
    unit: str = ""
    source: str = ""
    """Where the limit comes from."""
    measured_on: MeasuredOn | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the check as the wire has it; a range becomes ``{"min": ..., "max": ...}``."""
        limit: object = self.limit
        if isinstance(self.limit, tuple) and not any(isinstance(end, str) for end in self.limit):
            limit = {"min": self.limit[0], "max": self.limit[1]}
        elif isinstance(self.limit, tuple):
            limit = list(self.limit)
        return {
            "id": self.id,
            "status": self.status.value,
            "value": self.value,
            "limit": limit,
            "unit": self.unit,
            "source": self.source,
            "measured_on": self.measured_on.value if self.measured_on else None,
        }


@dataclass(frozen=True, kw_only=True)
class Report:
    """All checks of a photo for a document."""

    spec: str
    checks: tuple[Check, ...]

    @property
    def failed(self) -> tuple[Check, ...]:
        """The rules that are not met."""
        return tuple(check for check in self.checks if check.status is Status.FAIL)

    @property
    def verdict(self) -> Status:
        """The worst of all checks that were made."""
        found = {check.status for check in self.checks}
        return next((status for status in (Status.FAIL, Status.WARN, Status.PASS) if status in found), Status.PASS)

    def to_json(self) -> dict[str, Any]:
        """Return the report as the wire has it."""
        return {
            "spec": self.spec,
            "verdict": self.verdict.value,
            "notice": NOTICE,
            "checks": [check.to_json() for check in self.checks],
        }
