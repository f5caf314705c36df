"""Pictures inside messages: checked, taken out to be stored once, and put back byte for byte. Knows no database."""

import base64
import binascii
import hashlib
import io
import re
import warnings
from dataclasses import dataclass

from PIL import Image

REFERENCE = "marginalia-blob:"
MAX_SIDE = 16_384  # pixels
MAX_PIXELS = 50_000_000  # decoded at once, 4 bytes each
FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/jpg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP"}
_MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
_DATA_URI = re.compile(r"(data:(?P<type>[^;,]*)[^,]*;base64),(?P<data>.*)", re.IGNORECASE | re.DOTALL)
_REFERENCE = re.compile(re.escape(REFERENCE) + r"([0-9a-f]{64});(.*)", re.DOTALL)


class PictureError(ValueError):
    """The data URI is not a picture as we take it; the message says why."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A checked picture; `sha256` in hex, sizes in bytes and pixels."""

    sha256: str
    media_type: str
    width: int
    height: int
    content: bytes


def take(uri):
    """(what is stored instead of the data URI, the Picture). PictureError says what was wrong."""
    match = _DATA_URI.fullmatch(uri)
    if match is None:
        raise PictureError("A data URI needs the form data:image/png;base64,….")
    declared = match["type"].strip().lower()
    if declared not in FORMATS:
        raise PictureError(f"The type {declared[:60] or 'of the picture'!r} is not taken; send png, jpeg, gif or webp.")
    content = _decode(match["data"])
    width, height = _check(content, FORMATS[declared])
    sha256 = hashlib.sha256(content).hexdigest()
    picture = Picture(sha256, _MEDIA_TYPES[FORMATS[declared]], width, height, content)
    return f"{REFERENCE}{sha256};{match[1]}", picture


def reference(url):
    """(sha256, head of the data URI) of a stored picture's reference, or None for any other address."""
    match = _REFERENCE.fullmatch(url)
    return match.groups() if match else None


def give_back(head, content):
    """The data URI exactly as it was sent."""
    return f"{head},{base64.b64encode(content).decode()}"


def _decode(text):
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise PictureError("The picture's data is not base64.") from None
    # what does not encode to the same text again could not be given back byte for byte
    if base64.b64encode(content).decode() != text:
        raise PictureError("The picture's base64 is not in its one canonical form.")
    return content


def _check(content, expected):
    """(width, height) after decoding the whole picture, so that what is cut off or lies about its type is refused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=list(_MEDIA_TYPES)) as image:
                # cameras write several pictures into one JPEG file (MPO); the first is what everybody shows
                found, (width, height) = "JPEG" if image.format == "MPO" else image.format, image.size
                if found == expected and max(width, height) <= MAX_SIDE and width * height <= MAX_PIXELS:
                    image.draft("RGB", (1, 1))  # JPEG decodes at an eighth of its size, enough to find a cut
                    image.load()
    except Image.UnidentifiedImageError:
        raise PictureError("The data is no png, jpeg, gif or webp picture.") from None
    except Image.DecompressionBombError:
        raise PictureError(f"The picture has too many pixels; at most {MAX_PIXELS:,} are taken.") from None
    except Exception as error:  # Pillow's decoders raise whatever they like on broken data
        raise PictureError(f"The picture is broken: {str(error)[:100]}.") from None
    if found != expected:
        raise PictureError(f"The picture says it is {expected.lower()} but is {str(found).lower()}.")
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise PictureError(
            f"The picture is {width} by {height} pixels; at most {MAX_SIDE} a side and {MAX_PIXELS:,} in all are taken."
        )
    return width, height
