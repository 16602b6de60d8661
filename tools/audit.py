"""``python -m tools.audit``: is a vulnerability known of any version that we pin? Asks OSV, by pip-audit.

Exit code 0: every pin was looked up and nothing is known. 1: something is known. 2: not every pin could be looked up,
so nothing is proven; there is no way in which that passes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.pins import Pin, list_files, read_pins

CLEAN, VULNERABLE, NOT_AUDITED = 0, 1, 2


class NotAudited(Exception):
    """The database could not be asked about every pin."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A known vulnerability of a pinned version."""

    name: str
    version: str
    id: str
    fixed_in: tuple[str, ...]


def audit(pins: Iterable[Pin], *, url: str | None = None, timeout_s: int = 30) -> list[Finding]:
    """Look up every pin, whatever Python or system it is for.

    Args:
        pins: what to look up.
        url: another server with the query call of OSV; None: the public one.
        timeout_s: seconds that one question may take.

    Raises:
        NotAudited: a question was not answered.
    """
    findings = []
    for round_ in _split(sorted({(pin.name, pin.version) for pin in pins})):
        findings += _audit_round(round_, url, timeout_s)
    return findings


def _split(versions: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Return the versions in rounds with each package once: pip-audit refuses a file that names one twice."""
    rounds: list[dict[str, str]] = []
    for name, version in versions:
        free = next((round_ for round_ in rounds if name not in round_), None)
        if free is None:
            rounds.append(free := {})
        free[name] = version
    return rounds


def _audit_round(versions: dict[str, str], url: str | None, timeout_s: int) -> list[Finding]:
    with tempfile.TemporaryDirectory(prefix="idphoto-audit-") as scratch:
        listed = Path(scratch) / "pins.txt"
        listed.write_text("".join(f"{name}=={version}\n" for name, version in versions.items()), "utf-8")
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(listed), "--disable-pip", "--no-deps"]
        # OSV answers about every version; the registry's own service skips what it does not know without a word.
        command += ["--strict", "--vulnerability-service", "osv", "--format", "json", "--progress-spinner", "off"]
        command += ["--cache-dir", str(Path(scratch) / "cache"), "--timeout", str(timeout_s)]
        command += ["--osv-url", url] if url else []
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    try:
        dependencies = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError) as error:
        complaint = (done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1]
        raise NotAudited(complaint) from error
    answered = {found["name"]: found["version"] for found in dependencies if "vulns" in found}
    if missing := versions.items() - answered.items():
        raise NotAudited("no answer about " + ", ".join(sorted(f"{name} {version}" for name, version in missing)))
    findings = [
        Finding(name=found["name"], version=found["version"], id=known["id"], fixed_in=tuple(known["fix_versions"]))
        for found in dependencies
        for known in found["vulns"]
    ]
    if done.returncode != (VULNERABLE if findings else CLEAN):
        raise NotAudited(f"pip-audit ended with {done.returncode}, which does not go with its report")
    return findings


def main() -> int:
    """Audit every requirements/*.txt, say what is known and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--osv-url", help="another server with the query call of OSV")
    given = parser.parse_args()
    files = list_files()
    pins = [pin for file in files for pin in read_pins(file)]
    count = len({(pin.name, pin.version) for pin in pins})
    try:
        findings = audit(pins, url=given.osv_url)
    except NotAudited as error:
        print(f"NOT AUDITED: the vulnerability database could not be asked about all {count} versions: {error}")
        print("This says nothing about the packages. Is this machine online?")
        return NOT_AUDITED
    for finding in findings:
        fixed = f"fixed in {', '.join(finding.fixed_in)}" if finding.fixed_in else "not fixed yet"
        print(f"{finding.name} {finding.version}: {finding.id}, {fixed}")
    names = ", ".join(file.name for file in files)
    print(f"{len(findings)} known vulnerabilities in {count} versions of {names}.")
    return VULNERABLE if findings else CLEAN


if __name__ == "__main__":
    sys.exit(main())
