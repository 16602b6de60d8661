"""What can go wrong with a photo.

::

    ImagingError
    ├── DecodeError
    │   ├── UnreadableImage      unreadable_image
    │   ├── TooManyPixels        too_many_pixels
    │   └── OutOfMemory          out_of_memory
    ├── SubjectError
    │   ├── NoFace               no_face
    │   ├── MultipleFaces        multiple_faces
    │   ├── FaceTooSmall         face_too_small
    │   ├── HeadCropped          head_cropped
    │   └── TooTight             too_tight
    ├── FileSizeUnreachable      file_size_unreachable
    └── ModelError               model_missing

The docstring of a class is its default message; ``code`` is stable and goes into ``err_info``.
"""

from __future__ import annotations

from typing import ClassVar


class ImagingError(Exception):
    """The photo could not be processed."""

    code: ClassVar[str] = "internal"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class DecodeError(ImagingError):
    """The image could not be decoded."""

    code = "unreadable_image"


class UnreadableImage(DecodeError):
    """This is not a readable image: send a JPEG, PNG, WebP, BMP, TIFF, HEIC, AVIF or GIF file."""


class TooManyPixels(DecodeError):
    """The image has too many pixels: send a smaller one."""

    code = "too_many_pixels"


class OutOfMemory(DecodeError):
    """The image needs more memory than there is for it: send a smaller one."""

    code = "out_of_memory"


class SubjectError(ImagingError):
    """The person in the photo cannot be made into an ID photo."""


class NoFace(SubjectError):
    """No face was found: send a photo that shows one person's face from the front."""

    code = "no_face"


class MultipleFaces(SubjectError):
    """Several faces were found: send a photo of one person, or ask for the largest face."""

    code = "multiple_faces"


class FaceTooSmall(SubjectError):
    """The face is too small: move closer or send the photo at its full size."""

    code = "face_too_small"


class HeadCropped(SubjectError):
    """The head is cut off by the edge of the photo: send one that shows the whole head with some space above it."""

    code = "head_cropped"


class TooTight(SubjectError):
    """The photo is too tight to keep its own background: send one with more around the head, or have it replaced."""

    code = "too_tight"


class FileSizeUnreachable(ImagingError):
    """The file cannot be made as small or as large as asked at this size in pixels."""

    code = "file_size_unreachable"


class ModelError(ImagingError):
    """A model file is missing or damaged: run `idphoto models pull`."""

    code = "model_missing"
