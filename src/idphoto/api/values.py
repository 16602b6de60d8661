"""Reading single values of a form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from idphoto.api.errors import BadField
from idphoto.api.forms import Form

MAX_IMAGE_URL_CHARS = 512

_NUMBER = re.compile(r"-?[0-9]{1,6}(?:\.[0-9]{1,6})?")

_Choice = TypeVar("_Choice")


def choose(form: Form, name: str, choices: Mapping[str, _Choice], *, default: _Choice) -> _Choice:
    """Return what a field's value stands for.

    Raises:
        BadField: it is none of the choices.
    """
    value = form.get(name)
    if not value:
        return default
    if value not in choices:
        raise BadField(name, value, f"it must be {' or '.join(choices)}")
    return choices[value]


def read_number(form: Form, name: str, low: float, high: float) -> float | None:
    """Return a field's number; None when it is absent.

    Raises:
        BadField: it is no number from ``low`` to ``high``.
    """
    value = form.get(name)
    if not value:
        return None
    number = float(value) if _NUMBER.fullmatch(value) else None
    if number is None or not low <= number <= high:
        raise BadField(name, value, f"it must be a number from {low:g} to {high:g}")
    return number


def read_whole(form: Form, name: str, low: int, high: int) -> int | None:
    """Return a field's whole number; None when it is absent.

    Raises:
        BadField: it is no whole number from ``low`` to ``high``.
    """
    number = read_number(form, name, low, high)
    if number is not None and number != int(number):
        raise BadField(name, form.get(name), f"it must be a whole number from {low} to {high}")
    return None if number is None else int(number)
