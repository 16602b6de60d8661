"""The expensive stage: everything that rendering needs to know of a photo."""

from __future__ import annotations

import cv2
import numpy as np

from idphoto.imaging import geometry
from idphoto.imaging.drawing import is_drawn
from idphoto.imaging.errors import HeadCropped, NoFace
from idphoto.imaging.faces import FaceFinder, choose_subject
from idphoto.imaging.inspection import Inspection, Inspector
from idphoto.imaging.matting import Matter, is_divided
from idphoto.imaging.models import ModelFolder
from idphoto.imaging.portrait import Alpha, Box, Face, Head, Notice, Photo, Pixels, Portrait, Progress, Source
from idphoto.imaging.recipes import DEFAULT_CHOICE, MattingChoice

#: Below this distance between the eyes, in pixels, a 1 inch photo at 300 dpi (295x413, eyes about 55 pixels apart) is
#: enlarged by a quarter or more.
_LOW_EYE_DISTANCE = 45.0
#: A photo counts as black and white when 99 % of its pixels differ by less between their channels. JPEG's chroma
#: rounding alone makes 2.
_GRAY_SPREAD = 6
_HALF = 128


class Analyser:
    """Holds the models. One call at a time.

    Raises:
        ModelError: a model file is missing or damaged, or there is no matting model of that name.
    """

    def __init__(self, models: ModelFolder, *, matting: MattingChoice = DEFAULT_CHOICE) -> None:
        self._finder = FaceFinder(models)
        self._matter = Matter(models, matting)
        self._inspector = Inspector(models)

    @property
    def provider(self) -> str:
        """What the matting model runs on, such as ``cpu`` or ``cuda``."""
        return self._matter.provider

    def warm_up(self) -> None:
        """Run every model once: the first run of each takes several times longer than the next."""
        gray = np.full((512, 384, 3), 128, np.uint8)
        self._finder.find_upright(gray)
        box = Box(x=142, y=120, width=100, height=120)
        outline = np.zeros((468, 3), np.float32)
        self._matter.cut_out(gray, Face(box=box, score=1.0, presence=1.0, landmarks=outline))

    def analyse(self, source: Source, *, largest_face: bool = False, progress: Progress | None = None) -> Portrait:
        """Find the face, cut the person out and measure the head.

        Args:
            source: A decoded photo.
            largest_face: Take the largest of several faces instead of failing.
            progress: Told 0 to 100.

        Raises:
            NoFace, MultipleFaces, FaceTooSmall, HeadCropped: the photo cannot be used, and why.
        """
        tell: Progress = progress or (lambda percent: None)
        tell(0)
        turns, faces = self._finder.find_upright(source.pixels)
        face = choose_subject(faces, largest=largest_face)
        tell(20)
        pixels = np.ascontiguousarray(np.rot90(source.pixels, turns))
        if is_drawn(pixels, face):
            raise NoFace("This looks like a drawing: send a photo of the person.")
        others = [other for other in faces if other is not face]
        alpha = self._matter.cut_out(pixels, face, others)
        tell(90)
        head = geometry.measure_head(face, alpha)
        foreground = _bound(alpha)
        tell(100)
        return Portrait(
            pixels=pixels,
            alpha=alpha,
            face=face,
            head=head,
            foreground=foreground,
            second_face=max((other.box.width * other.box.height for other in others), default=0.0)
            / (face.box.width * face.box.height),
            warnings=_list_notices(pixels, head, turns, divided=is_divided(alpha, face, others)),
        )

    def inspect(self, portrait: Portrait) -> Inspection:
        """Measure pose, eyes, mouth, light and sharpness of a portrait."""
        return self._inspector.inspect(portrait)

    def find_head(self, photo: Photo) -> Head | None:
        """Search the head again on a finished photo; None when it is not found there."""
        pixels = np.ascontiguousarray(photo.pixels[..., :3])
        faces = self._finder.find(pixels)
        if not faces:
            return None
        try:
            return geometry.measure_head(faces[0], photo.alpha)
        except HeadCropped:
            return None


def _list_notices(pixels: Pixels, head: Head, turns: int, *, divided: bool) -> tuple[Notice, ...]:
    (left_x, left_y), (right_x, right_y) = head.left_eye, head.right_eye
    eye_distance = float(np.hypot(right_x - left_x, right_y - left_y))
    found = {
        Notice.AUTO_ROTATED: turns != 0,
        Notice.SHOULDERS_CUT: divided,
        Notice.CROWN_ESTIMATED: head.crown_estimated,
        Notice.LOW_RESOLUTION: eye_distance < _LOW_EYE_DISTANCE,
        Notice.GRAYSCALE: _is_gray(pixels),
    }
    return tuple(notice for notice, holds in found.items() if holds)


def _is_gray(pixels: Pixels) -> bool:
    # A sample of about 100 000 pixels decides as well as all of them.
    step = max(1, int(np.sqrt(pixels.shape[0] * pixels.shape[1] / 100_000)))
    sample = pixels[::step, ::step].astype(np.int16)
    spread = sample.max(axis=2) - sample.min(axis=2)
    return bool(np.percentile(spread, 99) < _GRAY_SPREAD)


def _bound(alpha: Alpha) -> Box:
    """Return the box of the person. The face is always opaque, so there is one."""
    x, y, width, height = cv2.boundingRect((alpha >= _HALF).astype(np.uint8))
    return Box(x=float(x), y=float(y), width=float(width), height=float(height))
