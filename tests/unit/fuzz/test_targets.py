"""What `make fuzz` stands on: every seed is a good input, and a target tells when something is wrong."""

from __future__ import annotations

import pytest

from fuzz import targets
from fuzz.seeds import SEEDS, make_images
from idphoto.api.errors import ApiError
from idphoto.api.forms import Form
from idphoto.imaging.decode import decode
from idphoto.outbound import Outbound
from idphoto.tasks.request import Mode


def test_every_target_has_seeds() -> None:
    assert set(SEEDS) == set(targets.TARGETS)


@pytest.mark.parametrize("target", SEEDS)
def test_no_target_objects_to_its_seeds(target: str) -> None:
    seeds = list(SEEDS[target]())
    assert len({name for name, _ in seeds}) == len(seeds)
    for _, data in seeds:
        targets.TARGETS[target](data)


def test_the_seeds_of_decode_are_pictures_in_every_accepted_format() -> None:
    formats = {decode(data, max_pixels=targets.MAX_PIXELS).format for _, data in make_images()}
    assert formats >= {"JPEG", "MPO", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "HEIF"}


def test_a_refusal_without_a_code_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise ApiError("Something")

    monkeypatch.setattr(targets, "read_create_request", refuse)
    with pytest.raises(targets.Finding, match="500 'internal'"):
        targets.check_form(Form(), Mode.MAKE)


def test_an_address_that_is_let_through_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "_OUTBOUND", Outbound(["127.0.0.0/8"]))
    with pytest.raises(targets.Finding, match="leads to"):
        targets.read_url(b"http://127.0.0.1/")
