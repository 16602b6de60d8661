"""One target under libFuzzer, in a process of its own: `python -m fuzz.child TARGET [libFuzzer's options] [FILES]`.

With a file instead of a folder it replays that input and shows what happens.
"""

from __future__ import annotations

import sys
import warnings

import atheris

#: Packages whose Python code guides the search. C code gives no coverage: Pillow's codecs, the HEIC and AVIF decoders,
#: the JSON scanner and yarl's quoting are only searched as far as the Python around them tells inputs apart.
_GUIDES = ["PIL", "pi_heif", "idphoto", "starlette", "python_multipart", "yarl", "zipfile", "urllib", "ipaddress"]

with atheris.instrument_imports(include=_GUIDES):
    from PIL import Image

    from fuzz.targets import TARGETS

    # Pillow imports its plugins when it needs them; now they are instrumented too.
    Image.init()


def main() -> None:
    """Run until libFuzzer ends the process."""
    # Pillow warns of what it works around; the server shows such a warning once and goes on.
    warnings.simplefilter("ignore")
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
