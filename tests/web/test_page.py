"""The page in a real Chromium, against the real server."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.running import Server

#: Debian's Chromium runs as root only without its sandbox; the others keep it from calling home.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
ARGUMENTS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    assert chromium is not None, "The web tests need Chromium: sudo apt-get install chromium"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An English page whose console must stay free of errors and of CSP violations."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # Chromium reports every refused call itself; the page shows those in words.
        if message.type == "error" and "status of 4" not in message.text:
            complaints.append(message.text)

    opened.on("console", note)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert complaints == []


def choose(page: Page, name: str, data: bytes) -> None:
    page.locator("#file").set_input_files({"name": name, "mimeType": "image/jpeg", "buffer": data})


def test_a_photo_is_made_watched_and_downloaded(
    server: Server, page: Page, astronaut_jpeg: bytes, tmp_path: Path
) -> None:
    page.goto(f"{server.url}/#key={server.key}")
    # The key leaves the address bar, where it would be seen and bookmarked.
    expect(page).to_have_url(f"{server.url}/")
    choose(page, "me.jpg", astronaut_jpeg)
    page.locator("input[value='spec:cn-1inch']").check()
    page.get_by_role("radio", name="Blue").check()
    page.get_by_role("button", name="Make ID photo").click()
    expect(page.locator("#status")).to_have_text("Your ID photo is ready", timeout=60_000)
    expect(page.locator("#result")).to_be_visible()
    with page.expect_download() as download:
        page.locator("#download").click()
    saved = tmp_path / "photo.jpg"
    download.value.save_as(saved)
    with Image.open(io.BytesIO(saved.read_bytes())) as image:
        assert (image.format, image.size) == ("JPEG", (295, 413))
        corner = np.asarray(image)[:12, :12].reshape(-1, 3).mean(axis=0)
    assert np.allclose(corner, (0x43, 0x8E, 0xDB), atol=4)
    page.locator("#language").click()
    expect(page.locator("#make")).to_contain_text("制作")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.reload()
    expect(page.locator("#language")).to_have_text("English")


def test_a_document_comes_with_its_report_and_a_sheet_and_is_remade_without_an_upload(
    server: Server, page: Page, astronaut_jpeg: bytes, tmp_path: Path
) -> None:
    page.goto(f"{server.url}/#key={server.key}")
    choose(page, "me.jpg", astronaut_jpeg)
    page.locator("#size-search").fill("passport")
    page.locator("input[value='spec:cn-passport']").check()
    page.locator("#sheet").select_option("6inch")
    page.get_by_role("button", name="Make ID photo").click()
    expect(page.locator("#report-title")).to_contain_text("Rules that are not met: 1", timeout=60_000)
    page.locator("#report summary").click()
    expect(page.locator("#report-list li.fail")).to_contain_text("Not enlarged")
    expect(page.locator("#report-rest")).to_contain_text("glasses")
    with page.expect_download() as download:
        page.locator("#sheet-pdf").click()
    saved = tmp_path / "sheet.pdf"
    download.value.save_as(saved)
    assert saved.read_bytes().startswith(b"%PDF-")
    page.locator("#size-search").fill("")
    page.locator("input[value='spec:us-passport']").check()
    with page.expect_request("**/task/pic/idphoto") as sent:
        page.get_by_role("button", name="Update ID photo").click()
    expect(page.locator("#after-size")).to_contain_text("600 × 600 px", timeout=60_000)
    expect(page.locator("#report-list li", has_text="Editing")).to_have_class("pass")
    body = sent.value.post_data_buffer
    assert body is not None
    assert b"last_id" in body
    assert b"image_file" not in body


def test_choices_changed_while_a_photo_is_made_are_offered_afterwards(
    server: Server, page: Page, astronaut_jpeg: bytes
) -> None:
    page.goto(f"{server.url}/#key={server.key}")
    choose(page, "me.jpg", astronaut_jpeg)
    page.locator("input[value='spec:cn-1inch']").check()
    page.get_by_role("button", name="Make ID photo").click()
    page.locator("input[value='spec:cn-2inch']").check()
    expect(page.locator("#status")).to_have_text("Your ID photo is ready", timeout=60_000)
    expect(page.locator("#after-size")).to_contain_text("295 × 413 px")
    expect(page.locator("#make")).to_have_text("Update ID photo")


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"no archive")], ids=["gone", "damaged"])
def test_a_photo_whose_cut_out_cannot_be_used_is_sent_again(
    server: Server, page: Page, astronaut_jpeg: bytes, damage: Callable[[Path], object]
) -> None:
    page.goto(f"{server.url}/#key={server.key}")
    choose(page, "me.jpg", astronaut_jpeg)
    page.locator("input[value='spec:cn-1inch']").check()
    page.get_by_role("button", name="Make ID photo").click()
    expect(page.locator("#status")).to_have_text("Your ID photo is ready", timeout=60_000)
    for cutout in (server.data_dir / "files" / "cutouts").iterdir():
        damage(cutout)
    page.locator("input[value='spec:cn-2inch']").check()
    page.get_by_role("button", name="Update ID photo").click()
    expect(page.locator("#after-size")).to_contain_text("413 × 579 px", timeout=60_000)
    expect(page.locator("#alert")).to_be_hidden()


def test_a_refused_photo_is_explained(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/#key={server.key}")
    choose(page, "notes.jpg", b"To be, or not to be.")
    page.get_by_role("button", name="Make ID photo").click()
    alert = page.locator("#alert")
    expect(alert).to_contain_text("This file is not a photo that we can open.", timeout=60_000)
    expect(alert).to_contain_text("Use a JPEG, PNG, WebP or HEIC photo.")


def test_the_largest_of_several_faces_can_be_taken(server: Server, page: Page, astronaut_jpeg: bytes) -> None:
    with Image.open(io.BytesIO(astronaut_jpeg)) as image:
        pair = Image.new("RGB", (1024, 512))
        pair.paste(image, (0, 0))
        pair.paste(image.resize((420, 420)), (560, 92))
    buffer = io.BytesIO()
    pair.save(buffer, "JPEG")
    page.goto(f"{server.url}/#key={server.key}")
    choose(page, "pair.jpg", buffer.getvalue())
    page.get_by_role("button", name="Make ID photo").click()
    page.get_by_role("button", name="Use the largest face").click(timeout=60_000)
    expect(page.locator("#status")).to_have_text("Your ID photo is ready", timeout=60_000)


def test_a_wrong_key_is_asked_for_again(server: Server, page: Page, astronaut_jpeg: bytes) -> None:
    page.goto(f"{server.url}/#key=idp_wrong")
    choose(page, "me.jpg", astronaut_jpeg)
    page.get_by_role("button", name="Make ID photo").click()
    expect(page.locator("#key-message")).to_be_visible()
    page.locator("#key-field").fill(server.key)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Make ID photo").click()
    expect(page.locator("#status")).to_have_text("Your ID photo is ready", timeout=60_000)


def test_the_javascript_reference_request(server: Server, page: Page, astronaut_jpeg: bytes) -> None:
    """FormData and fetch, as the API page shows them, from the browser's own JavaScript."""
    page.goto(server.url)
    answer = page.evaluate(
        """async ([key, bytes]) => {
            const form = new FormData();
            form.append("image_file", new Blob([new Uint8Array(bytes)], { type: "image/jpeg" }), "me.jpg");
            const fields = { size: "300x400", format: "jpg", bg_color: "FFFFFF", sync: "1" };
            for (const [name, value] of Object.entries(fields)) form.append(name, value);
            const headers = { Authorization: `Bearer ${key}` };
            const response = await fetch("/task/pic/idphoto", { method: "POST", headers, body: form });
            return { status: response.status, body: await response.json() };
        }""",
        [server.key, list(astronaut_jpeg)],
    )
    assert answer["status"] == 200
    data = answer["body"]["data"]
    assert (data["state"], data["image_width"], data["image_height"]) == (1, 300, 400)


def test_the_api_documentation_needs_no_network(server: Server, page: Page) -> None:
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(f"{server.url}/docs")
    expect(page.get_by_text("/task/pic/idphoto").first).to_be_visible()
    assert all(url.startswith(server.url) for url in requested)
