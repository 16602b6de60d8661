"""Fuzz every target for its share of the time: `python -m fuzz [--seconds N | --runs N] [--seed N] [TARGET...]`."""

from __future__ import annotations

import argparse
import ctypes
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from fuzz.seeds import write_seeds

OUT = Path("out") / "fuzz"
#: Share of the time of each target.
SHARES = {"decode": 0.4, "archive": 0.15, "form": 0.2, "fields": 0.15, "url": 0.1}
#: An input that takes longer is a finding. Far above what the slowest one needs, as machines are busy.
HANG_S = 10
#: A process that holds more is a finding; the picture itself may have 3 MB, and the imports take 250.
MEMORY_MB = 1024
MAX_INPUT_BYTES = {"decode": 40_000, "archive": 16_000, "form": 8_000, "fields": 1_000, "url": 400}
#: <sys/personality.h>: processes that are started from now on have their memory at the same addresses every time.
_ADDR_NO_RANDOMIZE = 0x0040000
#: Beyond the fuzzing itself, a process may take this long to start and end.
_SPARE_S = 120


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a target's run ended."""

    target: str
    inputs: int
    seconds: int
    finding: Path | None
    exit_code: int
    log: Path


def fuzz(target: str, *, seconds: int, runs: int | None, seed: int) -> Result:
    """Run a target and return what came of it.

    Args:
        target: its name.
        seconds: how long, at most.
        runs: how many inputs, at most; None: as many as there is time for.
        seed: the same seed and number of inputs try the same inputs.
    """
    corpus, findings, log = OUT / "corpus" / target, OUT / "findings", OUT / f"{target}.log"
    shutil.rmtree(corpus, ignore_errors=True)
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    write_seeds(target, corpus)
    before = set(findings.iterdir())
    command = [sys.executable, "-m", "fuzz.child", target, f"-seed={seed}", f"-max_total_time={seconds}"]
    command += [f"-timeout={HANG_S}", f"-rss_limit_mb={MEMORY_MB}", f"-max_len={MAX_INPUT_BYTES[target]}"]
    command += ["-print_final_stats=1", f"-artifact_prefix={findings}/{target}-", str(corpus)]
    if runs is not None:
        command.append(f"-runs={runs}")
    with log.open("w") as file:
        done = subprocess.run(  # noqa: S603 - our own command
            command,
            check=False,
            stdout=file,
            stderr=subprocess.STDOUT,
            timeout=seconds + _SPARE_S,
            env={**os.environ, "PYTHONHASHSEED": "0"},
        )
    text = log.read_text(errors="replace")
    tried = re.search(r"stat::number_of_executed_units: (\d+)", text)
    taken = re.search(r"Done \d+ runs in (\d+) second", text)
    new = sorted(set(findings.iterdir()) - before)
    return Result(
        target=target,
        inputs=int(tried[1]) if tried else 0,
        seconds=int(taken[1]) if taken else 0,
        finding=new[0] if new else None,
        exit_code=done.returncode,
        log=log,
    )


def _fix_addresses() -> bool:
    """Let the same seed try the same inputs: libFuzzer's choices depend on addresses, too."""
    return bool(ctypes.CDLL(None).personality(_ADDR_NO_RANDOMIZE) != -1)


def main() -> int:
    """Fuzz what the command line names; return 1 when there is a finding."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(SHARES)}; all by default")
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together")
    parser.add_argument("--runs", type=int, help="inputs per target, at most")
    parser.add_argument("--seed", type=int, default=1, help="1 or more")
    options = parser.parse_args()
    targets = options.targets or list(SHARES)
    if unknown := set(targets) - set(SHARES):
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    total = sum(SHARES[target] for target in targets)
    if not _fix_addresses():
        print("Addresses cannot be fixed here: another run from this seed will try other inputs.", flush=True)
    results = []
    for target in targets:
        seconds = max(1, round(options.seconds * SHARES[target] / total))
        result = fuzz(target, seconds=seconds, runs=options.runs, seed=options.seed)
        results.append(result)
        print(f"{target:8} {result.inputs:9,} inputs {result.seconds:5} s  {_tell(result)}", flush=True)
    print(f"{'all':8} {sum(result.inputs for result in results):9,} inputs, seed {options.seed}")
    return int(any(result.exit_code or not result.inputs for result in results))


def _tell(result: Result) -> str:
    if not result.exit_code and result.inputs:
        return "nothing found"
    if result.finding is None:
        return f"ended with {result.exit_code}, see {result.log}"
    return (
        f"FOUND {result.finding}: replay with `python -m fuzz.child {result.target} {result.finding}`, see {result.log}"
    )


if __name__ == "__main__":
    sys.exit(main())
