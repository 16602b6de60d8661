"""Head placement: photos are finished for every document that sets ranges, and measured again on the result.

Documents with the same shape and ranges are measured once, under all their names, at 600 pixels of height at most.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from bench.quality.portraits import Subject, load_subjects
from bench.quality.poses import make_poses
from bench.quality.report import Table
from idphoto.imaging.affine import move
from idphoto.imaging.analyse import Analyser
from idphoto.imaging.compose import Framing, frame
from idphoto.imaging.errors import SubjectError
from idphoto.imaging.faces import FaceFinder, choose_subject
from idphoto.imaging.geometry import move_head
from idphoto.imaging.models import ModelFolder
from idphoto.imaging.portrait import Head, Notice, Photo, Pixels, Portrait, Source
from idphoto.imaging.render import Finish, render
from idphoto.settings import Settings
from idphoto.specs import Crown, Range, Spec
from idphoto.specs.catalogue import Catalogue

#: Blue stands out from skin, hair and most clothes, so that measuring again is fair.
_BACKGROUND = "438EDB"
#: Both sides of a range, as a fraction of the photo's side; landmarks wander by about as much.
_TOLERANCE = 0.01
_OFF_CENTRE = 0.03
#: Higher photos are measured at this height, in pixels.
_HEIGHT = 600
#: Rows that are added above, as a share of the height.
_ROOM = 0.2
_ROLL = 5.0
#: A cut edge counts as seen from this far inside the frame, in pixels.
_SEEN_PX = 1.0

_CRITERIA = ("head height", "top margin", "eye line", "chin to bottom", "face width", "centred", "upright")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One photo made for one document."""

    spec: Spec
    subject: str
    pose: str
    pixels: Pixels | None
    """Of a photo that misses something; of the others there are too many to keep."""
    refusal: str = ""
    missed: tuple[str, ...] = ()
    """The criteria that are out of range, with the value found."""
    hair_cut: bool = False
    cut_seen: bool = False
    notices: tuple[Notice, ...] = ()


def measure(subjects: Sequence[Subject], models: ModelFolder) -> list[Table]:
    """Make all photos, two subjects at a time, and sum up: by document, and by pose."""

    def make(subject: Subject) -> list[Outcome]:
        return list(make_outcomes([subject], Analyser(models)))

    with ThreadPoolExecutor(2) as pool:
        outcomes = [outcome for made in pool.map(make, subjects) for outcome in made]
    return [
        _sum_up(outcomes, "Placement by document", "document", [(o.spec.id, o) for o in outcomes]),
        _sum_up(outcomes, "Placement by pose", "pose", [(o.pose, o) for o in outcomes]),
    ]


def make_outcomes(subjects: Sequence[Subject], analyser: Analyser) -> Iterator[Outcome]:
    """Make a photo of every subject in every pose for every document that sets a range."""
    specs = group_specs(Catalogue.load())
    finder = FaceFinder(ModelFolder(Settings().models_dir))
    for subject in subjects:
        face = choose_subject(finder.find_upright(subject.pixels)[1], largest=True)
        for pose, pixels in make_poses(subject.pixels, face):
            try:
                portrait = analyser.analyse(Source(pixels=pixels, format="PNG"), largest_face=True)
            except SubjectError as error:
                for spec in specs:
                    yield Outcome(spec=spec, subject=subject.name, pose=pose, pixels=None, refusal=error.code)
                continue
            for spec in specs:
                yield _make_outcome(analyser, portrait, spec, subject.name, pose)


def group_specs(specs: Iterable[Spec]) -> list[Spec]:
    """Return one spec for all that set the same ranges for the same shape, named after all of them."""
    groups: dict[tuple[object, ...], list[Spec]] = {}
    for spec in specs:
        ranges = _list_ranges(spec)
        if ranges:
            ends = tuple((name, round(limits.low, 3), round(limits.high, 3)) for name, limits in ranges.items())
            groups.setdefault((round(spec.width / spec.height, 2), spec.crown or Crown.HAIR, ends), []).append(spec)
    return [_shrink(group) for group in groups.values()]


def _shrink(group: Sequence[Spec]) -> Spec:
    first = group[0]
    scale = min(1.0, _HEIGHT / first.height)
    return replace(
        first,
        id=", ".join(spec.id for spec in group),
        width=round(first.width * scale),
        height=round(first.height * scale),
    )


def _make_outcome(analyser: Analyser, portrait: Portrait, spec: Spec, subject: str, pose: str) -> Outcome:
    framing = frame(portrait, spec)
    photo = render(portrait, framing, Finish(background=_BACKGROUND), dpi=spec.dpi)
    missed = tuple(find_missed(analyser, photo, spec))
    return Outcome(
        spec=spec,
        subject=subject,
        pose=pose,
        pixels=photo.pixels if missed else None,
        missed=missed,
        hair_cut=Notice.HAIR_CUT in photo.warnings,
        cut_seen=is_cut_seen(portrait, framing),
        notices=photo.warnings,
    )


def find_missed(analyser: Analyser, photo: Photo, spec: Spec) -> list[str]:
    """Find the head in a finished photo again, and name the criteria that it misses with what was found."""
    # Tall hair may leave the frame where the ranges have no room for it. The head is to be measured then, not refused.
    room = round(_ROOM * spec.height)
    blue = tuple(bytes.fromhex(_BACKGROUND))
    pixels = cv2.copyMakeBorder(photo.pixels, room, 0, 0, 0, cv2.BORDER_CONSTANT, value=blue).astype(np.uint8)
    try:
        found = analyser.analyse(Source(pixels=pixels, format="PNG"), largest_face=True).head
    except SubjectError as error:
        return [f"{error.code} on the result"]
    head = move_head(found, np.array([[1.0, 0, 0], [0, 1, -room]]))
    values = _measure_head(head, spec)
    missed = [
        f"{name} {values[name]:.3f} ({limits.low:.3f}-{limits.high:.3f})"
        for name, limits in _list_ranges(spec).items()
        if not limits.low - _TOLERANCE <= values[name] <= limits.high + _TOLERANCE
    ]
    if abs(values["centred"]) > _OFF_CENTRE:
        missed.append(f"centred {values['centred']:+.3f}")
    if abs(head.roll) > _ROLL:
        missed.append(f"upright {head.roll:+.1f}")
    return missed


def _measure_head(head: Head, spec: Spec) -> dict[str, float]:
    middle = (head.eye_middle[0] + head.chin[0]) / 2
    return {
        "head height": (head.chin[1] - head.top(spec.crown)[1]) / spec.height,
        "top margin": head.top(spec.crown)[1] / spec.height,
        "eye line": 1 - head.eye_middle[1] / spec.height,
        "chin to bottom": 1 - head.chin[1] / spec.height,
        "face width": head.face_width / spec.width,
        "centred": middle / spec.width - 0.5,
    }


def _list_ranges(spec: Spec) -> dict[str, Range]:
    ranges = {
        "head height": spec.head_height,
        "top margin": spec.top_margin,
        "eye line": spec.eye_line,
        "chin to bottom": spec.chin_to_bottom,
        "face width": spec.face_width,
    }
    return {name: limits for name, limits in ranges.items() if limits is not None}


def is_cut_seen(portrait: Portrait, framing: Framing) -> bool:
    """Tell whether the photo's own edge cuts the person inside the frame."""
    person = portrait.alpha >= 128
    height, width = person.shape
    edges = [(person[0], None, 0.0), (person[-1], None, float(height))]
    points = [np.column_stack([np.flatnonzero(line) + 0.5, np.full(int(line.sum()), y)]) for line, _, y in edges]
    for line, x in ((person[:, 0], 0.0), (person[:, -1], float(width))):
        points.append(np.column_stack([np.full(int(line.sum()), x), np.flatnonzero(line) + 0.5]))
    places = move(framing.matrix, np.concatenate(points).astype(np.float64))
    inside = (places > _SEEN_PX) & (places < np.array([framing.width, framing.height]) - _SEEN_PX)
    return bool(inside.all(axis=1).any())


def _sum_up(outcomes: Sequence[Outcome], title: str, what: str, named: Sequence[tuple[str, Outcome]]) -> Table:
    rows = []
    for name in [*dict.fromkeys(name for name, _ in named), "all"]:
        group = [outcome for its_name, outcome in named if name in {its_name, "all"}]
        made = [outcome for outcome in group if not outcome.refusal]
        misses = Counter(miss.split(" (")[0].rsplit(" ", 1)[0] for outcome in made for miss in outcome.missed)
        rows.append(
            (
                name,
                str(len(group)),
                str(len(group) - len(made)),
                f"{sum(not outcome.missed for outcome in made) / max(1, len(made)):.1%}",
                *(f"{1 - misses[criterion] / max(1, len(made)):.0%}" for criterion in _CRITERIA),
                str(sum(outcome.hair_cut for outcome in made)),
                str(sum(outcome.cut_seen and Notice.SHOULDERS_CUT in outcome.notices for outcome in made)),
                str(sum(outcome.cut_seen and Notice.SHOULDERS_CUT not in outcome.notices for outcome in made)),
            )
        )
    header = (what, "photos", "refused", "all in range", *_CRITERIA, "hair cut", "cut seen, told", "cut seen, not told")
    return Table(title=title, header=header, rows=tuple(rows))


def draw_sheet(outcomes: Sequence[Outcome]) -> Pixels:
    """Lay the photos side by side, 250 pixels high, ten in a row, the document's lines over them."""
    tiles = []
    for outcome in outcomes:
        assert outcome.pixels is not None
        tile, spec = outcome.pixels.copy(), outcome.spec
        for limits, from_top in ((spec.top_margin, True), (spec.eye_line, False)):
            for end in () if limits is None else (limits.low, limits.high):
                y = round((end if from_top else 1 - end) * spec.height)
                cv2.line(tile, (0, y), (spec.width, y), (255, 0, 0), 1)
        tile = cv2.resize(tile, (200, 250), interpolation=cv2.INTER_AREA).astype(np.uint8)
        cv2.putText(tile, f"{outcome.subject} {outcome.pose}", (3, 12), cv2.FONT_HERSHEY_PLAIN, 0.8, (0, 0, 0))
        cv2.putText(tile, spec.id, (3, 24), cv2.FONT_HERSHEY_PLAIN, 0.8, (0, 0, 0))
        tiles.append(tile)
    tiles += [np.zeros((250, 200, 3), np.uint8)] * (-len(tiles) % 10)
    rows = [np.hstack(tiles[start : start + 10]) for start in range(0, len(tiles), 10)]
    return np.vstack(rows).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, action="append", default=[], metavar="FOLDER")
    parser.add_argument("--sheet", type=Path, help="a picture of the photos that miss something")
    arguments = parser.parse_args()
    outcomes = list(make_outcomes(load_subjects(arguments.portraits), Analyser(ModelFolder(Settings().models_dir))))
    for outcome in outcomes:
        if outcome.missed or outcome.refusal or outcome.cut_seen:
            told = ", ".join(outcome.notices)
            print(
                f"{outcome.spec.id:16} {outcome.subject:10} {outcome.pose:12} {outcome.refusal}"
                f"{'; '.join(outcome.missed)}{' CUT SEEN' if outcome.cut_seen else ''} [{told}]"
            )
    failed = [outcome for outcome in outcomes if outcome.missed]
    if arguments.sheet and failed:
        cv2.imwrite(str(arguments.sheet), draw_sheet(failed)[..., ::-1])
    total = sum(not outcome.refusal for outcome in outcomes)
    print(f"{total - len(failed)} of {total} photos have everything in range.")


if __name__ == "__main__":
    main()
