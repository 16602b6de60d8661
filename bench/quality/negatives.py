"""Pictures that must be refused, each with the codes that are right for it, and portraits that must not be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import skimage.data

from bench.quality.people import Foreground
from idphoto.imaging.portrait import Face, Pixels

#: Pictures without people that scikit-image ships in its wheel.
_NO_PEOPLE = (
    "brick", "cell", "checkerboard", "chelsea", "clock", "coffee", "coins", "colorwheel", "grass", "gravel",
    "hubble_deep_field", "immunohistochemistry", "moon", "page", "retina", "rocket", "text",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Case:
    """A picture and the stable codes that are right for it; none: it must be made into a photo."""

    kind: str
    name: str
    pixels: Pixels
    codes: frozenset[str]


def make_shared_cases() -> Iterator[Case]:
    """Yield the pictures that need no portrait: photos without people, blank ones, and drawings."""
    none = frozenset({"no_face"})
    for name in _NO_PEOPLE:
        picture = getattr(skimage.data, name)()
        yield Case(kind="no person", name=name, pixels=_to_rgb(picture), codes=none)
    # A man in the distance, his face half behind a camera.
    far = frozenset({"no_face", "face_too_small"})
    yield Case(kind="person far off", name="camera", pixels=_to_rgb(skimage.data.camera()), codes=far)
    rng = np.random.default_rng(1)
    y, x = np.mgrid[0:480, 0:360]
    blank = {
        "white": np.full((480, 360, 3), 255),
        "black": np.zeros((480, 360, 3)),
        "noise": rng.integers(0, 256, (480, 360, 3)),
        "gradient": np.repeat((x / 360 * 127 + y / 480 * 127)[..., None], 3, axis=2),
    }
    for name, picture in blank.items():
        yield Case(kind="no person", name=name, pixels=picture.astype(np.uint8), codes=none)
    for number in range(6):
        yield Case(kind="drawing", name=f"cartoon {number}", pixels=_draw_cartoon(number), codes=none)
    yield Case(kind="drawing", name="stick figure", pixels=_draw_stick_figure(), codes=none)


def make_cases(foreground: Foreground, other: Foreground, pixels: Pixels, face: Face) -> Iterator[Case]:
    """Yield what can be made of a portrait: things to refuse, then things to accept.

    Args:
        foreground: the person.
        other: somebody else, to stand beside.
        pixels: (H, W, 3) the portrait itself.
        face: the face in ``pixels``.
    """
    name, box = foreground.name, face.box
    yield Case(
        kind="two people", name=name, pixels=_put_together(foreground, other), codes=frozenset({"multiple_faces"})
    )
    cut = frozenset({"head_cropped", "no_face"})
    left, top, right, bottom = (int(v) for v in (box.x, box.y, box.x + box.width, box.y + box.height))
    yield Case(kind="head cut", name=f"{name} forehead", pixels=pixels[top + (bottom - top) // 12 :], codes=cut)
    yield Case(kind="head cut", name=f"{name} chin", pixels=pixels[: bottom - (bottom - top) // 8], codes=cut)
    yield Case(kind="head cut", name=f"{name} left", pixels=pixels[:, left + (right - left) // 4 :], codes=cut)
    yield Case(kind="head cut", name=f"{name} right", pixels=pixels[:, : right - (right - left) // 4], codes=cut)
    small = cv2.resize(pixels, None, fx=40 / box.width, fy=40 / box.width, interpolation=cv2.INTER_AREA)
    yield Case(kind="face under 60 px", name=name, pixels=small.astype(np.uint8), codes=frozenset({"face_too_small"}))
    yield Case(
        kind="back of the head", name=name, pixels=_hide_face(foreground), codes=frozenset({"no_face", "head_cropped"})
    )
    yield Case(kind="drawing", name=f"{name} lines", pixels=_draw_lines(pixels), codes=frozenset({"no_face"}))
    for kind, variant in _vary(pixels, face):
        yield Case(kind=f"portrait, {kind}", name=name, pixels=variant, codes=frozenset())


def _vary(pixels: Pixels, face: Face) -> Iterator[tuple[str, Pixels]]:
    rng = np.random.default_rng(2)
    height, width = pixels.shape[:2]
    yield "as is", pixels
    yield "gray", np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2).astype(np.uint8)
    yield "dark", (pixels * 0.4).astype(np.uint8)
    bright = np.clip(pixels * 1.5 + 10, 0, 255).astype(np.uint8)
    yield "bright", bright
    yield "bright and gray", np.repeat(cv2.cvtColor(bright, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2).astype(np.uint8)
    yield "blurred", cv2.GaussianBlur(pixels, (0, 0), 2.5).astype(np.uint8)
    yield "noisy", np.clip(pixels + rng.normal(0, 20, pixels.shape), 0, 255).astype(np.uint8)
    decoded = cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 25])[1], cv2.IMREAD_COLOR)
    assert decoded is not None
    yield "JPEG q25", decoded.astype(np.uint8)
    yield "mirrored", np.ascontiguousarray(pixels[:, ::-1])
    for turns in (1, 2, 3):
        yield f"turned {90 * turns}", np.ascontiguousarray(np.rot90(pixels, turns))
    matrix = cv2.getRotationMatrix2D((face.box.x + face.box.width / 2, face.box.y + face.box.height / 2), 15, 1)
    yield (
        "rolled 15",
        cv2.warpAffine(pixels, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101).astype(np.uint8),
    )
    yield "glasses", _put_on_glasses(pixels, face)
    # A face of 80 pixels where it is the phone photo's twelfth.
    scale = 80 / face.box.width
    little = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    canvas = np.full((960, 960, 3), (176, 182, 178), np.uint8)
    canvas[960 - little.shape[0] :, 300 : 300 + little.shape[1]] = little[-960:, :660]
    yield "small", canvas


def _put_together(first: Foreground, second: Foreground) -> Pixels:
    """Two people side by side with faces of one size, their shoulders overlapping."""
    width, height = 900, 640
    canvas = np.full((height, width, 3), (190, 200, 205), np.float32)
    for person, middle in ((first, 280), (second, 620)):
        scale = 150 / person.face.box.width
        size = (round(person.alpha.shape[1] * scale), round(person.alpha.shape[0] * scale))
        colour = cv2.resize(person.colour, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        alpha = cv2.resize(person.alpha, size, interpolation=cv2.INTER_AREA)[..., None]
        face_x, face_y = (person.face.box.x + person.face.box.width / 2) * scale, person.face.box.y * scale
        matrix = np.array([[1, 0, middle - face_x], [0, 1, 200 - face_y]], np.float32)
        share = cv2.warpAffine(alpha, matrix, (width, height)).astype(np.float32)[..., None]
        moved = cv2.warpAffine(colour, matrix, (width, height)).astype(np.float32)
        # Where the foreground ends above the frame's lower edge, it goes on as it ends.
        end = min(height, int(200 - face_y + size[1]))
        share[end:], moved[end:] = share[end - 1], moved[end - 1]
        canvas = (moved * share + canvas * (1 - share)).astype(np.float32)
    return np.rint(canvas).astype(np.uint8)


def _hide_face(foreground: Foreground) -> Pixels:
    """Paint the hair from above the face over face and neck: a head seen from behind."""
    box = foreground.face.box
    alpha, colour = foreground.alpha.copy(), foreground.colour.copy()
    height, width = alpha.shape
    middle = int(box.x + box.width / 2)
    rows = np.flatnonzero(alpha[:, middle] > 0.9)
    top, hairline = int(rows[0]) + 2, max(int(rows[0]) + 12, int(box.y - 0.02 * box.height))
    patch = colour[top:hairline, max(0, int(box.x + 0.2 * box.width)) : int(box.x + 0.8 * box.width)]
    strip = cv2.resize(patch, (round(1.3 * box.width), hairline - top))
    high = round(1.45 * box.height)
    mirrored = np.concatenate([strip, strip[::-1]] * (high // (2 * len(strip)) + 2))[:high]
    left = max(0, middle - mirrored.shape[1] // 2)
    start = max(0, hairline - len(strip) // 4)
    part = np.s_[start : min(height, start + high), left : min(width, left + mirrored.shape[1])]
    shape = colour[part].shape
    mask = np.zeros((height, width), np.float32)
    centre = (middle, int(box.y + 0.5 * box.height))
    cv2.ellipse(mask, centre, (int(0.62 * box.width), int(0.95 * box.height)), 0, 0, 360, 1.0, -1)
    share = cv2.GaussianBlur(mask, (0, 0), 0.04 * box.width).astype(np.float32)[part][..., None]
    colour[part] = (mirrored[: shape[0], : shape[1]] * share + colour[part] * (1 - share)).astype(np.uint8)
    share = alpha[..., None]
    room = round(0.25 * box.height)
    laid = colour * share + np.array([200, 205, 210], np.float32) * (1 - share)
    return cv2.copyMakeBorder(
        np.rint(laid).astype(np.uint8), room, 0, 0, 0, cv2.BORDER_CONSTANT, value=(200, 205, 210)
    ).astype(np.uint8)


def _put_on_glasses(pixels: Pixels, face: Face) -> Pixels:
    """Draw dark frames around both eyes, joined over the nose."""
    glasses = pixels.copy()
    box = face.box
    y, r = int(box.y + 0.36 * box.height), int(0.17 * box.width)
    thick = max(2, int(0.025 * box.width))
    for share in (0.3, 0.7):
        centre = (int(box.x + share * box.width), y)
        cv2.ellipse(glasses, centre, (r, int(r * 0.8)), 0, 0, 360, (25, 20, 20), thick, cv2.LINE_AA)
    bridge = (int(box.x + 0.3 * box.width) + r, y), (int(box.x + 0.7 * box.width) - r, y)
    cv2.line(glasses, *bridge, (25, 20, 20), thick, cv2.LINE_AA)
    return glasses


def _draw_lines(pixels: Pixels) -> Pixels:
    """A line drawing of the portrait: dark lines where the picture's edges are, nothing else."""
    gray = cv2.GaussianBlur(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (0, 0), 1.2)
    lines = 255 - cv2.dilate(cv2.Canny(gray, 40, 110), np.ones((2, 2), np.uint8))
    return np.repeat(lines[..., None], 3, axis=2).astype(np.uint8)


def _draw_cartoon(number: int) -> Pixels:
    """A flat drawn face: head, hair, eyes, brows, nose and mouth in plain colours."""
    rng = np.random.default_rng(100 + number)
    canvas = np.full((480, 360, 3), rng.integers(150, 256, 3), np.uint8)
    skin, hair = [(255, 205, 50), (250, 215, 185), (150, 100, 70)][number % 3], rng.integers(0, 120, 3).tolist()
    aa = cv2.LINE_AA
    cv2.ellipse(canvas, (180, 470), (140, 110), 0, 180, 360, rng.integers(0, 255, 3).tolist(), -1, aa)
    cv2.ellipse(canvas, (180, 210), (112, 135), 0, 0, 360, hair, -1, aa)
    cv2.ellipse(canvas, (180, 240), (92, 118), 0, 0, 360, skin, -1, aa)
    cv2.ellipse(canvas, (180, 240), (92, 118), 0, 0, 360, (20, 20, 20), 2, aa)
    for x in (142, 218):
        cv2.ellipse(canvas, (x, 225), (18, 12 + 4 * (number % 2)), 0, 0, 360, (255, 255, 255), -1, aa)
        cv2.circle(canvas, (x, 226), 8, (30, 30, 30), -1, aa)
        cv2.line(canvas, (x - 20, 198), (x + 20, 196), (30, 20, 20), 4, aa)
    cv2.line(canvas, (180, 235), (172, 268), (120, 80, 60), 2, aa)
    cv2.line(canvas, (172, 268), (184, 270), (120, 80, 60), 2, aa)
    cv2.ellipse(canvas, (180, 295), (34, 16), 0, 0, 180, (190, 40, 50), -1 if number % 2 else 3, aa)
    return canvas


def _draw_stick_figure() -> Pixels:
    canvas = np.full((480, 360, 3), 255, np.uint8)
    black, aa = (0, 0, 0), cv2.LINE_AA
    cv2.circle(canvas, (180, 130), 70, black, 4, aa)
    for centre in ((155, 115), (205, 115)):
        cv2.circle(canvas, centre, 6, black, -1, aa)
    cv2.ellipse(canvas, (180, 145), (32, 20), 0, 20, 160, black, 3, aa)
    for start, end in (((180, 200), (180, 350)), ((180, 240), (110, 300)), ((180, 240), (250, 300))):
        cv2.line(canvas, start, end, black, 4, aa)
    return canvas


def _to_rgb(picture: np.ndarray) -> Pixels:
    scaled = picture * 255 if picture.dtype == bool else picture
    rgb = np.repeat(scaled[..., None], 3, axis=2) if scaled.ndim == 2 else scaled[..., :3]
    return np.ascontiguousarray(rgb).astype(np.uint8)
