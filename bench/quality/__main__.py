"""Measures picture quality: ``make bench-quality``, or ``python -m bench.quality --portraits FOLDER``."""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.quality import cutout, placement, refusal
from bench.quality.portraits import load_subjects
from bench.quality.report import Table, store
from idphoto.imaging.analyse import Analyser
from idphoto.imaging.models import ModelFolder
from idphoto.settings import Settings

PARTS = ("cutout", "placement", "refusal")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, action="append", default=[], metavar="FOLDER")
    parser.add_argument("--only", choices=PARTS, action="append", help="one part, or several; all unless given")
    parser.add_argument("--seed", type=int, default=0, help="another seed makes another set of composites")
    parser.add_argument("--out", type=Path, default=Path("out/quality"), help="tables, peers' weights, foregrounds")
    arguments = parser.parse_args()
    subjects = load_subjects(arguments.portraits)
    models = ModelFolder(Settings().models_dir)
    parts = arguments.only or PARTS
    tables: list[Table] = []
    if "cutout" in parts:
        tables += cutout.measure(subjects, models, arguments.out, seed=arguments.seed)
    if "placement" in parts:
        tables += placement.measure(subjects, models)
    if "refusal" in parts:
        tables += refusal.measure(subjects, Analyser(models))
    store(tables, arguments.out)
    print("\n".join(table.to_markdown() for table in tables))
    print(f"Stored in {arguments.out}/tables.md and tables.json. Portraits: {', '.join(s.name for s in subjects)}.")


if __name__ == "__main__":
    main()
