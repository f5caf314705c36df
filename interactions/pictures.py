"""Pictures inside messages: checked, taken out to be stored once, and put back byte for byte. Knows no database."""

import base64
import binascii
import hashlib
import io
import re
import threading
import warnings
from contextlib import nullcontext
from dataclasses import dataclass

from PIL import Image

REFERENCE = "marginalia-blob:"
MAX_SIDE = 16_384  # pixels
MAX_PIXELS = 50_000_000  # decoded at once, 4 bytes each
MAX_DECODED = 4 * MAX_PIXELS  # of one record's pictures together: some seconds of work
JPEG_SHARE = 64  # of whose pixels one is decoded
LARGE = 4_000_000  # pixels; decoding them takes up to 15 bytes each
FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/jpg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP"}
_MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
_DATA_URI = re.compile(r"(data:(?P<type>[^;,]*)[^,]*;base64),(?P<data>.*)", re.IGNORECASE | re.DOTALL)
_REFERENCE = re.compile(re.escape(REFERENCE) + r"([0-9a-f]{64});(.*)", re.DOTALL)
_turn = threading.Lock()  # one large picture at a time, whatever many senders have in mind


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


class Taking:
    """The pictures of one record: what comes twice is decoded once, and all together may take only so much work."""

    def __init__(self):
        self._left = MAX_DECODED
        self._taken = {}

    def take(self, uri):
        """(what is stored instead of the data URI, the Picture). PictureError says what was wrong."""
        if uri not in self._taken:
            self._taken[uri] = take(uri, self._affords)
        return self._taken[uri]

    def _affords(self, pixels):
        """Whether so many may be decoded; they count, whatever becomes of them."""
        self._left -= pixels
        return self._left >= 0


def take(uri, affords=lambda pixels: True):
    """(what is stored instead of the data URI, the Picture), if `affords(pixels to decode)`. PictureError says what was
    wrong."""
    match = _DATA_URI.fullmatch(uri)
    if match is None:
        raise PictureError("A data URI needs the form data:image/png;base64,….")
    declared = match["type"].strip().lower()
    if declared not in FORMATS:
        raise PictureError(f"The type {declared[:60] or 'of the picture'!r} is not taken; send png, jpeg, gif or webp.")
    content = _decode(match["data"])
    width, height = _check(content, FORMATS[declared], affords)
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


def _check(content, expected, affords):
    """(width, height) after decoding the whole picture, so that what is cut off or lies about its type is refused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=list(_MEDIA_TYPES)) as image:
                # cameras write several pictures into one JPEG file (MPO); the first is what everybody shows
                found, (width, height) = "JPEG" if image.format == "MPO" else image.format, image.size
                pixels = width * height
                is_fit = found == expected and max(width, height) <= MAX_SIDE and pixels <= MAX_PIXELS
                is_afforded = is_fit and affords(pixels // JPEG_SHARE if found == "JPEG" else pixels)
                if is_afforded:
                    image.draft("RGB", (1, 1))  # JPEG decodes at an eighth of its size, enough to find a cut
                    with _turn if pixels > LARGE else nullcontext():
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
    if not is_afforded:
        raise PictureError(
            f"The record's pictures have too many pixels together; at most {MAX_DECODED:,} are taken, of a JPEG one of"
            f" {JPEG_SHARE} counts."
        )
    return width, height
