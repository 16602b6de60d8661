"""Finding the face: which pixels, which way up, and whose.

A face counts when the detector and the mesh agree on it: the detector alone sees faces in animals and textures, the
mesh's presence score rejects all of those. The rules and their limits were measured in the project's imaging study;
docs/imaging.md repeats the figures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from idphoto.imaging.detector import Detection, FaceDetector
from idphoto.imaging.errors import FaceTooSmall, MultipleFaces, NoFace
from idphoto.imaging.landmarks import (
    LEFT_CHEEK,
    MOUTH,
    RIGHT_CHEEK,
    FaceMesh,
    Mesh,
    Square,
    centre_of,
    square_on_box,
    square_on_mesh,
)
from idphoto.imaging.models import ModelFolder
from idphoto.imaging.portrait import Box, Face, Pixels, Point

#: Narrower faces, in source pixels, cannot fill a photo of a useful size.
MIN_FACE_WIDTH = 60.0
#: A second face of this share of the first one's area makes it unclear whose photo it is.
RIVAL_AREA = 0.25

_WORKING_SIDE = 1024
_MESH_SIDE = 192  # below it the mesh gains from the source's own pixels
_MOST_FACES = 10  # crowds: only the most prominent detections are looked at more closely
_PADDED_FILL = 0.5
_MIN_PRESENCE = 0.5
_MAX_ROLL = 50.0
_MIN_UPRIGHTNESS = 0.7
_SAME_FACE = 0.5  # two meshes closer than this share of the face width lie on one face


@dataclass(frozen=True, kw_only=True)
class _Candidate:
    """A verified face, in source pixels, and how well the two models agree on it."""

    face: Face
    prominence: float
    logit: float
    roll: float
    disagreement: float
    """Distance between detector and mesh, eyes plus mouth, in box widths."""

    @property
    def is_clearly_upright(self) -> bool:
        """No other orientation has to be tried."""
        return self.face.score >= 0.75 and self.logit > 0 and abs(self.roll) < 45 and self.disagreement < 0.25

    @property
    def is_perhaps_upright(self) -> bool:
        """Good enough when no orientation shows the face clearly; dim sights of a face that lies score 0.5 to 0.6."""
        return abs(self.roll) <= _MAX_ROLL and self.uprightness >= _MIN_UPRIGHTNESS

    @property
    def uprightness(self) -> float:
        """Score by which the four orientations of a photo compare."""
        return self.face.score + 0.03 * min(self.logit, 15.0) - 0.5 * self.disagreement


class FaceFinder:
    """Holds the loaded face models. One call at a time: the interpreters are not shared between threads.

    Raises:
        ModelError: a model file is missing or damaged.
    """

    def __init__(self, models: ModelFolder) -> None:
        self._detector = FaceDetector(models)
        self._mesh = FaceMesh(models)

    def find(self, pixels: Pixels) -> list[Face]:
        """Return the verified faces of a photo as it lies, main subject first; empty when there is none.

        Args:
            pixels: (H, W, 3) uint8, sRGB, any size.
        """
        return _list_faces(self._search(pixels, _shrink(pixels)))

    def find_upright(self, pixels: Pixels) -> tuple[int, list[Face]]:
        """Return the faces and the turn that puts the photo upright.

        The first number is the count of quarter turns counter-clockwise, 0 to 3, for ``np.rot90(pixels, turns)``; the
        faces are in the turned photo's coordinates, main subject first, and empty when no orientation shows a face.
        Other orientations are only tried when the photo as it lies is not clearly upright.
        """
        small = _shrink(pixels)
        found = self._search_closely(pixels, small)
        if _is_clear(found):
            return 0, _list_faces(found)
        tries = []
        for turns in (1, 2, 3):
            turned = np.ascontiguousarray(np.rot90(small, turns))
            tries.append((turns, self._search_closely(np.rot90(pixels, turns), turned)))
        # The detector sees dim faces in every orientation: a photo is only turned for a clear one.
        clear = [each for each in tries if _is_clear(each[1])]
        if clear:
            turns, found = max(clear, key=lambda each: each[1][0].uprightness)
            return turns, _list_faces(found)
        return 0, _list_faces(found) if found and found[0].is_perhaps_upright else []

    def _search_closely(self, pixels: Pixels, small: Pixels) -> list[_Candidate]:
        """Look at a photo, and at its parts if the whole shows no face clearly."""
        found = self._search(pixels, small)
        return found if _is_clear(found) else _best(found, self._look_closer(pixels, small))

    def _search(self, pixels: Pixels, small: Pixels) -> list[_Candidate]:
        """Look at a photo through its smaller copy.

        A face that nearly fills the photo is missed, or seen dimly, unless there is a grey border around it.
        """
        found = self._verify_all(self._detector.detect(small), pixels, small)
        if _is_clear(found):
            return found
        padded = self._verify_all(self._detector.detect(small, fill=_PADDED_FILL), pixels, small)
        return _best(found, padded)

    def _look_closer(self, pixels: Pixels, small: Pixels) -> list[_Candidate]:
        """Look at nine overlapping quarters of the smaller copy, for faces that are too small in the whole."""
        rows, columns = small.shape[:2]
        height, width = (rows + 1) // 2, (columns + 1) // 2
        detections = [
            detection.move(left, top)
            for top in (0, rows // 4, rows - height)
            for left in (0, columns // 4, columns - width)
            for detection in self._detector.detect(small[top : top + height, left : left + width])
        ]
        return self._verify_all(detections, pixels, small)

    def _verify_all(self, detections: list[Detection], pixels: Pixels, small: Pixels) -> list[_Candidate]:
        detections.sort(key=lambda detection: -_prominence(detection, small))
        found: list[_Candidate] = []
        for detection in detections[:_MOST_FACES]:
            candidate = self._verify(detection, pixels, small)
            if candidate and not any(_is_same(candidate.face, other.face) for other in found):
                found.append(candidate)
        return sorted(found, key=lambda candidate: -candidate.prominence)

    def _verify(self, detection: Detection, pixels: Pixels, small: Pixels) -> _Candidate | None:
        """Fit the mesh to a detection in the smaller copy; None when it shows no face."""
        zoom = max(pixels.shape[:2]) / max(small.shape[:2])
        left, right, _, mouth = ((float(x) * zoom, float(y) * zoom) for x, y in detection.keypoints[:4])
        box = _scale_box(detection.box, zoom)
        square = square_on_box(box, left, right)
        # A face that is small in the copy gains from the source's own pixels; any other has enough in the copy.
        look, scale = (pixels, 1.0) if square.side < _MESH_SIDE * zoom else (small, zoom)
        first = self._fit(look, square, scale)
        # The second look starts from the first one's landmarks, which moves points by 2 % of the eye distance.
        mesh = self._fit(look, square_on_mesh(first), scale)
        presence = 1.0 / (1.0 + math.exp(-min(max(mesh.logit, -50.0), 50.0)))
        if presence < _MIN_PRESENCE:
            return None
        eye_gap = math.dist(_middle(mesh.left_eye, mesh.right_eye), _middle(left, right))
        mouth_gap = math.dist(centre_of(mesh.points, MOUTH), mouth)
        return _Candidate(
            face=Face(box=box, score=detection.score, presence=presence, landmarks=mesh.points),
            prominence=_prominence(detection, small),
            logit=mesh.logit,
            roll=mesh.roll,
            disagreement=(eye_gap + mouth_gap) / box.width,
        )

    def _fit(self, look: Pixels, square: Square, scale: float) -> Mesh:
        """Fit the mesh in a copy that is ``scale`` times smaller than the coordinates of the square and the result."""
        x, y = square.centre
        mesh = self._mesh.fit(look, Square(centre=(x / scale, y / scale), side=square.side / scale, angle=square.angle))
        return Mesh(points=mesh.points * np.float32(scale), logit=mesh.logit)


def choose_subject(faces: Sequence[Face], *, largest: bool) -> Face:
    """Return the face to make the photo of.

    Args:
        faces: as :class:`FaceFinder` returns them, main subject first.
        largest: with several faces, take the one with the largest box instead of failing.

    Raises:
        NoFace: there is none.
        MultipleFaces: another face has at least a quarter of the main subject's area.
        FaceTooSmall: the face is less than 60 source pixels wide.
    """
    if not faces:
        raise NoFace
    subject = max(faces, key=_area) if largest else faces[0]
    if not largest and any(_area(face) >= RIVAL_AREA * _area(subject) for face in faces[1:]):
        raise MultipleFaces
    if face_width(subject) < MIN_FACE_WIDTH:
        raise FaceTooSmall
    return subject


def face_width(face: Face) -> float:
    """Return the distance between the outermost cheek points in the picture's plane, in source pixels."""
    return math.dist(face.landmarks[LEFT_CHEEK, :2].tolist(), face.landmarks[RIGHT_CHEEK, :2].tolist())


def _is_clear(found: Sequence[_Candidate]) -> bool:
    return bool(found) and found[0].is_clearly_upright


def _best(one: list[_Candidate], other: list[_Candidate]) -> list[_Candidate]:
    return max(one, other, key=lambda found: found[0].uprightness if found else -math.inf)


def _list_faces(found: Sequence[_Candidate]) -> list[Face]:
    return [candidate.face for candidate in found]


def _shrink(pixels: Pixels) -> Pixels:
    """Return a copy that is quick to search; the photo itself where it is small enough."""
    rows, columns = pixels.shape[:2]
    scale = _WORKING_SIDE / max(rows, columns)
    if scale >= 1:
        return pixels
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _prominence(detection: Detection, small: Pixels) -> float:
    """Return how much a face looks like the main subject: large, central and clear."""
    box = detection.box
    rows, columns = small.shape[:2]
    across = (box.x + box.width / 2 - columns / 2) / columns
    down = (box.y + box.height / 2 - rows / 2) / rows
    # A face in the corner lies at a distance of about 1 in these units, half the picture's sides.
    distance = 2 * math.hypot(across, down)
    return box.width * box.height * (1 - min(0.8, distance)) * detection.score


def _scale_box(box: Box, zoom: float) -> Box:
    return Box(x=box.x * zoom, y=box.y * zoom, width=box.width * zoom, height=box.height * zoom)


def _area(face: Face) -> float:
    return face.box.width * face.box.height


def _middle(one: Point, other: Point) -> Point:
    return (one[0] + other[0]) / 2, (one[1] + other[1]) / 2


def _is_same(face: Face, other: Face) -> bool:
    """Tell whether two meshes lie on one face: nested boxes of a close-up survive the detector's merging."""
    gap = math.dist(face.landmarks[:, :2].mean(axis=0).tolist(), other.landmarks[:, :2].mean(axis=0).tolist())
    return gap < _SAME_FACE * max(face_width(face), face_width(other))
