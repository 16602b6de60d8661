"""Refusal: what cannot become an ID photo is refused with the right code, and no portrait is refused."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from bench.quality.negatives import Case, make_cases, make_shared_cases
from bench.quality.people import Foreground
from bench.quality.portraits import Subject, load_subjects
from bench.quality.report import Table
from idphoto.imaging.analyse import Analyser
from idphoto.imaging.errors import SubjectError
from idphoto.imaging.models import ModelFolder
from idphoto.imaging.portrait import Pixels, Portrait, Source
from idphoto.settings import Settings


def measure(subjects: Sequence[Subject], analyser: Analyser) -> list[Table]:
    """Try all cases, and count by kind."""
    outcomes = [(case, try_case(case, analyser)) for case in list_cases(subjects, analyser)]
    rows = []
    for kind in dict.fromkeys(case.kind for case, _ in outcomes):
        group = [(case, code) for case, code in outcomes if case.kind == kind]
        wrong = Counter(code or "accepted" for case, code in group if not is_right(case, code))
        expected = sorted(set().union(*(case.codes for case, _ in group))) or ["accepted"]
        rows.append(
            (
                kind,
                " or ".join(expected),
                str(len(group)),
                str(sum(is_right(case, code) for case, code in group)),
                ", ".join(f"{code} {count}" for code, count in wrong.items()),
            )
        )
    header = ("pictures", "expected", "number", "right", "wrong")
    return [Table(title="Refusal", header=header, rows=tuple(rows))]


def list_cases(subjects: Sequence[Subject], analyser: Analyser) -> list[Case]:
    """Return the cases that need no portrait, and those of every portrait."""
    people = [(subject, _cut_out(subject, analyser)) for subject in subjects]
    cases = list(make_shared_cases())
    for number, (subject, (foreground, portrait)) in enumerate(people):
        other, _ = people[(number + 1) % len(people)][1]
        cases += make_cases(foreground, other, subject.pixels, portrait.face)
    return cases


def _cut_out(subject: Subject, analyser: Analyser) -> tuple[Foreground, Portrait]:
    portrait = analyser.analyse(Source(pixels=subject.pixels, format="PNG"), largest_face=True)
    alpha = portrait.alpha.astype(np.float32) / np.float32(255)
    return Foreground(name=subject.name, colour=subject.pixels, alpha=alpha, face=portrait.face), portrait


def try_case(case: Case, analyser: Analyser) -> str | None:
    """Return the code that the picture is refused with; None: it is accepted."""
    try:
        analyser.analyse(Source(pixels=np.ascontiguousarray(case.pixels), format="PNG"))
    except SubjectError as error:
        return error.code
    return None


def is_right(case: Case, code: str | None) -> bool:
    """Tell whether the picture was treated as it should be."""
    return code in case.codes if case.codes else code is None


def draw_sheet(cases: Sequence[Case]) -> Pixels:
    """Lay pictures side by side, 160 pixels high, twelve in a row."""
    tiles = []
    for case in cases:
        scale = 160 / max(case.pixels.shape[:2])
        small = cv2.resize(case.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:160, :160]
        tile = np.zeros((175, 160, 3), np.uint8)
        tile[: small.shape[0], : small.shape[1]] = small
        cv2.putText(tile, case.name[:22], (2, 172), cv2.FONT_HERSHEY_PLAIN, 0.8, (255, 255, 255))
        tiles.append(tile)
    tiles += [np.zeros((175, 160, 3), np.uint8)] * (-len(tiles) % 12)
    return np.vstack([np.hstack(tiles[start : start + 12]) for start in range(0, len(tiles), 12)]).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, action="append", default=[], metavar="FOLDER")
    parser.add_argument("--sheet", type=Path, help="a picture of all cases")
    arguments = parser.parse_args()
    analyser = Analyser(ModelFolder(Settings().models_dir))
    cases = list_cases(load_subjects(arguments.portraits), analyser)
    wrong = 0
    for case in cases:
        code = try_case(case, analyser)
        if not is_right(case, code):
            wrong += 1
            print(f"{case.kind:24} {case.name:24} {code or 'accepted'}, not {sorted(case.codes) or 'accepted'}")
    print(f"{len(cases) - wrong} of {len(cases)} pictures were treated as they should be.")
    if arguments.sheet:
        cv2.imwrite(str(arguments.sheet), draw_sheet(cases)[..., ::-1])


if __name__ == "__main__":
    main()
