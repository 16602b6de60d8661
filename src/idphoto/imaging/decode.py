"""Bytes of unknown origin to upright, opaque sRGB pixels.

Pillow is the only codec that sees uploaded bytes: its formats are limited to a list, the size in the header is
checked before a pixel is decoded, and a file that ends too early is refused rather than filled with grey.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib

import numpy as np
import pi_heif
from PIL import Image, ImageCms, UnidentifiedImageError

from idphoto.imaging.errors import DecodeError, OutOfMemory, TooManyPixels, UnreadableImage
from idphoto.imaging.portrait import Source

# JPEG covers MPO too, a JPEG with a second view behind the first, which many phones write under the name .jpg.
_FORMATS = ("JPEG", "PNG", "WEBP", "HEIF", "AVIF", "GIF", "BMP", "TIFF")

# A progressive JPEG is painted scan by scan, about ten of them. A scan of 26 bytes can repaint a whole picture, so a
# file of 15 MB could keep a core busy for ten minutes. The marker also occurs in videos that phones append to photos,
# about 15 times a megabyte.
_JPEGS = ("JPEG", "MPO")
_START_OF_SCAN = b"\xff\xda"
_MAX_SCANS = 1000

# A side below this cannot hold a face.
_MIN_SIDE = 16

#: Everything that Pillow and the libraries below it are known to raise on damaged files. SyntaxError, struct.error, the
#: lookup and type errors come from parsers in Python, zlib.error and RuntimeError (NotImplementedError for exotic
#: variants) from the codecs.
CODEC_ERRORS = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)

_EXIF_ORIENTATION = 0x0112
# Beyond it is no print, but a file that says anything.
_HIGHEST_DPI = 10_000

# EXIF 2.32, 4.6.4 A: what to do with the stored picture to see it upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Descriptions of profiles that are sRGB itself, by which most files are tagged: converting them changes nothing.
_SRGB_NAMES = frozenset({"sRGB", "sRGB IEC61966-2.1", "sRGB built-in"})

# Pillow keeps its plugins in a table of its own. Adding an entry again replaces it by itself, so that importing
# this module twice, or beside an application that reads HEIC too, does no harm.
pi_heif.register_heif_opener()


def decode(data: bytes, *, max_pixels: int) -> Source:
    """Decode an image file.

    Args:
        data: a JPEG, PNG, WebP, BMP, TIFF, HEIC, AVIF or GIF file; of an animation the first frame is taken.
        max_pixels: width times height that the file may have at most.

    Returns:
        The photo, turned upright by its EXIF tag, converted to sRGB by its ICC profile, flattened on white where
        it was transparent, 8 bits a channel.

    Raises:
        UnreadableImage: not such a file, damaged or incomplete, or a side below 16 pixels.
        TooManyPixels: more pixels than allowed.
        OutOfMemory: the memory did not suffice, or the file claims a size for which none does.
    """
    try:
        # Pillow warns of each odd tag of a TIFF file, tens of thousands of them where somebody wants to fill a log.
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            _check_size(image, max_pixels)
            if image.format in _JPEGS and data.count(_START_OF_SCAN) > _MAX_SCANS:
                raise UnreadableImage("The JPEG file has too many scans: save it again, and send that.")
            image.load()
            # A HEIC file may turn out to hold another size than its header says.
            _check_size(image, max_pixels)
            upright = _turn_upright(image)
            rgb = _to_srgb(_to_eight_opaque_bits(upright), image.info.get("icc_profile"))
            return Source(pixels=np.array(rgb, dtype=np.uint8), format=image.format or "", dpi=_read_dpi(image))
    except DecodeError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooManyPixels from error
    except UnidentifiedImageError as error:
        raise UnreadableImage from error
    except MemoryError as error:
        raise OutOfMemory from error
    except CODEC_ERRORS as error:
        raise UnreadableImage("The image file is damaged or incomplete.") from error


def _check_size(image: Image.Image, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        raise TooManyPixels(
            f"The image has {width} x {height} pixels, more than {max_pixels / 1e6:g} million: send a smaller one."
        )
    if min(width, height) < _MIN_SIDE:
        raise UnreadableImage(
            f"The image has {width} x {height} pixels, and no face fits into a side of {min(width, height)}: "
            f"send a larger one, with {_MIN_SIDE} or more."
        )


def _read_dpi(image: Image.Image) -> float | None:
    """Return the resolution that the file states; a wrong or missing statement is none."""
    try:
        dpi = float(image.info["dpi"][0])
    except (KeyError, *CODEC_ERRORS):
        return None
    return dpi if 1 <= dpi <= _HIGHEST_DPI else None


def _turn_upright(image: Image.Image) -> Image.Image:
    # A broken EXIF block says nothing about the orientation, but the picture is still good.
    try:
        orientation = image.getexif().get(_EXIF_ORIENTATION, 1)
        method = _UPRIGHT.get(orientation)
    except CODEC_ERRORS:
        return image
    return image if method is None else image.transpose(method)


def _to_eight_opaque_bits(image: Image.Image) -> Image.Image:
    """Return the image in one of the modes L, RGB and CMYK, in the colours of its own profile."""
    if image.mode.startswith("I") or image.mode == "F":
        return _narrow(image)
    if image.has_transparency_data or image.mode in {"PA", "RGBa", "La"}:
        cut_out = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, cut_out).convert("L" if image.mode in {"L", "LA", "La"} else "RGB")
    if image.mode in {"L", "RGB", "CMYK"}:
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _narrow(image: Image.Image) -> Image.Image:
    """Bring grey values of 16 or 32 bits, or floating point, to 8 bits.

    Files of these kinds do not say which value is white. Sixteen-bit integers use their whole range by custom;
    wider ones and floats are taken as the smallest usual range (1, 255, 65535) that holds them all.
    """
    values = np.nan_to_num(np.asarray(image, dtype=np.float32), posinf=0.0, neginf=0.0)
    top = float(values.max(initial=0.0))
    if image.mode.startswith("I;16"):
        white = 65535.0
    else:
        usual = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
        white = next((limit for limit in usual if top <= limit), top)
    return Image.fromarray(np.rint(np.clip(values / white, 0, 1) * 255).astype(np.uint8))


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        # A profile that is damaged or made for another kind of image is ignored: the colours stay as stored.
        try:
            embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if ImageCms.getProfileDescription(embedded).strip() not in _SRGB_NAMES:
                converted = ImageCms.profileToProfile(image, embedded, _srgb_profile(), outputMode="RGB")
                return image.convert("RGB") if converted is None else converted
        except (ImageCms.PyCMSError, *CODEC_ERRORS):
            return image.convert("RGB")
    return image.convert("RGB")


def _srgb_profile() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
