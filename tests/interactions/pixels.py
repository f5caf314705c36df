"""Small pictures, drawn for the tests."""

import base64
import io
import struct
import zlib

from PIL import Image


def picture(form="PNG", size=(3, 2), colour=(200, 80, 40), **options):
    """The bytes of a picture."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, form, **options)
    return file.getvalue()


def camera_picture():
    """A JPEG that holds a second picture, as telephones write it (MPO)."""
    file = io.BytesIO()
    first, second = (Image.new("RGB", (20, 20), colour) for colour in ("red", "blue"))
    first.save(file, "MPO", save_all=True, append_images=[second])
    return file.getvalue()


def data_uri(content=None, head="data:image/png;base64"):
    """The data URI of these bytes, of a small png unless given."""
    return f"{head},{base64.b64encode(picture() if content is None else content).decode()}"


def png_that_says(width, height):
    """A png whose header promises this size; of the pixels there are none."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def user_says(*parts):
    """Messages of one turn with these parts."""
    return [{"role": "user", "content": list(parts)}]


def shows(url):
    """A part that shows a picture, in the spelling of the published client."""
    return {"type": "image_url", "image_url": url}
