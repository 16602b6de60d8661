"""Small valid inputs that fuzzing starts from, made at run time: nothing binary is kept in the repository."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
from PIL import Image, ImageCms

from fuzz.targets import FIELD_NAMES
from idphoto.api.field_docs import FIELDS
from idphoto.imaging.archive import pack
from idphoto.imaging.inspection import Inspection
from idphoto.imaging.portrait import Box, Face, Head, Portrait

_SIDE = 24
_ORIENTATION = 0x0112
#: The only seed that no codec here can write. It is an artificial scale-down of a public-domain portrait.
_HEIC = Path(__file__).parents[1] / "tests" / "data" / "astronaut.heic"

_BODY_TYPES = (
    "multipart/form-data; boundary=edge",
    'multipart/form-data; charset=utf-16; boundary="edge"',
    "application/x-www-form-urlencoded",
    "application/json",
)
_VALUES = {
    "image_url": "https://photos.example/me.jpg",
    "callback_url": "https://photos.example:443/hook?a=b#c",
    "last_id": "7d0a2c0e-5c0f-4a52-9d1f-9d3f8a0c9a10",
    "spec": "us-passport",
    "spec_id": "us-passport",
    "size": "295x413",
    "layout": "6inch",
    "layout_with": "cn-2inch:4,cn-1inch",
    "bg_color": "#438EDB",
    "bg_color2": "ffffff",
}


def _draw() -> Image.Image:
    ramp = np.linspace(0, 255, _SIDE * _SIDE * 3).astype(np.uint8).reshape(_SIDE, _SIDE, 3)
    return Image.fromarray(ramp)


def _save(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def make_images() -> Iterator[tuple[str, bytes]]:
    """Yield a name and the bytes of a small image in every accepted format, in its usual variants."""
    image = _draw()
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    profile = profile[:24] + bytes(12) + profile[36:]  # the time of creation: seeds are the same every time
    yield "jpeg", _save(image, "JPEG", exif=exif.tobytes(), icc_profile=profile, dpi=(300, 300), comment=b"me")
    yield "jpeg-progressive", _save(image, "JPEG", progressive=True)
    yield "jpeg-cmyk", _save(image.convert("CMYK"), "JPEG")
    yield "mpo", _save(image, "MPO", save_all=True, append_images=[image])
    yield "png", _save(image, "PNG", exif=exif.tobytes(), icc_profile=profile, dpi=(300, 300))
    yield "png-palette", _save(image.quantize(16), "PNG", transparency=0)
    yield "png-grey", _save(image.convert("LA"), "PNG")
    yield "png-wide", _save(Image.fromarray(np.full((_SIDE, _SIDE), 40_000, np.uint16)), "PNG")
    yield "apng", _save(image, "PNG", save_all=True, append_images=[image.rotate(90)])
    yield "webp", _save(image, "WEBP", exif=exif.tobytes(), icc_profile=profile)
    yield "webp-lossless", _save(image.convert("RGBA"), "WEBP", lossless=True)
    yield "webp-animated", _save(image, "WEBP", save_all=True, append_images=[image.rotate(90)])
    yield "avif", _save(image, "AVIF", max_threads=1)
    yield "gif", _save(image, "GIF")
    yield "gif-animated", _save(image, "GIF", save_all=True, append_images=[image.rotate(90)], transparency=1)
    yield "bmp", _save(image, "BMP")
    yield "bmp-bits", _save(image.convert("1"), "BMP")
    for compression in ("raw", "tiff_lzw", "tiff_deflate", "jpeg", "packbits", "group4"):
        plain = image.convert("1") if compression == "group4" else image
        yield f"tiff-{compression}", _save(plain, "TIFF", compression=compression, dpi=(300, 300))
    yield "tiff-float", _save(image.convert("F"), "TIFF")
    yield "tiff-pages", _save(image, "TIFF", save_all=True, append_images=[image], exif=exif)
    yield "heic", _HEIC.read_bytes()


def make_archives() -> Iterator[tuple[str, bytes]]:
    """Yield small cut-outs, as tasks keep them."""
    middle = (_SIDE / 2, _SIDE / 2)
    head = Head(
        left_eye=middle,
        right_eye=middle,
        chin=(12.0, 22.0),
        crown=(12.0, 2.0),
        skull_top=(12.0, 3.0),
        hair_top=(12.0, 1.0),
        face_width=12.0,
        roll=1.0,
        yaw=1.0,
        pitch=1.0,
        crown_estimated=False,
    )
    box = Box(x=1, y=1, width=20, height=20)
    face = Face(box=box, score=0.9, presence=0.9, landmarks=np.zeros((3, 3), np.float32))
    portrait = Portrait(
        pixels=np.asarray(_draw()), alpha=np.full((_SIDE, _SIDE), 255, np.uint8), face=face, head=head, foreground=box
    )
    measures = dict.fromkeys(Inspection.__dataclass_fields__, 1.0)
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(pack(portrait, Inspection(**measures)))) as packed,
        zipfile.ZipFile(buffer, "w") as undated,
    ):
        for name in packed.namelist():
            undated.writestr(zipfile.ZipInfo(name), packed.read(name))
    yield "archive", buffer.getvalue()


def make_forms() -> Iterator[tuple[str, bytes]]:
    """Yield a line with the Content-Type and a body each, see :func:`fuzz.targets.read_form`."""
    first = {"image_url": "https://photos.example/me.jpg", "size": "295x413", "format": "jpg", "sync": "1"}
    second = {"spec": "cn-passport", "layout": "6inch", "layout_with": "cn-2inch:4", "last_id": "abc", "dpi": "300"}
    for number, fields in enumerate((first, second, dict.fromkeys(FIELD_NAMES, "1"))):
        parts = "".join(
            f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        )
        photo = '--edge\r\nContent-Disposition: form-data; name="image_file"; filename="a.jpg"\r\n'
        photo += "Content-Type: image/jpeg\r\n\r\nphoto\r\n"
        bodies = [f"{parts}--edge--\r\n", f"{photo}{parts}--edge--\r\n", urlencode(fields), json.dumps(fields)]
        for kind, body in zip((0, 1, 2, 3), bodies, strict=True):
            yield f"form-{number}-{kind}", f"{_BODY_TYPES[kind]}\n{body}".encode()
    for kind, body_type in enumerate(_BODY_TYPES):
        yield f"form-empty-{kind}", body_type.encode()


def make_fields() -> Iterator[tuple[str, bytes]]:
    """Yield lines of a name's number and a value, see :func:`fuzz.targets.read_fields`."""
    for number, name in enumerate(FIELD_NAMES):
        described = FIELDS.get(name, {})
        allowed = [str(value) for value in described.get("enum", ())]
        for value in (_VALUES.get(name, ""), *allowed, str(described.get("maximum", ""))):
            if value:
                yield f"field-{name}-{len(value)}-{value[:2].strip('#')}", b"\0" + bytes([number]) + value.encode()


_URLS = (
    "https://photos.example/me.jpg",
    "http://1.2.3.4:80/",
    "http://[2606:4700::1111]/a",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]:443/",
    "http://0x7f.1/",
    "http://2130706433/",
    "http://0177.0.0.1/",
    "http://user:pass@photos.example/",
    "http://bücher.example/ä?ö=ü#ß",
    "http://xn--bcher-kva.example./",
    "http://127.0.0.1。/",
    "http://①②⑦.0.0.1/",
    "http://[fe80::1%25eth0]/",
    "http://photos.example\\@127.0.0.1/",
)


def make_urls() -> Iterator[tuple[str, bytes]]:
    """Yield URLs, plain and in the notations that hide an address."""
    for number, url in enumerate(_URLS):
        yield f"url-{number}", url.encode()


SEEDS = {
    "decode": make_images,
    "archive": make_archives,
    "form": make_forms,
    "fields": make_fields,
    "url": make_urls,
}


def write_seeds(target: str, folder: Path) -> int:
    """Write the seeds of a target as files and return how many they are."""
    seeds = list(SEEDS[target]())
    for name, data in seeds:
        (folder / name).write_bytes(data)
    return len(seeds)
