from __future__ import annotations

import io

import numpy as np
import pypdfium2 as pdfium
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms, JpegImagePlugin

from idphoto.imaging.sheet import PAPERS, Item, Paper, SheetPlan, plan_sheet
from idphoto.imaging.sheet_draw import draw_sheet, encode_sheet, write_pdf

Pixels = NDArray[np.uint8]
MM = 72 / 25.4
DPI = 300
GRAY = 200

ONE_INCH = Item(width_mm=25, height_mm=35)
TWO_INCH = Item(width_mm=35, height_mm=49)


@pytest.fixture(scope="module")
def photos(astronaut: Pixels) -> list[Pixels]:
    """Two different photos at the pixels that 25x35 and 35x49 mm have at 300 dpi."""
    large = np.tile(astronaut, (2, 1, 1))
    return [astronaut[:413, 60:355].copy(), large[40:619, 40:453].copy()]


@pytest.fixture(scope="module")
def mixed() -> SheetPlan:
    """A sheet with both sizes, some photos turned."""
    plan = plan_sheet(PAPERS["a5"], [ONE_INCH, TWO_INCH])
    assert {(place.item, place.turned) for place in plan.places} >= {(0, False), (0, True), (1, False)}
    return plan


def flat(*colours: tuple[int, int, int]) -> list[Pixels]:
    return [np.full((413, 295, 3), colour, np.uint8) for colour in colours]


def to_jpeg(pixels: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95, subsampling="4:4:4")
    return buffer.getvalue()


def find_corner(place, dpi: int = DPI) -> tuple[int, int]:
    return round(place.x_mm / 25.4 * dpi), round(place.y_mm / 25.4 * dpi)


def rasterise(pdf: bytes, dpi: int = DPI) -> Pixels:
    with pdfium.PdfDocument(pdf) as document:
        return np.asarray(document[0].render(scale=dpi / 72).to_pil().convert("RGB"))


def test_the_sheet_has_the_papers_size(photos, mixed):
    sheet = draw_sheet(mixed, photos, dpi=DPI)
    assert sheet.shape == (round(mixed.paper.height_mm / 25.4 * DPI), round(mixed.paper.width_mm / 25.4 * DPI), 3)
    assert sheet.dtype == np.uint8


def test_photos_of_the_right_size_are_drawn_pixel_for_pixel(photos, mixed):
    sheet = draw_sheet(mixed, photos, dpi=DPI)
    for place in mixed.places:
        expected = photos[place.item]
        if place.turned:
            # Clockwise: the first row becomes the last column.
            expected = expected[::-1].transpose(1, 0, 2)
        left, top = find_corner(place)
        assert np.array_equal(sheet[top : top + expected.shape[0], left : left + expected.shape[1]], expected)


@pytest.mark.parametrize("dpi", [100, 600])
def test_photos_of_another_size_are_resampled_to_their_place(photos, dpi):
    plan = plan_sheet(Paper.custom(40, 50), [ONE_INCH])
    sheet = draw_sheet(plan, photos[:1], dpi=dpi, cut_lines=False)
    inked = np.argwhere((sheet != 255).any(axis=2))
    (top, left), (bottom, right) = inked.min(axis=0), inked.max(axis=0) + 1
    assert (right - left, bottom - top) == (round(25 / 25.4 * dpi), round(35 / 25.4 * dpi))
    # Pillow's filter grows with the reduction; OpenCV's cubic would differ by 5 at 100 dpi, its nearest by 4 at 600.
    peer = Image.fromarray(photos[0]).resize((right - left, bottom - top), Image.Resampling.BICUBIC)
    assert np.abs(sheet[top:bottom, left:right].astype(int) - np.asarray(peer)).mean() < 1.5


def test_reducing_averages():
    stripes = np.zeros((826, 590, 3), np.uint8)
    stripes[:, ::2] = 255
    plan = plan_sheet(Paper.custom(40, 50), [ONE_INCH])
    sheet = draw_sheet(plan, [stripes], dpi=DPI, cut_lines=False)
    left, top = find_corner(plan.places[0])
    assert set(np.unique(sheet[top : top + 413, left : left + 295])) <= {127, 128}


def test_photos_that_fill_the_paper_stay_on_it_when_rounded_to_pixels():
    # At 300 dpi, 23 mm are 272 pixels and 46 mm are 543.
    plan = plan_sheet(Paper.custom(46, 35), [Item(width_mm=23, height_mm=35, copies=2)], margin_mm=0, spacing_mm=0)
    sheet = draw_sheet(plan, flat((9, 9, 9)), dpi=DPI)
    assert sheet.shape[1] == 543
    assert (sheet == 9).all()


def test_without_cut_lines_the_rest_is_white(mixed):
    sheet = draw_sheet(mixed, flat((9, 9, 9), (9, 9, 9)), dpi=DPI, cut_lines=False)
    assert set(np.unique(sheet)) == {9, 255}


@settings(max_examples=25, deadline=None)
@given(
    paper=st.sampled_from([PAPERS["5inch"], PAPERS["6inch"], Paper.custom(90, 90)]),
    items=st.lists(
        st.builds(
            Item,
            width_mm=st.sampled_from([22, 25.4, 35]),
            height_mm=st.sampled_from([32, 35]),
            copies=st.sampled_from([1, 2]),
        ),
        min_size=1,
        max_size=2,
    ),
    margin=st.sampled_from([0.0, 0.1, 3.0]),
    spacing=st.sampled_from([0.1, 0.5, 2.0]),
    dpi=st.sampled_from([72, 150, 300]),
)
def test_cut_lines_lie_outside_of_the_photos_and_change_nothing_else(paper, items, margin, spacing, dpi):
    plan = plan_sheet(paper, items, margin_mm=margin, spacing_mm=spacing)
    photos = flat((9, 90, 9), (90, 9, 9))
    bare = draw_sheet(plan, photos, dpi=dpi, cut_lines=False)
    lined = draw_sheet(plan, photos, dpi=dpi)
    changed = (lined != bare).any(axis=2)
    assert (bare[changed] == 255).all()
    assert (lined[changed] == GRAY).all()


def test_cut_lines_run_from_each_edge_to_the_papers_edge():
    plan = plan_sheet(PAPERS["6inch"], [Item(width_mm=25, height_mm=35, copies=4)])
    sheet = draw_sheet(plan, flat((9, 9, 9)), dpi=DPI)
    thickness = 2
    for place in plan.places:
        left, top = find_corner(place)
        right, bottom = left + 295, top + 413
        for column in (slice(left - thickness, left), slice(right, right + thickness)):
            assert (np.isin(sheet[:, column], (GRAY, 9))).all()
        for row in (slice(top - thickness, top), slice(bottom, bottom + thickness)):
            assert (np.isin(sheet[row], (GRAY, 9))).all()
        # Not thicker than that: white lies beyond, in a strip clear of the lines that cross.
        assert (sheet[:40, left - thickness - 1] == 255).all()
        assert (sheet[:40, right + thickness] == 255).all()


def test_a_cut_line_ends_at_the_next_photo():
    """One photo above two: the edges between the two do not go on above the one."""
    items = [Item(width_mm=60, height_mm=40, copies=1), Item(width_mm=25, height_mm=35, copies=2)]
    plan = plan_sheet(Paper.custom(66, 100), items)
    wide = next(place for place in plan.places if place.item == 0)
    narrow = [place for place in plan.places if place.item == 1]
    assert wide.y_mm < narrow[0].y_mm == narrow[1].y_mm
    sheet = draw_sheet(plan, flat((9, 9, 9), (9, 9, 9)), dpi=DPI)
    line = find_corner(narrow[1])[0] - 1
    above, below = find_corner(wide)[1], find_corner(narrow[0])[1]
    assert (sheet[: above - 2, line] == 255).all()
    assert (sheet[above + 472 : below, line] == GRAY).all()
    assert (sheet[below + 413 :, line] == GRAY).all()


def test_the_jpeg_says_its_resolution_and_colour_space(photos):
    plan = plan_sheet(PAPERS["6inch"], [ONE_INCH])
    sheet = draw_sheet(plan, photos[:1], dpi=DPI)
    image = Image.open(io.BytesIO(encode_sheet(sheet, dpi=DPI)))
    assert isinstance(image, JpegImagePlugin.JpegImageFile)
    assert image.size == (1205, 1795)
    assert image.info["dpi"] == (DPI, DPI)
    assert JpegImagePlugin.get_sampling(image) == 0
    profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
    assert "sRGB" in ImageCms.getProfileDescription(profile)
    assert np.abs(np.asarray(image, dtype=int) - sheet).mean() < 3


def test_even_noise_becomes_a_jpeg():
    noise = np.random.default_rng(0).integers(0, 256, (600, 800, 3), dtype=np.uint8)
    assert Image.open(io.BytesIO(encode_sheet(noise, dpi=DPI))).size == (800, 600)


def test_the_ruler_finds_true_millimetres_in_the_pdf(photos, mixed):
    files = [to_jpeg(photo) for photo in photos]
    with pdfium.PdfDocument(write_pdf(mixed, files)) as document:
        assert len(document) == 1
        page = document[0]
        assert page.get_size() == pytest.approx((mixed.paper.width_mm * MM, mixed.paper.height_mm * MM), abs=0.01)
        found = list(page.get_objects(filter=[pdfium.raw.FPDF_PAGEOBJ_IMAGE]))
        assert len(found) == len(mixed.places)
        for place, image in zip(mixed.places, found, strict=True):
            left, bottom, right, top = (edge / MM for edge in image.get_bounds())
            assert (left, mixed.paper.height_mm - top) == pytest.approx((place.x_mm, place.y_mm), abs=0.01)
            assert (right - left, top - bottom) == pytest.approx((place.width_mm, place.height_mm), abs=0.01)
            matrix = [value / MM for value in image.get_matrix().get()[:4]]
            wide, high = place.width_mm, place.height_mm
            # Turned clockwise, the photo's right points down the page and its top to the right.
            expected = [0, -high, wide, 0] if place.turned else [wide, 0, 0, high]
            assert matrix == pytest.approx(expected, abs=0.01)


def test_the_pdf_holds_each_jpeg_once_and_untouched(photos, mixed):
    files = [to_jpeg(photo) for photo in photos]
    pdf = write_pdf(mixed, files)
    assert [pdf.count(file) for file in files] == [1, 1]
    assert pdf.count(b"/Subtype /Image") == 2
    assert len(pdf) < sum(map(len, files)) + 20_000


def test_the_pdf_looks_like_the_drawing(photos, mixed):
    printed = rasterise(write_pdf(mixed, [to_jpeg(photo) for photo in photos]), 100)
    drawn = Image.fromarray(draw_sheet(mixed, photos, dpi=DPI)).resize(printed.shape[1::-1], Image.Resampling.BOX)
    assert np.abs(printed.astype(int) - np.asarray(drawn)).mean() < 8


def test_cut_lines_of_the_pdf_leave_the_photos_alone(mixed):
    files = [to_jpeg(photo) for photo in flat((0, 0, 255), (0, 0, 255))]
    bare, lined = (rasterise(write_pdf(mixed, files, cut_lines=lines)) for lines in (False, True))
    changed = np.any(np.abs(lined.astype(int) - bare) > 3, axis=2)
    assert changed.mean() > 0.005
    for place in mixed.places:
        left, top = find_corner(place)
        width, height = round(place.width_mm / 25.4 * DPI), round(place.height_mm / 25.4 * DPI)
        # The outermost pixel is shared with what lies beside it.
        assert not changed[top + 2 : top + height - 2, left + 2 : left + width - 2].any()


def test_equal_sheets_are_equal_pdfs_that_ask_not_to_be_scaled(photos, mixed):
    files = [to_jpeg(photo) for photo in photos]
    pdf = write_pdf(mixed, files)
    assert pdf == write_pdf(mixed, files)
    assert pdf.startswith(b"%PDF-1.6")
    assert b"/PrintScaling /None" in pdf
    with pdfium.PdfDocument(pdf) as document:
        assert document.get_metadata_dict()["Title"] == "ID photo sheet"


def test_a_missing_photo_is_told(photos, mixed):
    with pytest.raises(ValueError, match="2 different photos, but there are 1"):
        draw_sheet(mixed, photos[:1], dpi=DPI)
    with pytest.raises(ValueError, match="2 different photos, but there are 1"):
        write_pdf(mixed, [to_jpeg(photos[0])])


def test_only_jpegs_go_into_a_pdf(photos):
    buffer = io.BytesIO()
    Image.fromarray(photos[0]).save(buffer, "PNG")
    with pytest.raises(ValueError, match="JPEG"):
        write_pdf(plan_sheet(PAPERS["6inch"], [ONE_INCH]), [buffer.getvalue()])


def test_a_sheet_of_too_many_pixels_is_refused_before_it_is_drawn(photos):
    plan = plan_sheet(Paper.custom(1200, 1200), [Item(width_mm=25, height_mm=35, copies=1)])
    with pytest.raises(ValueError, match="60 million"):
        draw_sheet(plan, photos, dpi=DPI)
