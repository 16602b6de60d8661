"""Rule: one photo and one order give one file, byte by byte, whenever they are rendered."""

from __future__ import annotations

import io
import time

from PIL import ImageCms

from idphoto.imaging.icc import make_srgb_profile


def test_the_profile_is_srgb_and_does_not_tell_the_time() -> None:
    first = make_srgb_profile()
    made_at = int(time.time())
    while int(time.time()) == made_at:
        time.sleep(0.01)
    make_srgb_profile.cache_clear()
    assert make_srgb_profile() == first
    assert "sRGB" in ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(first)))
    # What the colour library itself writes differs in nothing else.
    fresh = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert [n for n in range(len(first)) if first[n] != fresh[n] and not 24 <= n < 36] == []
