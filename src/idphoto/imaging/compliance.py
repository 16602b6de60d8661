"""Does a photo meet its document's rules? Checks of what the models here can measure; all else is ``not_assessed``.

Limits that no document sets stand in docs/documents.md with their sources.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

from idphoto.imaging.background import Background, Kind
from idphoto.imaging.inspection import Inspection
from idphoto.imaging.portrait import Head, Notice
from idphoto.imaging.report import Check, MeasuredOn, Report, Status
from idphoto.specs import Editing, Range, Spec

_Ends: TypeAlias = tuple[float | None, float | None]

_ISO_POSE = "ISO/IEC 19794-5:2011, 7.2.2; widened by the landmarks' noise"
_OFIQ = "after ISO/IEC 29794-5 (OFIQ)"
_OURS = "IDPhoto's own experience"

#: How far landmarks wander on the finished photo, as a fraction of its side: no more than a warning.
_WANDER = 0.01

#: What these models cannot see, and so what nobody should take for checked.
NOT_ASSESSED = (
    "glasses",
    "head_covering",
    "face_covered",
    "red_eye",
    "expression",
    "background_shadow",
    "ears_visible",
    "clothing",
    "age_of_photo",
    "earlier_retouching",
    "compression_artefacts",
)


@dataclass(frozen=True, kw_only=True)
class _Rule:
    """Two nested ranges: inside the first passes, inside the second warns, outside of both fails."""

    passes: _Ends
    warns: _Ends = (None, None)
    unit: str = ""
    source: str = _OURS

    def judge(self, value: float) -> Status:
        if _lies_in(value, self.passes):
            return Status.PASS
        return Status.WARN if _lies_in(value, self.warns) else Status.FAIL


_PERSON = {
    "yaw": _Rule(passes=(-8, 8), warns=(-15, 15), unit="degrees", source=_ISO_POSE),
    "pitch": _Rule(passes=(-12, 12), warns=(-20, 20), unit="degrees", source=_ISO_POSE),
    "second_face": _Rule(passes=(0, 0.25), warns=(0, 0.25), unit="share of the face's area", source=_OFIQ),
    "eye_opening": _Rule(passes=(0.04, None), warns=(0.015, None), unit="T", source=_OFIQ),
    "mouth_opening": _Rule(passes=(0, 0.05), warns=(0, 0.12), unit="T", source=_OFIQ),
    "gaze": _Rule(passes=(-0.12, 0.12), unit="eye widths"),
    "burnt": _Rule(passes=(0, 0.05), warns=(0, 0.05), unit="share of the face", source=_OFIQ),
    "black": _Rule(passes=(0, 0.15), unit="share of the face", source=_OFIQ),
    "luminance": _Rule(passes=(0.2, 0.8), warns=(0.15, 0.9), unit="of white", source=_OFIQ),
    "entropy": _Rule(passes=(6, None), unit="bits", source=_OFIQ),
    "evenness": _Rule(passes=(0.7, None), unit="darker to brighter cheek"),
    "redness": _Rule(passes=(5, 25), unit="CIELAB a*", source=_OFIQ),
    "yellowness": _Rule(passes=(5, 35), unit="CIELAB b*", source=_OFIQ),
    "sharpness": _Rule(passes=(0.20, None), warns=(0.15, None), unit="share of fine detail"),
}
_ROLL = _Rule(passes=(-5, 5), warns=(-8, 8), unit="degrees", source="ISO/IEC 19794-5:2011, 7.2.2")
_EYE_DISTANCE = _Rule(passes=(90, None), warns=(60, None), unit="pixels", source="ISO/IEC 39794-5 (90 pixels)")
#: The eyes lie this share of the head's height apart.
_EYES_PER_HEAD = 0.27
_CENTRED = _Rule(passes=(-0.03, 0.03), warns=(-0.06, 0.06), unit="of the width")
_ENLARGED = _Rule(passes=(None, 1.0), warns=(None, 2.0), unit="times")


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that is known of a photo when it is judged."""

    inspection: Inspection
    head: Head
    """In the finished photo's pixels."""
    head_measured_on: MeasuredOn
    """OUTPUT: the head was searched again on the finished photo; INPUT: it follows from the source's head."""
    width: int
    height: int
    dpi: float | None
    """As the file says; None: it does not."""
    file_bytes: int
    notices: tuple[Notice, ...]
    background: Background
    enlarged: float | None = None
    """Finished pixels per source pixel; None: the photo was sent finished."""
    retouched: bool = False


def assess(spec: Spec, evidence: Evidence) -> Report:
    """Judge a photo for a document."""
    checks = [
        *_check_placement(spec, evidence),
        *_check_person(evidence.inspection),
        *_check_resolution(spec, evidence),
        *evidence.background.check(spec.backgrounds),
        *_check_edits(spec, evidence),
        *_check_file(spec, evidence),
        *(Check(id=name, status=Status.NOT_ASSESSED) for name in NOT_ASSESSED),
    ]
    return Report(spec=spec.id, checks=tuple(checks))


def refuse(spec: Spec, code: str) -> Report:
    """Report a finished photo on which no whole head of one person was found; ``code`` says why."""
    subject = Check(id="subject", status=Status.FAIL, value=code, measured_on=MeasuredOn.INPUT)
    return Report(spec=spec.id, checks=(subject,))


def _check_placement(spec: Spec, evidence: Evidence) -> list[Check]:
    head, height = evidence.head, evidence.height
    top = head.top(spec.crown)
    values = {
        "head_height": ((head.chin[1] - top[1]) / height, spec.head_height),
        "top_margin": (top[1] / height, spec.top_margin),
        "eye_line": (1 - head.eye_middle[1] / height, spec.eye_line),
        "chin_to_bottom": (1 - head.chin[1] / height, spec.chin_to_bottom),
        "face_width": (head.face_width / evidence.width, spec.face_width),
    }
    checks = []
    for name, (value, limits) in values.items():
        if limits is None:
            continue
        unit = "of the width" if name == "face_width" else "of the height"
        rule = _Rule(passes=_ends(limits), warns=_ends(limits, _WANDER), unit=unit, source="the document")
        # A crown that was only estimated is never certain.
        is_guess = head.crown_estimated and name in {"head_height", "top_margin"}
        checks.append(
            _apply(name, rule, value, evidence.head_measured_on, best=Status.WARN if is_guess else Status.PASS)
        )
    middle = (head.eye_middle[0] + head.chin[0]) / 2 / evidence.width - 0.5
    checks.append(_apply("centred", _CENTRED, middle, evidence.head_measured_on))
    checks.append(_apply("roll", _ROLL, head.roll, evidence.head_measured_on))
    return checks


def _check_person(inspection: Inspection) -> list[Check]:
    return [_apply(name, rule, getattr(inspection, name), MeasuredOn.INPUT) for name, rule in _PERSON.items()]


def _check_resolution(spec: Spec, evidence: Evidence) -> list[Check]:
    checks = []
    distance = math.dist(evidence.head.left_eye, evidence.head.right_eye)
    head_height = spec.placement.head_height.target or 0.0
    if _EYES_PER_HEAD * head_height * spec.height >= (_EYE_DISTANCE.passes[0] or 0):
        checks.append(_apply("eye_distance", _EYE_DISTANCE, distance, evidence.head_measured_on))
    else:
        # The document's own size has no room for the distance that the standard wants.
        checks.append(
            Check(
                id="eye_distance",
                status=Status.NOT_ASSESSED,
                value=round(distance, 1),
                unit=_EYE_DISTANCE.unit,
                source="the document is too small for the standard's limit",
                measured_on=evidence.head_measured_on,
            )
        )
    if evidence.enlarged is not None:
        checks.append(_apply("enlarged", _ENLARGED, evidence.enlarged, MeasuredOn.OUTPUT))
        is_cut = Notice.SHOULDERS_CUT in evidence.notices
        status = Status.FAIL if is_cut else Status.PASS
        checks.append(Check(id="body_whole", status=status, source=_OURS, measured_on=MeasuredOn.OUTPUT))
    return checks


def _check_edits(spec: Spec, evidence: Evidence) -> list[Check]:
    """Compare what was done to the photo with what the document allows."""
    done = []
    if evidence.background.kind is not Kind.KEPT:
        done.append("background")
    if evidence.retouched:
        done.append("retouch")
    allowed = {
        Editing.ALLOWED: {"background", "retouch"},
        Editing.BACKGROUND_ONLY: {"background"},
        Editing.FORBIDDEN: set[str](),
    }
    if evidence.enlarged is None or spec.editing is None:
        # What was done to a photo before it came here cannot be seen; and some documents say nothing.
        status = Status.NOT_ASSESSED
    else:
        status = Status.PASS if allowed[spec.editing].issuperset(done) else Status.FAIL
    return [
        Check(
            id="editing",
            status=status,
            value=", ".join(done) or "none",
            limit=spec.editing.value if spec.editing else None,
            source="the document",
            measured_on=MeasuredOn.OUTPUT if evidence.enlarged is not None else None,
        )
    ]


def _check_file(spec: Spec, evidence: Evidence) -> list[Check]:
    is_size = (evidence.width, evidence.height) == (spec.width, spec.height)
    same_shape = abs(evidence.width / evidence.height / (spec.width / spec.height) - 1) <= _WANDER
    checks = [
        Check(
            id="pixels",
            status=Status.PASS if is_size else Status.WARN if same_shape else Status.FAIL,
            value=f"{evidence.width}x{evidence.height}",
            limit=f"{spec.width}x{spec.height}",
            source="the document",
            measured_on=MeasuredOn.OUTPUT,
        )
    ]
    if spec.width_mm is not None:
        is_dpi = evidence.dpi is not None and abs(evidence.dpi - spec.dpi) < 1
        checks.append(
            Check(
                id="dpi",
                status=Status.PASS if is_dpi else Status.WARN,
                value=evidence.dpi and round(evidence.dpi, 1),
                limit=(spec.dpi, spec.dpi),
                source="the document",
                measured_on=MeasuredOn.OUTPUT,
            )
        )
    if spec.min_kb is not None or spec.max_kb is not None:
        kilobytes = evidence.file_bytes / 1024
        rule = _Rule(passes=(spec.min_kb, spec.max_kb), warns=(0, 0), unit="KB of 1024 bytes", source="the document")
        checks.append(_apply("file_size", rule, kilobytes, MeasuredOn.OUTPUT))
    return checks


def _apply(name: str, rule: _Rule, value: float, measured_on: MeasuredOn, *, best: Status = Status.PASS) -> Check:
    status = rule.judge(value)
    return Check(
        id=name,
        status=best if status is Status.PASS else status,
        value=round(float(value), 4),
        limit=rule.passes,
        unit=rule.unit,
        source=rule.source,
        measured_on=measured_on,
    )


def _ends(limits: Range, more: float = 0.0) -> _Ends:
    """Return the ends of a document's range, an end of the photo itself as open."""
    low = None if limits.low <= 0 else limits.low - more
    high = None if limits.high >= 1 else limits.high + more
    return low, high


def _lies_in(value: float, ends: _Ends) -> bool:
    low, high = ends
    return (low is None or value >= low) and (high is None or value <= high)
