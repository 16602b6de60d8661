"""Names the programs that the tests want and that pip cannot install: ``python -m tests.needs chromium curl``."""

from __future__ import annotations

import shutil
import sys


def main(programs: list[str]) -> int:
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        names = " ".join(missing)
        print(f"The tests need {names}. On Debian: sudo apt-get install {names}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
