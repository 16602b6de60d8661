"""Composites with an exact answer: a foreground over a new background, then what cameras and senders do to photos."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.quality.accessories import put_on_hat, put_on_strands
from bench.quality.backgrounds import Draw, draw_like, draw_room, draw_street, draw_texture, draw_wall
from bench.quality.people import Foreground, move_face, scale_face
from idphoto.imaging.portrait import Face, Pixels

_Planes: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Composite:
    """A picture, and what a perfect cut-out of it is."""

    name: str
    kind: str
    """The class of variant."""
    pixels: Pixels
    alpha: NDArray[np.float32]
    """(H, W), 0 to 1."""
    colour: Pixels
    """(H, W, 3): the person's own colour, changed as the picture was by what changes every pixel alike."""
    face: Face


@dataclass(frozen=True, kw_only=True)
class _Scene:
    """A placed foreground before it is laid over a background."""

    colour: Pixels
    alpha: _Planes
    face: Face


Place: TypeAlias = Callable[[Foreground, np.random.Generator], _Scene]
Change: TypeAlias = Callable[[Pixels, np.random.Generator], Pixels]


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """A class of variants."""

    backgrounds: tuple[Draw, ...] = (draw_wall, draw_room)
    place: Place
    pointwise: Change | None = None
    """Done to the picture and the true colour alike."""
    damage: Change | None = None
    """Done to the picture only."""
    blur: float = 0.0
    """Standard deviation in pixels of a blur of the whole picture, true alpha included."""


def make_composites(foreground: Foreground, seed: int) -> Iterator[Composite]:
    """Make two composites of every kind; the same every time for the same foreground and seed."""
    for kind, plan in _list_kinds(foreground).items():
        for number in range(2):
            rng = np.random.default_rng(zlib.crc32(f"{seed}/{foreground.name}/{kind}/{number}".encode()))
            scene = plan.place(foreground, rng)
            height, width = scene.alpha.shape
            background = plan.backgrounds[number % len(plan.backgrounds)](width, height, rng)
            yield _compose(
                name=f"{foreground.name}-{kind}-{number}".replace(" ", "_"),
                kind=kind,
                plan=plan,
                scene=scene,
                background=background,
                rng=rng,
            )


def _compose(
    *, name: str, kind: str, plan: _Kind, scene: _Scene, background: Pixels, rng: np.random.Generator
) -> Composite:
    share = scene.alpha[..., None]
    pixels = _round(scene.colour * share + background * (1 - share))
    colour, alpha = scene.colour, scene.alpha
    if plan.pointwise is not None:
        state = rng.bit_generator.state
        pixels = plan.pointwise(pixels, rng)
        rng.bit_generator.state = state
        colour = plan.pointwise(colour, rng)
    if plan.blur:
        pixels = _round(cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), plan.blur))
        weighted = cv2.GaussianBlur(colour * share, (0, 0), plan.blur)
        alpha = cv2.GaussianBlur(alpha, (0, 0), plan.blur).astype(np.float32)
        colour = _round(weighted / np.maximum(alpha, 1e-3)[..., None])
    if plan.damage is not None:
        pixels = plan.damage(pixels, rng)
    return Composite(name=name, kind=kind, pixels=pixels, alpha=alpha, colour=colour, face=scene.face)


def _list_kinds(foreground: Foreground) -> dict[str, _Kind]:
    dark, light = _pick_tones(foreground)
    return {
        "plain": _Kind(backgrounds=(draw_wall,), place=_place),
        "textured": _Kind(backgrounds=(draw_texture, draw_street), place=_place),
        "cluttered": _Kind(backgrounds=(draw_room,), place=_place),
        "low contrast, hair": _Kind(backgrounds=(draw_like(dark, 18), draw_like(dark + 14, 18)), place=_place),
        "low contrast, clothes": _Kind(backgrounds=(draw_like(light, 18), draw_like(light - 14, 18)), place=_place),
        "grayscale": _Kind(backgrounds=(draw_wall, draw_street), place=_place, pointwise=_to_gray),
        "colour cast": _Kind(place=_place, pointwise=_cast),
        "noise": _Kind(place=_place, damage=_add_noise),
        "JPEG q40": _Kind(place=_place, damage=_compress),
        "blur": _Kind(place=_place, blur=2.0),
        "small in frame": _Kind(place=_place_small),
        "tight crop": _Kind(place=_place_tight),
        "loose strands": _Kind(backgrounds=(draw_wall, draw_street), place=_with(put_on_strands)),
        "hat": _Kind(place=_with(put_on_hat)),
    }


def _pick_tones(foreground: Foreground) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the usual colour just above the face (hair) and at the bottom (clothes)."""
    box = foreground.face.box
    middle = int(box.x + box.width / 2)
    reach = int(box.width * 0.2)
    top = foreground.colour[max(0, int(box.y - 0.25 * box.height)) : max(1, int(box.y - 0.05 * box.height))]
    return (
        np.median(top[:, middle - reach : middle + reach].reshape(-1, 3), axis=0),
        np.median(foreground.colour[-20:, middle - 2 * reach : middle + 2 * reach].reshape(-1, 3), axis=0),
    )


def _place(foreground: Foreground, rng: np.random.Generator) -> _Scene:
    """As it is, mirrored every other time, with some room above."""
    colour, alpha, face = foreground.colour, foreground.alpha, foreground.face
    if rng.random() < 0.5:
        colour, alpha, face = colour[:, ::-1], alpha[:, ::-1], _mirror(face, alpha.shape[1])
    room = int(rng.uniform(0.02, 0.15) * alpha.shape[0])
    return _Scene(
        colour=np.pad(colour, ((room, 0), (0, 0), (0, 0)), mode="edge"),
        alpha=np.pad(alpha, ((room, 0), (0, 0))),
        face=move_face(face, 0, room),
    )


def _place_small(foreground: Foreground, rng: np.random.Generator) -> _Scene:
    """At 35 to 50 % of the picture's height, standing on its lower edge, off the middle."""
    height, width = foreground.alpha.shape
    large = int(height / rng.uniform(0.35, 0.5))
    room, beside = large - height, max(0, int(large * rng.uniform(0.8, 1.4)) - width)
    left = int(beside * rng.uniform(0.2, 0.8))
    colour = np.pad(foreground.colour, ((room, 0), (left, beside - left), (0, 0)), mode="edge")
    alpha = np.pad(foreground.alpha, ((room, 0), (left, beside - left)))
    face = move_face(foreground.face, left, room)
    scale = min(1.0, 1200 / max(alpha.shape))
    size = (round(alpha.shape[1] * scale), round(alpha.shape[0] * scale))
    return _Scene(
        colour=cv2.resize(colour, size, interpolation=cv2.INTER_AREA).astype(np.uint8),
        alpha=cv2.resize(alpha, size, interpolation=cv2.INTER_AREA).astype(np.float32),
        face=scale_face(face, scale),
    )


def _place_tight(foreground: Foreground, rng: np.random.Generator) -> _Scene:
    """Head and neck only: the frame cuts hair and shoulders at the sides and ends just above the head."""
    box, (height, width) = foreground.face.box, foreground.alpha.shape
    rows = np.flatnonzero((foreground.alpha > 0.5).any(axis=1))
    top = max(0, int(rows[0]) - int(0.04 * box.height))
    bottom = min(height, int(box.y + 1.45 * box.height))
    left, right = max(0, int(box.x - 0.45 * box.width)), min(width, int(box.x + 1.45 * box.width))
    return _Scene(
        colour=foreground.colour[top:bottom, left:right],
        alpha=foreground.alpha[top:bottom, left:right],
        face=move_face(foreground.face, -left, -top),
    )


def _with(put_on: Callable[[Foreground, np.random.Generator], Foreground]) -> Place:
    def place(foreground: Foreground, rng: np.random.Generator) -> _Scene:
        return _place(put_on(foreground, rng), rng)

    return place


def _mirror(face: Face, width: int) -> Face:
    """Mirror the box; the landmarks keep their numbers, which only their outline is used for."""
    landmarks = face.landmarks.copy()
    landmarks[:, 0] = width - landmarks[:, 0]
    box = type(face.box)(
        x=width - face.box.x - face.box.width, y=face.box.y, width=face.box.width, height=face.box.height
    )
    return Face(box=box, score=face.score, presence=face.presence, landmarks=landmarks)


def _to_gray(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    gray: Pixels = np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2).astype(np.uint8)
    return gray


def _cast(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Lamp light or shade that the camera did not balance."""
    gains = [(1.2, 1.0, 0.65), (0.75, 0.95, 1.25)][rng.integers(2)]
    return _round(pixels * np.array(gains, np.float32))


def _add_noise(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    return _round(pixels + rng.normal(0, 14, pixels.shape).astype(np.float32))


def _compress(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 40])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.ascontiguousarray(decoded[..., ::-1]).astype(np.uint8)


def _round(planes: NDArray[Any]) -> Pixels:
    rounded: Pixels = np.rint(np.clip(planes, 0, 255)).astype(np.uint8)
    return rounded
