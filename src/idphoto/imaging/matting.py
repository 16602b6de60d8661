"""The cut-out: which part of each pixel belongs to the person.

The network is run twice: a coarse pass over the whole photo finds the person, a fine pass looks at that part only.
What it is unsure of is then solved from the photo itself (:mod:`idphoto.imaging.refine`).
:mod:`idphoto.imaging.recipes` has the sizes, docs/imaging.md the figures behind them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from idphoto.imaging.models import ModelFolder
from idphoto.imaging.networks import open_network
from idphoto.imaging.portrait import Alpha, Box, Face, Pixels
from idphoto.imaging.recipes import DEFAULT_CHOICE, MattingChoice, Pass
from idphoto.imaging.refine import refine_alpha

#: What is added around the person for the fine pass, as a fraction of the box.
_MARGIN = 0.12
#: The person usually leaves the photo at the bottom; a mirrored strip shows the model that the body goes on.
_PAD = 0.10
#: Head and shoulders around the face box, in box widths to each side and box heights above and below.
_BUST = (1.6, 1.1, 1.7)
_HALF = 128
#: Alpha from which pixels count as joined to the person; below it are wisps and haze.
_JOINED = 26
#: From this share of the person's area, something that stands apart is somebody or something else.
_OTHER = 0.03
#: How far single hairs may be from what is joined, as a fraction of the face width.
_WISPS = 0.12


@dataclass(frozen=True, kw_only=True)
class _Region:
    """A part of the photo in whole pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def side(self) -> int:
        """The longer side."""
        return max(self.right - self.left, self.bottom - self.top)

    def cut(self, array: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return this part of the array, without a copy."""
        return array[self.top : self.bottom, self.left : self.right]

    def move_box(self, box: Box, alpha: Alpha) -> Box:
        """Return the photo's box in pixels of an alpha of this region, which may be reduced."""
        scale_x, scale_y = alpha.shape[1] / (self.right - self.left), alpha.shape[0] / (self.bottom - self.top)
        return Box(
            x=(box.x - self.left) * scale_x,
            y=(box.y - self.top) * scale_y,
            width=box.width * scale_x,
            height=box.height * scale_y,
        )


class Matter:
    """Holds the matting model. One call at a time.

    Raises:
        ModelError: there is no model of that name, or its file is missing, damaged or not usable.
    """

    def __init__(self, models: ModelFolder, choice: MattingChoice = DEFAULT_CHOICE) -> None:
        self._network, self._recipe, self.provider = open_network(choice, models)

    def cut_out(self, pixels: Pixels, face: Face, others: Sequence[Face] = ()) -> Alpha:
        """Return the alpha, (H, W) uint8, of the person that the face belongs to.

        Args:
            pixels: (H, W, 3) uint8, sRGB, upright.
            face: In pixels of the same picture.
            others: Faces of people who are not to be in it.
        """
        height, width = pixels.shape[:2]
        whole = _Region(left=0, top=0, right=width, bottom=height)
        coarse = self._run(_reduce(pixels, whole, self._recipe.coarse), self._recipe.coarse, mirror_bottom=True)
        person = _find_person(coarse, whole, face)
        part = _reduce(pixels, person, self._recipe.fine)
        fine = self._run(part, self._recipe.fine, mirror_bottom=person.bottom == height)
        # At the size of the pass: enlarging adds nothing to tell people apart by, and a 50 megapixel photo is slow.
        box = person.move_box(face.box, fine)
        _keep_joined(fine, box)
        # The network takes people who touch for one.
        fine[_find_nearer(fine.shape, box, [person.move_box(other.box, fine) for other in others])] = 0
        fine = refine_alpha(part, fine, box, steps=self._recipe.steps)
        alpha = np.zeros((height, width), np.uint8)
        person.cut(alpha)[:] = _enlarge(fine, person)
        _fill_face(alpha, face)
        return alpha

    def _run(self, part: Pixels, look: Pass, *, mirror_bottom: bool) -> Alpha:
        """Run the network on a reduced part of the photo; the alpha is as large as that."""
        height = part.shape[0]
        if mirror_bottom:
            strip = max(1, round(height * _PAD))
            part = np.concatenate([part, part[: -strip - 1 : -1]])
        alpha = self._network.estimate_alpha(part, low=look.low)
        if look.mirrored:
            mirrored = self._network.estimate_alpha(part[:, ::-1], low=look.low)[:, ::-1]
            alpha = ((alpha.astype(np.uint16) + mirrored + 1) // 2).astype(np.uint8)
        return alpha[:height]


def _reduce(pixels: Pixels, region: _Region, look: Pass) -> Pixels:
    """Cut the region out, at most as large as the pass looks at."""
    part = region.cut(pixels)
    scale = min(1.0, look.longest / region.side)
    if scale == 1:
        return part
    size = (max(16, round(part.shape[1] * scale)), max(16, round(part.shape[0] * scale)))
    return cv2.resize(part, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _find_person(alpha: Alpha, whole: _Region, face: Face) -> _Region:
    """Return the box of what is joined to the face in a coarse alpha, with a margin, in pixels of the photo."""
    bust = _bound_bust(face, whole)
    scale_x, scale_y = whole.right / alpha.shape[1], whole.bottom / alpha.shape[0]
    _, main, stats = _label_persons(alpha, whole.move_box(face.box, alpha))
    if main == 0:
        # The coarse pass missed the person: look around the face.
        return bust
    left, top, width, height = stats[main][:4]
    margin_x, margin_y = width * _MARGIN, height * _MARGIN
    return _Region(
        left=max(0, min(int((left - margin_x) * scale_x), bust.left)),
        top=max(0, min(int((top - margin_y) * scale_y), bust.top)),
        right=min(whole.right, max(int((left + width + margin_x) * scale_x) + 1, bust.right)),
        bottom=min(whole.bottom, max(int((top + height + margin_y) * scale_y) + 1, bust.bottom)),
    )


def _bound_bust(face: Face, whole: _Region) -> _Region:
    """Return the part of the photo that an ID photo of this face can show."""
    box = face.box
    beside, above, below = _BUST
    return _Region(
        left=max(0, int(box.x - beside * box.width)),
        top=max(0, int(box.y - above * box.height)),
        right=min(whole.right, int(box.x + (1 + beside) * box.width) + 1),
        bottom=min(whole.bottom, int(box.y + (1 + below) * box.height) + 1),
    )


def _enlarge(alpha: Alpha, region: _Region) -> Alpha:
    size = (region.right - region.left, region.bottom - region.top)
    if (alpha.shape[1], alpha.shape[0]) == size:
        return alpha
    return cv2.resize(alpha, size, interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def _keep_joined(alpha: Alpha, box: Box) -> None:
    """Clear, in place, what does not belong to the person of the face's box: bystanders, printed figures, specks."""
    labels, main, stats = _label_persons(alpha, box)
    # Haze may join two people who stand apart, but a lock of hair may hang on by nothing else: only what is large
    # counts as somebody else.
    areas = stats[:, cv2.CC_STAT_AREA]
    is_other = areas >= areas[main] * _OTHER
    is_other[[0, main]] = False
    reach = max(1, round(box.width * _WISPS))
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * reach + 1, 2 * reach + 1))
    others = cv2.dilate(is_other[labels].astype(np.uint8), kernel)
    person = (labels == main).astype(np.uint8)
    joined = ((alpha >= _JOINED) & (others == 0)).astype(np.uint8) | person
    _, parts = cv2.connectedComponents(joined, connectivity=8)
    ours = np.unique(parts[person == 1])
    keep = cv2.dilate(np.isin(parts, ours).astype(np.uint8), kernel)
    alpha[(keep == 0) | ((others == 1) & (person == 0))] = 0


def is_divided(alpha: Alpha, face: Face, others: Sequence[Face]) -> bool:
    """Tell whether a cut-out, (H, W) uint8, ends where somebody else begins: what lies behind them is not there."""
    theirs = _find_nearer(alpha.shape, face.box, [other.box for other in others]).astype(np.uint8)
    # A pass is smaller than the photo, so the line between people is known to a few pixels.
    beside = cv2.dilate(theirs, np.ones((9, 9), np.uint8)) == 1
    return bool((alpha[beside] >= _HALF).any())


def _find_nearer(shape: tuple[int, ...], box: Box, others: Sequence[Box]) -> NDArray[np.bool_]:
    """Return where somebody else is nearer than the person of the box, (H, W).

    People stand upright: below the middle of a face counts only how far a pixel is to the side of it, in face widths.
    """
    y, x = np.ogrid[0 : shape[0], 0 : shape[1]]

    def measure(one: Box) -> NDArray[np.float64]:
        across = x - (one.x + one.width / 2)
        above = np.minimum(0, y - (one.y + one.height / 2))
        far: NDArray[np.float64] = np.hypot(across, above) / one.width
        return far

    nearer = np.zeros(shape[:2], bool)
    if others:
        ours = measure(box)
        for other in others:
            nearer |= measure(other) < ours
    return nearer


def _label_persons(alpha: Alpha, box: Box) -> tuple[NDArray[np.int32], int, NDArray[np.int32]]:
    """Return the labels of what is more person than not, the label of the face's box (0: none), and all statistics."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((alpha >= _HALF).astype(np.uint8))
    inside = labels[
        max(0, int(box.y)) : max(1, int(box.y + box.height)), max(0, int(box.x)) : max(1, int(box.x + box.width))
    ]
    votes = np.bincount(inside.ravel(), minlength=count)
    votes[0] = 0
    return np.asarray(labels, np.int32), int(votes.argmax()), np.asarray(stats, np.int32)


def _fill_face(alpha: Alpha, face: Face) -> None:
    """Make the inside of the face opaque, in place: glasses, masks and strong light leave holes there."""
    outline = cv2.convexHull(np.ascontiguousarray(face.landmarks[:, :2]))[:, 0]
    middle = outline.mean(axis=0)
    # The outline of the mesh may lie outside of a turned face.
    inner = middle + (outline - middle) * 0.9
    cv2.fillConvexPoly(alpha, np.rint(inner).astype(np.int32), 255)
