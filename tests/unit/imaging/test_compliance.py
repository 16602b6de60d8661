"""What a report says, on measures that are made up: every limit on both sides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from idphoto.imaging.background import Background, Kind
from idphoto.imaging.compliance import NOT_ASSESSED, Evidence, assess, refuse
from idphoto.imaging.inspection import Inspection
from idphoto.imaging.portrait import Head, Notice
from idphoto.imaging.report import Check, MeasuredOn, Report, Status
from idphoto.specs import Crown, Editing, Range, Spec

GOOD = Inspection(
    second_face=0.0,
    roll=0.0,
    yaw=0.0,
    pitch=0.0,
    eye_distance=120.0,
    eye_opening=0.1,
    gaze=0.0,
    mouth_opening=0.01,
    burnt=0.0,
    black=0.0,
    luminance=0.5,
    entropy=7.0,
    evenness=0.9,
    redness=10.0,
    yellowness=15.0,
    sharpness=0.3,
)
#: A head 300 of 450 pixels high, its crown 45 below the top, in a photo 350 pixels wide.
HEAD = Head(
    left_eye=(130.0, 200.0),
    right_eye=(220.0, 200.0),
    chin=(175.0, 345.0),
    crown=(175.0, 45.0),
    skull_top=(175.0, 60.0),
    hair_top=(175.0, 40.0),
    face_width=180.0,
    roll=0.0,
    yaw=0.0,
    pitch=0.0,
    crown_estimated=False,
)
SPEC = Spec(
    id="club-card",
    width=350,
    height=450,
    width_mm=29.6,
    height_mm=38.1,
    head_height=Range.around(0.64, 0.70),
    top_margin=Range(low=0.08, high=1.0),
    face_width=Range.around(0.45, 0.55),
    backgrounds=("FFFFFF", "E5E5E5"),
    min_kb=20,
    max_kb=80,
    editing=Editing.BACKGROUND_ONLY,
)
EVIDENCE = Evidence(
    inspection=GOOD,
    head=HEAD,
    head_measured_on=MeasuredOn.OUTPUT,
    width=350,
    height=450,
    dpi=300,
    file_bytes=40 * 1024,
    notices=(),
    background=Background(kind=Kind.REPLACED, colours=("FFFFFF",)),
    enlarged=0.8,
)


def find(report: Report, check_id: str) -> Check:
    (found,) = [check for check in report.checks if check.id == check_id]
    return found


def judge(check_id: str, spec: Spec = SPEC, **changes: object) -> Status:
    """Return one check's status after changes to the evidence."""
    return find(assess(spec, replace(EVIDENCE, **changes)), check_id).status  # type: ignore[arg-type]


def test_a_good_photo_passes_whatever_can_be_measured() -> None:
    report = assess(SPEC, EVIDENCE)
    left = {check.id for check in report.checks if check.status is not Status.PASS}
    assert left == {*NOT_ASSESSED, "eye_distance"}  # a photo of this size has no room for the standard's
    assert report.verdict is Status.PASS
    assert report.failed == ()


def test_what_these_models_cannot_see_is_never_claimed() -> None:
    assert {find(assess(SPEC, EVIDENCE), name).status for name in NOT_ASSESSED} == {Status.NOT_ASSESSED}


@pytest.mark.parametrize(
    ("measure", "passes", "warns", "fails"),
    [
        ("yaw", 7.9, -14.9, 15.1),
        ("pitch", -11.9, 19.9, -20.1),
        ("second_face", 0.25, None, 0.26),
        ("eye_opening", 0.041, 0.02, 0.014),
        ("mouth_opening", 0.049, 0.11, 0.13),
        ("gaze", 0.11, 0.2, None),
        ("burnt", 0.04, None, 0.06),
        ("black", 0.14, 0.5, None),
        ("luminance", 0.21, 0.85, 0.1),
        ("entropy", 6.1, 5.0, None),
        ("evenness", 0.71, 0.5, None),
        ("redness", 6.0, 0.0, None),
        ("yellowness", 34.0, 40.0, None),
        ("sharpness", 0.21, 0.16, 0.14),
    ],
)
def test_every_measure_of_the_person_has_its_limits(
    measure: str, passes: float, warns: float | None, fails: float | None
) -> None:
    for value, status in ((passes, Status.PASS), (warns, Status.WARN), (fails, Status.FAIL)):
        if value is not None:
            evidence = replace(EVIDENCE, inspection=replace(GOOD, **{measure: value}))
            assert find(assess(SPEC, evidence), measure).status is status


def test_a_placement_just_outside_is_a_warning_and_further_out_a_failure() -> None:
    # The head is 0.667 of the height.
    for low, status in ((0.66, Status.PASS), (0.674, Status.WARN), (0.69, Status.FAIL)):
        assert judge("head_height", replace(SPEC, head_height=Range.around(low, 0.75))) is status
    assert judge("top_margin", replace(SPEC, top_margin=Range(low=0.13, high=1.0))) is Status.FAIL


def test_the_crown_is_the_document_s() -> None:
    without_hair = replace(SPEC, crown=Crown.SKULL)
    value = find(assess(without_hair, EVIDENCE), "head_height").value
    assert value == pytest.approx((345 - 60) / 450, abs=1e-3)
    assert judge("head_height", without_hair) is Status.WARN


def test_an_estimated_crown_is_never_certain() -> None:
    head = replace(HEAD, crown_estimated=True)
    assert judge("head_height", head=head) is Status.WARN
    assert judge("top_margin", head=head) is Status.WARN
    assert judge("face_width", head=head) is Status.PASS


def test_a_range_that_no_document_sets_is_not_checked() -> None:
    assert not [check for check in assess(SPEC, EVIDENCE).checks if check.id in {"eye_line", "chin_to_bottom"}]


def test_a_head_off_the_middle_or_tilted_is_told() -> None:
    aside = replace(HEAD, left_eye=(150.0, 200.0), right_eye=(240.0, 200.0), chin=(195.0, 345.0))
    assert judge("centred", head=aside) is Status.WARN
    assert judge("roll", head=replace(HEAD, roll=6.0)) is Status.WARN
    assert judge("roll", head=replace(HEAD, roll=-9.0)) is Status.FAIL


def test_eyes_that_the_document_has_no_room_for_are_not_judged() -> None:
    small = Spec.of_size(295, 413)
    assert judge("eye_distance", small, width=295, height=413) is Status.NOT_ASSESSED
    large = Spec.of_size(600, 800)
    close = replace(HEAD, left_eye=(140.0, 200.0), right_eye=(210.0, 200.0))
    assert judge("eye_distance", large) is Status.PASS
    assert judge("eye_distance", large, head=close) is Status.WARN


@pytest.mark.parametrize(("enlarged", "status"), [(1.0, "pass"), (1.5, "warn"), (2.5, "fail")])
def test_enlarging_is_told(enlarged: float, status: str) -> None:
    assert judge("enlarged", enlarged=enlarged) == status


def test_a_body_that_is_cut_inside_the_photo_fails() -> None:
    assert judge("body_whole", notices=(Notice.SHOULDERS_CUT,)) is Status.FAIL


@pytest.mark.parametrize(
    ("editing", "kept", "retouched", "status"),
    [
        (Editing.FORBIDDEN, True, False, "pass"),
        (Editing.FORBIDDEN, False, False, "fail"),
        (Editing.FORBIDDEN, True, True, "fail"),
        (Editing.BACKGROUND_ONLY, False, False, "pass"),
        (Editing.BACKGROUND_ONLY, False, True, "fail"),
        (Editing.ALLOWED, False, True, "pass"),
        (None, False, True, "not_assessed"),
    ],
)
def test_what_was_edited_is_compared_with_what_may_be(
    editing: Editing | None, kept: bool, retouched: bool, status: str
) -> None:
    background = Background(kind=Kind.KEPT, colours=("FEFEFE",), spread=2.0) if kept else EVIDENCE.background
    spec = replace(SPEC, editing=editing)
    assert judge("editing", spec, background=background, retouched=retouched) == status


def test_of_a_photo_that_came_finished_nobody_knows_what_was_edited() -> None:
    report = assess(replace(SPEC, editing=Editing.FORBIDDEN), replace(EVIDENCE, enlarged=None))
    assert find(report, "editing").status is Status.NOT_ASSESSED
    assert not [check for check in report.checks if check.id in {"enlarged", "body_whole"}]


def test_the_file_is_checked() -> None:
    assert judge("pixels", width=700, height=900) is Status.WARN
    assert judge("pixels", width=350, height=480) is Status.FAIL
    assert judge("dpi", dpi=72) is Status.WARN
    assert judge("dpi", dpi=None) is Status.WARN
    assert judge("file_size", file_bytes=19 * 1024) is Status.FAIL
    assert judge("file_size", file_bytes=81 * 1024) is Status.FAIL


def test_the_verdict_is_the_worst_of_all_checks() -> None:
    assert assess(SPEC, replace(EVIDENCE, dpi=72)).verdict is Status.WARN
    assert assess(SPEC, replace(EVIDENCE, dpi=72, file_bytes=1)).verdict is Status.FAIL
    assert refuse(SPEC, "no_face").verdict is Status.FAIL


def test_a_report_reads_as_json() -> None:
    report = assess(SPEC, EVIDENCE).to_json()
    assert (report["spec"], report["verdict"]) == ("club-card", "pass")
    assert "not an approval" in report["notice"]
    checks = {check["id"]: check for check in report["checks"]}
    assert checks["head_height"]["limit"] == {"min": pytest.approx(0.64), "max": pytest.approx(0.70)}
    assert checks["top_margin"]["limit"] == {"min": pytest.approx(0.08), "max": None}
    assert checks["background_colour"]["limit"] == ["FFFFFF", "E5E5E5"]
    assert checks["glasses"] == {
        "id": "glasses",
        "status": "not_assessed",
        "value": None,
        "limit": None,
        "unit": "",
        "source": "",
        "measured_on": None,
    }
