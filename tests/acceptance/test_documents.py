"""Documents through HTTP: one call for each, reports, sheets, file sizes, re-rendering and retouch."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pypdfium2
import pytest
import requests
from PIL import Image, ImageDraw

from tests.running import Server


def make(server: Server, photo: bytes | None, **fields: str) -> dict[str, Any]:
    """Make a photo and return the finished task."""
    answer = server.create(photo, {"sync": "1", **fields})
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    assert data["state"] == 1, data
    return data


def fetch(url: str) -> tuple[bytes, Image.Image]:
    """Return a result's bytes and picture."""
    answer = requests.get(url, timeout=20)
    assert answer.status_code == 200
    image = Image.open(io.BytesIO(answer.content))
    image.load()
    return answer.content, image


def refuse(server: Server, photo: bytes | None, **fields: str) -> str:
    """Return the code of a refused call."""
    answer = server.create(photo, {"sync": "1", **fields})
    assert answer.status_code == 400, answer.text
    code: str = answer.json()["error"]["code"]
    return code


def delete(server: Server, task_id: str) -> None:
    """Delete a task."""
    answer = requests.delete(f"{server.url}/task/{task_id}", headers=server.headers, timeout=20)
    assert answer.status_code == 200


def find(data: dict[str, Any], check_id: str) -> dict[str, Any]:
    """Return one check of a report."""
    (found,) = [check for check in data["compliance"]["checks"] if check["id"] == check_id]
    return dict(found)


def test_a_document_s_name_alone_gives_its_photo(server: Server, astronaut_jpeg: bytes) -> None:
    data = make(server, astronaut_jpeg, spec="cn-passport")
    content, image = fetch(data["image"])
    assert (image.format, image.size, image.info["dpi"]) == ("JPEG", (390, 567), (300, 300))
    assert 30 * 1024 <= len(content) <= 80 * 1000
    assert all(abs(level - 255) < 4 for level in image.getpixel((4, 4)))  # type: ignore[union-attr]
    assert data["spec"] == "cn-passport"
    for check in ("head_height", "top_margin", "chin_to_bottom", "face_width", "centred", "roll"):
        assert find(data, check)["status"] == "pass", check
        assert find(data, check)["measured_on"] == "output"
    for check in ("file_size", "pixels", "dpi", "editing", "background_colour"):
        assert find(data, check)["status"] == "pass", check
    assert find(data, "glasses")["status"] == "not_assessed"
    assert "not an approval" in data["compliance"]["notice"]


def test_where_editing_is_forbidden_the_photo_is_only_cropped(server: Server, astronaut_jpeg: bytes) -> None:
    data = make(server, astronaut_jpeg, spec="us-passport")
    _, image = fetch(data["image"])
    corner = np.asarray(image)[:40, :40].reshape(-1, 3)
    assert corner.std(axis=0).min() > 0.5  # the studio's wall, not a colour
    assert find(data, "editing") == {
        "id": "editing",
        "status": "pass",
        "value": "none",
        "limit": "forbidden",
        "unit": "",
        "source": "the document",
        "measured_on": "output",
    }
    replaced = make(server, astronaut_jpeg, spec="us-passport", keep_background="0")
    assert find(replaced, "editing")["status"] == "fail"
    assert replaced["compliance"]["verdict"] == "fail"
    assert refuse(server, astronaut_jpeg, spec="us-passport", brightness="0.3") == "editing_forbidden"


def test_a_photo_that_is_too_tight_to_keep_its_background_says_so(server: Server, astronaut: np.ndarray) -> None:
    buffer = io.BytesIO()
    Image.fromarray(astronaut[5:200, 160:290]).save(buffer, "PNG")
    answer = server.create(buffer.getvalue(), {"sync": "1", "spec": "us-passport"})
    data = answer.json()["data"]
    assert data["state"] == -1
    assert data["err_info"].startswith("too_tight: The photo is too tight")
    assert make(server, buffer.getvalue(), spec="us-passport", keep_background="0")["state"] == 1


@pytest.mark.parametrize(
    ("fields", "size", "dpi"),
    [
        ({"mm_width": "35", "mm_height": "45", "dpi": "300"}, (413, 531), 300),
        ({"mm_width": "35", "mm_height": "45", "dpi": "600"}, (827, 1063), 600),
        ({"px_width": "320", "px_height": "440", "dpi": "350"}, (320, 440), 350),
        ({"spec": "cn-1inch", "dpi": "600"}, (591, 827), 600),
    ],
)
def test_sizes_in_millimetres_pixels_and_dpi(
    server: Server, astronaut_jpeg: bytes, fields: dict[str, str], size: tuple[int, int], dpi: int
) -> None:
    _, image = fetch(make(server, astronaut_jpeg, format="jpg", **fields)["image"])
    assert image.size == size
    assert image.info["dpi"] == (dpi, dpi)


@pytest.mark.parametrize(("least", "most"), [("14", "20"), ("200", "240"), ("", "25"), ("500", "")])
def test_a_file_size_is_met_exactly(server: Server, astronaut_jpeg: bytes, least: str, most: str) -> None:
    data = make(server, astronaut_jpeg, size="295x413", format="jpg", min_kb=least, max_kb=most)
    content, image = fetch(data["image"])
    assert image.size == (295, 413)
    assert not least or len(content) >= int(least) * 1024
    assert not most or len(content) <= int(most) * 1000


def test_a_file_size_that_cannot_be_met_is_explained(server: Server, astronaut_jpeg: bytes) -> None:
    data = server.create(astronaut_jpeg, {"sync": "1", "size": "600x800", "format": "jpg", "max_kb": "2"}).json()[
        "data"
    ]
    assert data["state"] == -1
    assert data["err_info"].startswith("file_size_unreachable: At 600x800 pixels a JPEG")


def test_a_head_can_be_placed_by_numbers(server: Server, astronaut_jpeg: bytes) -> None:
    data = make(server, astronaut_jpeg, size="300x400", format="jpg", head_height="0.5", top_margin="0.2")
    assert data["face"]["head_height"] == pytest.approx(0.5, abs=0.012)
    assert data["face"]["top_margin"] == pytest.approx(0.2, abs=0.012)


def test_a_gradient_runs_from_one_colour_to_the_other(server: Server, astronaut_jpeg: bytes) -> None:
    data = make(server, astronaut_jpeg, size="295x413", format="jpg", bg_color="438EDB", bg_color2="FFFFFF")
    _, image = fetch(data["image"])
    pixels = np.asarray(image).astype(int)
    assert np.abs(pixels[1, 2] - (0x43, 0x8E, 0xDB)).max() < 8
    assert pixels[200, 2, 0] > pixels[20, 2, 0] + 40


def test_a_sheet_comes_as_a_picture_and_in_true_millimetres(server: Server, astronaut_jpeg: bytes) -> None:
    data = make(server, astronaut_jpeg, spec="cn-1inch", layout="6inch")
    layout = data["layout"]
    _, image = fetch(layout["image"])
    assert image.info["dpi"] == (300, 300)
    assert image.size == pytest.approx((layout["width_mm"] / 25.4 * 300, layout["height_mm"] / 25.4 * 300), abs=1)
    assert {layout["width_mm"], layout["height_mm"]} == {152, 102}
    answer = requests.get(layout["pdf"], timeout=20)
    assert answer.headers["content-type"] == "application/pdf"
    widths = measure_pdf(answer.content)
    assert len(widths) == layout["photos"] >= 8
    for sides in widths:
        assert sides == pytest.approx((25, 35), abs=0.1)


def measure_pdf(content: bytes) -> list[tuple[float, float]]:
    """Return the sides of all pictures on the page in millimetres, the shorter one first."""
    document = pypdfium2.PdfDocument(content)
    try:
        page = document[0]
        boxes = [each.get_bounds() for each in page.get_objects() if each.type == 3]
    finally:
        document.close()
    inch = 25.4 / 72
    sides = [sorted(((right - left) * inch, (top - bottom) * inch)) for left, bottom, right, top in boxes]
    return [(short, long) for short, long in sides]


def test_two_sizes_share_a_sheet(server: Server, astronaut_jpeg: bytes) -> None:
    data = make(server, astronaut_jpeg, spec="cn-1inch", layout="6inch", layout_copies="4", layout_with="cn-2inch:2")
    sides = measure_pdf(requests.get(data["layout"]["pdf"], timeout=20).content)
    assert sorted(round(short) for short, _ in sides) == [25, 25, 25, 25, 35, 35]
    assert refuse(server, astronaut_jpeg, spec="cn-1inch", layout="6inch", layout_copies="99") == "layout_does_not_fit"


def test_an_earlier_photo_is_rendered_again_without_a_photo(server: Server, astronaut_jpeg: bytes) -> None:
    first = make(server, astronaut_jpeg, spec="cn-1inch")
    assert first["image_id"] == first["task_id"]
    second = make(server, None, last_id=first["image_id"], spec="cn-2inch", bg_color="438EDB", layout="5inch")
    _, image = fetch(second["image"])
    assert image.size == (413, 579)
    assert np.abs(np.asarray(image)[3, 3].astype(int) - (0x43, 0x8E, 0xDB)).max() < 8
    assert second["layout"]["photos"] >= 2
    # The cut-out belongs to the second task as well: it outlives the first.
    assert (
        requests.delete(f"{server.url}/task/{first['task_id']}", headers=server.headers, timeout=20).status_code == 200
    )
    third = make(server, None, last_id=second["image_id"], size="300x400", format="png")
    _, image = fetch(third["image"])
    assert (image.mode, image.size) == ("RGBA", (300, 400))
    assert refuse(server, None, last_id=first["image_id"], size="300x400") == "unknown_image"
    assert refuse(server, astronaut_jpeg, last_id=third["image_id"]) == "both_images"


def test_a_document_rendered_again_has_a_report_too(server: Server, astronaut_jpeg: bytes) -> None:
    first = make(server, astronaut_jpeg, size="300x400")
    assert first["compliance"] is None
    again = make(server, None, last_id=first["image_id"], spec="schengen-visa", keep_background="0")
    assert find(again, "head_height")["status"] == "pass"
    assert find(again, "head_height")["measured_on"] == "input"


def test_a_deleted_task_leaves_no_file(server: Server, astronaut_jpeg: bytes) -> None:
    data = make(server, astronaut_jpeg, spec="cn-1inch", layout="6inch")
    urls = (data["image"], data["layout"]["image"], data["layout"]["pdf"])
    before = {path for path in (server.data_dir / "files").rglob("*") if path.is_file()}
    assert (
        requests.delete(f"{server.url}/task/{data['task_id']}", headers=server.headers, timeout=20).status_code == 200
    )
    assert [requests.get(url, timeout=20).status_code for url in urls] == [404, 404, 404]
    after = {path for path in (server.data_dir / "files").rglob("*") if path.is_file()}
    assert len(before - after) == 4  # the photo, both sheets and the cut-out


def test_retouch_and_preview_change_the_picture(server: Server, astronaut_jpeg: bytes) -> None:
    first = make(server, astronaut_jpeg, size="295x413", format="jpg")
    plain = np.asarray(fetch(first["image"])[1]).astype(int)

    def again(**fields: str) -> np.ndarray:
        data = make(server, None, last_id=first["image_id"], size="295x413", format="jpg", **fields)
        return np.asarray(fetch(data["image"])[1]).astype(int)

    face = (slice(120, 260), slice(90, 200))
    assert np.abs(again() - plain).mean() < 1.5
    assert again(brightness="0.5")[face].mean() > plain[face].mean() + 5
    assert again(saturation="-1")[face].std(axis=2).mean() < 1
    assert np.abs(again(preview="1") - plain).mean() > 2
    assert refuse(server, astronaut_jpeg, clothes_id="3") == "refused_field"


def test_a_finished_photo_is_checked(server: Server, astronaut_jpeg: bytes) -> None:
    content, image = fetch(make(server, astronaut_jpeg, spec="cn-passport")["image"])
    report = check(server, content)
    assert report["verdict"] in {"pass", "warn"}
    statuses = {each["id"]: each["status"] for each in report["checks"]}
    assert statuses["head_height"] == statuses["pixels"] == statuses["file_size"] == "pass"
    assert statuses["editing"] == "not_assessed"  # what was done before cannot be seen
    lower = Image.new("RGB", image.size, "white")
    lower.paste(image.resize((280, 407)), (55, 160))
    failed = check(server, encode(lower))
    assert failed["verdict"] == "fail"
    assert {"head_height", "top_margin"} <= {each["id"] for each in failed["checks"] if each["status"] == "fail"}


def test_a_picture_without_a_head_fails_its_check_with_the_reason(server: Server) -> None:
    image = Image.new("RGB", (390, 567), "white")
    ImageDraw.Draw(image).ellipse((100, 100, 290, 350), fill="tan")
    report = check(server, encode(image))
    assert report["verdict"] == "fail"
    assert [(each["id"], each["value"]) for each in report["checks"]] == [("subject", "no_face")]


def check(server: Server, photo: bytes) -> dict[str, Any]:
    """Check a finished photo for a Chinese passport and return the report."""
    answer = server.create(photo, {"spec": "cn-passport"}, path="/task/pic/idphoto/check")
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert (data["state"], data["image"]) == (1, "")
    report: dict[str, Any] = data["compliance"]
    return report


def encode(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=92, dpi=(300, 300))
    return buffer.getvalue()


def test_the_catalogue_is_served_by_country(server: Server) -> None:
    specs = requests.get(f"{server.url}/specs", params={"country": "jp"}, timeout=20).json()["specs"]
    assert {spec["country"] for spec in specs} == {"JP"}
    passport = requests.get(f"{server.url}/specs/jp-passport", timeout=20).json()
    assert passport["head_height"]["low"] == pytest.approx(32 / 45)
    assert passport["crown"] == "skull"
    assert passport["sources"][0]["url"].startswith("http")
