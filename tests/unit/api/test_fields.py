"""What the fields of a create call may hold, without a server."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import UploadFile

from idphoto.api.errors import BadField, BadRequest
from idphoto.api.fields import CreateRequest, read_create_request
from idphoto.api.forms import Form
from idphoto.outbound import Outbound
from idphoto.specs import Catalogue
from idphoto.tasks.model import ReturnType
from idphoto.tasks.request import Format, Mode

CATALOGUE = Catalogue.load()
MAX_UPLOAD = 100_000
CHECK_URL = Outbound().check_url


def read(**texts: str) -> CreateRequest:
    texts = {"image_url": "https://photos.example/me.jpg", **texts}
    form = Form(texts={name: (value,) for name, value in texts.items() if value})
    return read_create_request(form, catalogue=CATALOGUE, check_url=CHECK_URL)


def find_refusal(**texts: str) -> BadRequest | None:
    try:
        read(**texts)
    except BadRequest as error:
        return error
    return None


def upload(content: bytes, filename: str = "me.jpg") -> UploadFile:
    return UploadFile(io.BytesIO(content), size=len(content), filename=filename)


def test_the_defaults_are_the_contracts() -> None:
    wish = read()
    assert (wish.sync, wish.return_type, wish.callback_url) == (False, ReturnType.URL, None)
    assert (wish.photo.format, wish.photo.background) == (Format.PNG, None)
    assert (wish.photo.width, wish.photo.height, wish.photo.spec, wish.photo.largest_face) == (None, None, None, False)


@given(width=st.integers(100, 2000), height=st.integers(100, 2000))
def test_every_size_from_100_to_2000_is_taken(width: int, height: int) -> None:
    photo = read(size=f"{width}x{height}").photo
    assert (photo.width, photo.height) == (width, height)
    assert read(px_width=str(width), px_height=str(height)).photo == photo


@given(side=st.integers(0, 99) | st.integers(2001, 10**6))
def test_no_other_side_is_taken(side: int) -> None:
    for size in (f"{side}x300", f"300x{side}"):
        with pytest.raises(BadField, match="100 to 2000") as caught:
            read(size=size)
        assert caught.value.code == "bad_size"


@given(text=st.text(max_size=300))
@settings(max_examples=300)
def test_any_text_in_any_field_is_taken_or_refused_with_its_name(text: str) -> None:
    for name in ("size", "format", "bg_color", "sync", "callback_url", "image_url", "return_type", "faces", "spec"):
        error = find_refusal(**{name: text})
        if error is not None:
            assert name in str(error)
            assert error.status == 400
            assert str(error).isprintable()
            assert len(str(error)) < 1200


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"size": "300X400"}, "bad_size"),
        ({"size": "٣٠٠x400"}, "bad_size"),
        ({"size": "300x400", "px_width": "300", "px_height": "401"}, "conflicting_fields"),
        ({"px_width": "300"}, "bad_size"),
        ({"spec": "us-passport", "size": "300x400"}, "conflicting_fields"),
        ({"spec": "us-passport", "spec_id": "cn-1inch"}, "conflicting_fields"),
        ({"spec": "nowhere"}, "unknown_spec"),
        ({"format": "gif"}, "bad_format"),
        ({"bg_color": "red"}, "bad_bg_color"),
        ({"bg_color": "##FFFFF"}, "bad_bg_color"),
        ({"sync": "yes"}, "bad_sync"),
        ({"return_type": "4"}, "bad_return_type"),
        ({"return_type": "3"}, "bad_return_type"),
        ({"faces": "all"}, "bad_faces"),
        ({"image_url": "ftp://photos.example/me.jpg"}, "bad_image_url"),
        ({"image_url": "me.jpg"}, "bad_image_url"),
        ({"image_url": "https://"}, "bad_image_url"),
        ({"image_url": "https://photos.example:99999/"}, "bad_image_url"),
        ({"image_url": "https://[::1"}, "bad_image_url"),
        ({"image_url": "https://photos.example/" + "a" * 512}, "bad_image_url"),
        ({"image_url": ""}, "missing_image"),
        ({"image_file": "text"}, "bad_image_file"),
        ({"callback_url": "example.com"}, "bad_callback_url"),
        ({"dpi": "9"}, "bad_dpi"),
        ({"dpi": "300.5"}, "bad_dpi"),
        ({"mm_width": "35"}, "bad_size"),
        ({"mm_width": "35", "mm_height": "nan"}, "bad_mm_height"),
        ({"mm_width": "35", "mm_height": "45", "size": "300x400"}, "conflicting_fields"),
        ({"mm_width": "35", "mm_height": "45", "dpi": "20"}, "bad_size"),
        ({"spec": "cn-passport", "dpi": "20"}, "bad_size"),
        ({"keep_background": "yes"}, "bad_keep_background"),
        ({"bg_color2": "blue"}, "bad_bg_color2"),
        ({"min_kb": "-1"}, "bad_min_kb"),
        ({"max_kb": "20000"}, "bad_max_kb"),
        ({"min_kb": "30", "max_kb": "20"}, "bad_min_kb"),
        ({"size": "300x400", "head_height": "2"}, "bad_head_height"),
        ({"eye_line": "0.6"}, "missing_size"),
        ({"layout": "6inch"}, "missing_size"),
        ({"spec": "cn-1inch", "layout": "poster"}, "bad_layout"),
        ({"spec": "cn-1inch", "layout": "6inch", "layout_copies": "0"}, "bad_layout_copies"),
        ({"spec": "cn-1inch", "layout": "6inch", "layout_copies": "200"}, "layout_does_not_fit"),
        ({"spec": "cn-1inch", "layout": "6inch", "layout_with": "cn-2inch:x"}, "bad_layout_with"),
        ({"spec": "cn-1inch", "layout": "6inch", "layout_with": "moon-visa:2"}, "unknown_spec"),
        ({"spec": "cn-1inch", "layout": "6inch", "layout_margin": "90"}, "bad_layout_margin"),
        ({"auto_smooth": "1.5"}, "bad_auto_smooth"),
        ({"brightness": "-2"}, "bad_brightness"),
        ({"spec": "us-passport", "auto_smooth": "0.5"}, "editing_forbidden"),
        ({"spec": "cn-passport", "contrast": "0.5"}, "editing_forbidden"),
        ({"last_id": "7"}, "both_images"),
        ({"clothes_id": "3"}, "refused_field"),
        ({"auto_thin_face": "1"}, "refused_field"),
    ],
)
def test_a_bad_field_has_a_code_of_its_own(fields: dict[str, str], code: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(**fields)
    assert caught.value.code == code


def test_fields_that_ask_for_nothing_are_no_obstacle() -> None:
    off = {"keep_background": "0", "auto_bright": "0.0", "auto_thin_face": "0", "preview": "0", "layout": "none"}
    assert read(**off) == read(keep_background="0")


def test_a_document_s_photo_is_a_jpeg_unless_asked_otherwise() -> None:
    assert read(spec="cn-passport").photo.format is Format.JPG
    assert read(spec="cn-passport", format="png").photo.format is Format.PNG


def test_advanced_fields_are_read() -> None:
    photo = read(
        mm_width="35",
        mm_height="45.5",
        dpi="600",
        bg_color2="#00ff00",
        min_kb="20",
        max_kb="80",
        head_height="0.7",
        brightness="-0.25",
        auto_bright="1",
        preview="1",
        layout="a4",
        layout_with="cn-2inch:2, us-visa",
        layout_lines="0",
    ).photo
    assert (photo.width_mm, photo.height_mm, photo.dpi) == (35, 45.5, 600)
    assert (photo.background_end, photo.min_kb, photo.max_kb, photo.head_height) == ("00FF00", 20, 80, 0.7)
    assert photo.retouch == {"brightness": -0.25, "auto_bright": 1.0}
    assert photo.preview
    assert photo.layout is not None
    assert photo.layout.others == (("cn-2inch", 2), ("us-visa", None))
    assert (photo.layout.paper, photo.layout.cut_lines, photo.layout.margin_mm) == ("a4", False, 3.0)


def test_an_earlier_photo_takes_the_place_of_an_image() -> None:
    wish = read_create_request(Form(texts={"last_id": ("7d0a2c0e",)}), catalogue=CATALOGUE, check_url=CHECK_URL)
    assert wish.photo.last_id == "7d0a2c0e"
    assert (wish.image, wish.image_url) == (None, None)


def test_a_check_needs_a_document_and_waits_for_the_report() -> None:
    form = Form(texts={"image_url": ("https://photos.example/a",), "spec": ("cn-passport",)})
    wish = read_create_request(form, catalogue=CATALOGUE, check_url=CHECK_URL, mode=Mode.CHECK)
    assert (wish.photo.mode, wish.photo.spec, wish.sync) == (Mode.CHECK, "cn-passport", True)
    bare = Form(texts={"image_url": ("https://photos.example/a",)})
    with pytest.raises(BadRequest) as caught:
        read_create_request(bare, catalogue=CATALOGUE, check_url=CHECK_URL, mode=Mode.CHECK)
    assert caught.value.code == "missing_spec"


def test_an_unknown_field_is_ignored() -> None:
    assert read(app_version="7", foo="bar") == read()


def test_a_callback_address_that_is_refused_is_a_bad_field() -> None:
    with pytest.raises(BadField) as caught:
        read(callback_url="http://127.0.0.1/")
    assert caught.value.code == "bad_callback_url"


def test_an_image_address_that_is_refused_is_left_to_the_download() -> None:
    assert read(image_url="http://127.0.0.1/me.jpg").image_url == "http://127.0.0.1/me.jpg"


@pytest.mark.parametrize(("values", "fits"), [(("jpeg", "jpeg"), True), (("png", "jpeg"), False)])
def test_a_field_may_be_repeated_with_the_same_value_only(values: tuple[str, ...], fits: bool) -> None:
    form = Form(texts={"image_url": ("https://photos.example/a",), "format": values})
    if fits:
        assert read_create_request(form, catalogue=CATALOGUE, check_url=CHECK_URL).photo.format is Format.JPG
        return
    with pytest.raises(BadRequest, match=r"^format ") as caught:
        read_create_request(form, catalogue=CATALOGUE, check_url=CHECK_URL)
    assert caught.value.code == "repeated_field"


def test_a_text_field_that_comes_as_a_file_is_refused_and_an_unknown_one_ignored() -> None:
    photo = upload(b"1")
    good = Form(files={"image_file": (photo,), "whatever": (upload(b"2"),)})
    assert read_create_request(good, catalogue=CATALOGUE, check_url=CHECK_URL).image is photo
    with pytest.raises(BadRequest, match=r"^size ") as caught:
        read_create_request(
            Form(files={"image_file": (photo,), "size": (upload(b"295x413"),)}),
            catalogue=CATALOGUE,
            check_url=CHECK_URL,
        )
    assert caught.value.code == "not_a_file"


def test_repeated_photos_are_refused() -> None:
    with pytest.raises(BadRequest) as caught:
        read_create_request(
            Form(files={"image_file": (upload(b"1"), upload(b"2"))}), catalogue=CATALOGUE, check_url=CHECK_URL
        )
    assert caught.value.code == "repeated_field"


def test_an_empty_file_counts_only_without_a_url() -> None:
    empty = {"image_file": (upload(b""),)}
    alone = read_create_request(Form(files=empty), catalogue=CATALOGUE, check_url=CHECK_URL)
    assert alone.image is empty["image_file"][0]
    beside = Form(files=empty, texts={"image_url": ("https://photos.example/a",)})
    assert read_create_request(beside, catalogue=CATALOGUE, check_url=CHECK_URL).image is None


def test_a_file_and_a_url_exclude_each_other() -> None:
    form = Form(files={"image_file": (upload(b"1"),)}, texts={"image_url": ("https://photos.example/a",)})
    with pytest.raises(BadRequest) as caught:
        read_create_request(form, catalogue=CATALOGUE, check_url=CHECK_URL)
    assert caught.value.code == "both_images"
