"""One photo's work, from the bytes of its source to the files and facts of its task. Runs in a thread of its own."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from idphoto.imaging.archive import pack, unpack
from idphoto.imaging.pipeline import Made, Pipeline, make_again
from idphoto.imaging.portrait import Progress
from idphoto.imaging.report import Report
from idphoto.specs import Catalogue
from idphoto.tasks.model import Outcome, SheetFiles
from idphoto.tasks.orders import read_order
from idphoto.tasks.request import Mode, PhotoRequest


@dataclass(frozen=True, kw_only=True)
class Work:
    """What came out, not yet stored."""

    outcome: Outcome
    files: tuple[tuple[str, bytes], ...] = ()
    """Storage keys and what to store under them."""
    copied_cutout: str | None = None
    """Storage key under which the source, a cut-out of an earlier task, lives on."""


def do_work(pipeline: Pipeline, catalogue: Catalogue, request: PhotoRequest, data: bytes, progress: Progress) -> Work:
    """Do what a request asks for with a source.

    Args:
        pipeline: the loaded models.
        catalogue: where specs are looked up.
        request: what is asked for.
        data: the bytes of an image, or of a cut-out when ``request.last_id`` is set.
        progress: told 0 to 100.

    Raises:
        ImagingError: the photo cannot be used.
        BadArchive: the cut-out cannot be read.
        DoesNotFit: the sheet cannot hold what is asked.
        UnknownSpec: the operator has taken the document out of the catalogue meanwhile.
    """
    if request.mode is Mode.CHECK:
        return Work(outcome=_describe_check(pipeline.check(data, catalogue.get(request.spec or ""))))
    order = read_order(request, catalogue)
    stem = secrets.token_urlsafe(24)
    cutout = f"cutouts/{stem}"
    if request.last_id is None:
        made = pipeline.make(data, order, progress=progress)
        return _collect(made, request, stem, cutout, ((cutout, pack(made.portrait, made.inspection)),))
    made = make_again(*unpack(data, head_px=order.head_px), order)
    work = _collect(made, request, stem, cutout, ())
    return Work(outcome=work.outcome, files=work.files, copied_cutout=cutout)


def _collect(made: Made, request: PhotoRequest, stem: str, cutout: str, more: tuple[tuple[str, bytes], ...]) -> Work:
    result = f"results/{stem}.{request.format.value}"
    files = [(result, made.data), *more]
    sheet = None
    if made.sheet is not None:
        # Names of their own: who knows the photo's name does not know the sheet's.
        name = secrets.token_urlsafe(24)
        sheet = SheetFiles(
            image_key=f"results/{name}.jpg",
            pdf_key=f"results/{name}.pdf",
            photos=made.sheet.photos,
            width_mm=made.sheet.width_mm,
            height_mm=made.sheet.height_mm,
        )
        files += [(sheet.image_key, made.sheet.image), (sheet.pdf_key, made.sheet.pdf)]
    height, width = made.photo.pixels.shape[:2]
    box = made.portrait.foreground
    outcome = Outcome(
        result_key=result,
        width=width,
        height=height,
        size_bytes=len(made.data),
        foreground=(round(box.x), round(box.y), round(box.width), round(box.height)),
        warnings=tuple(notice.value for notice in made.notices),
        face=_measure_face(made, height),
        compliance=made.report.to_json() if made.report else None,
        sheet=sheet,
        cutout_key=cutout,
    )
    return Work(outcome=outcome, files=tuple(files))


def _describe_check(report: Report) -> Outcome:
    return Outcome(
        result_key=None, width=0, height=0, size_bytes=0, foreground=(0, 0, 0, 0), compliance=report.to_json()
    )


def _measure_face(made: Made, height: int) -> dict[str, Any]:
    """Measure the head in the finished photo as specs do, in fractions of its height, and its angles in the source."""
    head, source = made.photo.head, made.portrait.head
    return {
        "head_height": round(float(head.chin[1] - head.crown[1]) / height, 4),
        "eye_line": round(1 - float(head.eye_middle[1]) / height, 4),
        "top_margin": round(float(head.crown[1]) / height, 4),
        "roll": round(float(head.roll), 2),
        "source_roll": round(float(source.roll), 2),
        "source_yaw": round(float(source.yaw), 2),
        "source_pitch": round(float(source.pitch), 2),
    }
