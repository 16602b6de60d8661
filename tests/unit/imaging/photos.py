"""Synthetic portraits whose measures are known exactly."""

from __future__ import annotations

import math

import cv2
import numpy as np

from idphoto.imaging.portrait import Box, Face, Head, Point, Portrait

SKIN = (205, 160, 130)
SHIRT = (40, 50, 60)
WALL = (60, 180, 75)


def make_portrait(
    *,
    width: int = 900,
    height: int = 1200,
    head_height: float = 400.0,
    crown: Point = (450.0, 250.0),
    roll: float = 0.0,
    shoulders: bool = True,
) -> Portrait:
    """Draw a person: an oval head on broad shoulders that reach down to the bottom edge, on a green wall.

    The crown is given; the head's axis leans by the roll, clockwise for the viewer, and the body stays upright.
    """
    lean = math.radians(roll)
    down = np.array([-math.sin(lean), math.cos(lean)])
    across = np.array([math.cos(lean), math.sin(lean)])
    top = np.array(crown)
    middle = top + 0.5 * head_height * down
    chin = top + head_height * down

    alpha = np.zeros((height, width), np.uint8)
    fixed = 16  # OpenCV draws in sixteenths of a pixel, counted between pixel centres
    centre = tuple(round((value - 0.5) * fixed) for value in middle)
    axes = (round(0.38 * head_height * fixed), round(0.5 * head_height * fixed))
    cv2.ellipse(alpha, centre, axes, roll, 0, 360, 255, -1, cv2.LINE_AA, 4)
    pixels = np.full((height, width, 3), WALL, np.uint8)
    pixels[alpha > 0] = SKIN
    if shoulders:
        body = np.zeros_like(alpha)
        x, y = chin
        outline = np.array(
            [
                (x - 0.22 * head_height, y - 0.15 * head_height),
                (x + 0.22 * head_height, y - 0.15 * head_height),
                (x + 0.9 * head_height, y + 0.4 * head_height),
                (x + 0.9 * head_height, y + 20 * head_height),
                (x - 0.9 * head_height, y + 20 * head_height),
                (x - 0.9 * head_height, y + 0.4 * head_height),
            ]
        )
        cv2.fillPoly(body, [np.rint(outline).astype(np.int32)], 255)
        pixels[(body > 0) & (alpha == 0)] = SHIRT
        alpha = np.maximum(alpha, body)

    def at(point: np.ndarray) -> Point:
        return float(point[0]), float(point[1])

    head = Head(
        left_eye=at(middle - 0.15 * head_height * across),
        right_eye=at(middle + 0.15 * head_height * across),
        chin=at(chin),
        crown=crown,
        skull_top=crown,
        hair_top=crown,
        face_width=0.62 * head_height,
        roll=roll,
        yaw=0.0,
        pitch=0.0,
        crown_estimated=False,
    )
    face = Face(
        box=Box(x=at(middle)[0], y=at(middle)[1], width=head.face_width, height=head_height),
        score=0.9,
        presence=0.9,
        landmarks=np.zeros((468, 3), np.float32),
    )
    rows, columns = np.nonzero(alpha > 127)
    foreground = Box(
        x=float(columns.min()),
        y=float(rows.min()),
        width=float(columns.max() - columns.min() + 1),
        height=float(rows.max() - rows.min() + 1),
    )
    return Portrait(pixels=pixels, alpha=alpha, face=face, head=head, foreground=foreground)
