"""The command: ``CHAOS_TASKS=500 CHAOS_SEED=1 python -m chaos``. Exit code 1 when a promise was broken."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from chaos.plan import make_plan
from chaos.run import Report, run

#: Events of the server's log that tell how it fared.
_EVENTS = (
    "child_died",
    "jobs_unavailable",
    "job_not_settled",
    "job_failed",
    "lease_lost",
    "beat_failed",
    "sweep_failed",
    "unhandled_error",
    "callback_given_up",
)


def main() -> None:
    """Run the plan of the environment's seed and print what happened."""
    tasks, seed = int(os.environ.get("CHAOS_TASKS", "500")), int(os.environ.get("CHAOS_SEED", "1"))
    mount = os.environ.get("CHAOS_DISK", "mount") == "mount"
    plan = make_plan(tasks, seed)
    print(
        f"Chaos: {tasks} tasks, seed {seed}, {len(plan.server_faults)} faults of the server, "
        f"{len(plan.receiver_faults)} of the receiver",
        flush=True,
    )
    with tempfile.TemporaryDirectory(prefix="idphoto-chaos-") as folder:
        report = run(plan, Path(folder), mount=mount)
    print_report(report)
    log = os.environ.get("CHAOS_LOG")
    if log:
        Path(log).write_text("\n".join(report.output), encoding="utf-8")
    sys.exit(1 if report.ledger.broken else 0)


def print_report(report: Report) -> None:
    """Print the table, and what was broken."""
    ledger = report.ledger
    calls = [call for calls in ledger.calls.values() for call in calls]
    rows = [("tasks acknowledged", len(ledger.tasks)), ("disk filled by", report.disk)]
    rows += sorted(ledger.counts.items())
    rows += [("callbacks that arrived", len(calls)), ("callbacks delivered", sum(call.is_taken for call in calls))]
    rows += [(f"server's log: {event}", sum(event in line for line in report.output)) for event in _EVENTS]
    rows += [("seconds", round(report.seconds)), ("promises broken", len(ledger.broken))]
    for name, value in rows:
        print(f"  {name:<66}{value:>8}" if isinstance(value, int) else f"  {name:<50}{value:>24}")
    for promise in ledger.broken:
        print(f"  BROKEN  {promise}")


if __name__ == "__main__":
    main()
