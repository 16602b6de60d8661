"""The same portrait as other photographers would have taken it."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from idphoto.imaging.portrait import Face, Pixels

#: Degrees, clockwise for the viewer.
_ROLLS = (-25, -10, 10, 25)
#: How far from the face's edge the frame ends on one side, in face widths.
_SIDE_ROOM = 0.75
#: How large the portrait stays in a larger frame, and how wide its face at least, in pixels.
_SMALL = 0.4
_SMALL_FACE = 80


def make_poses(pixels: Pixels, face: Face) -> Iterator[tuple[str, Pixels]]:
    """Yield the picture as it is, rolled, off the middle, small in the frame and lying; each with its name.

    What a larger or turned frame shows beyond the picture is mirrored from it, so that no new edge cuts the body.
    """
    yield "as is", pixels
    height, width = pixels.shape[:2]
    box = face.box
    middle = (box.x + box.width / 2, box.y + box.height / 2)
    for roll in _ROLLS:
        matrix = cv2.getRotationMatrix2D(middle, -roll, 1.0)
        rolled = cv2.warpAffine(
            pixels, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
        )
        yield f"rolled {roll:+d}", rolled.astype(np.uint8)
    room = round(_SIDE_ROOM * box.width)
    yield "at the left", np.ascontiguousarray(pixels[:, max(0, int(box.x) - room) :])
    yield "at the right", np.ascontiguousarray(pixels[:, : int(box.x + box.width) + room])
    scale = max(_SMALL, _SMALL_FACE / box.width)
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    above, beside = height - small.shape[0], (width - small.shape[1]) // 2
    yield "small", cv2.copyMakeBorder(small, above, 0, beside, beside, cv2.BORDER_REFLECT_101).astype(np.uint8)
    for turns in (1, 2, 3):
        yield f"turned {turns * 90}", np.ascontiguousarray(np.rot90(pixels, turns))
