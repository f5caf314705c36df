"""Two hundred small pictures, drawn once and shown by five records of a hundred."""

import base64
import functools
import io

import numpy as np
from PIL import Image

from interactions.pictures import take

COUNT = 200
_SIDES = (48, 97)  # pixels


@functools.cache
def pictures():
    """[(data URI, what is stored in its place, the Picture)]."""
    rng = np.random.default_rng(200)
    uris = [_uri(rng) for _ in range(COUNT)]
    return [(uri, *take(uri)) for uri in uris]


def _uri(rng):
    """A PNG of a few kilobytes: a gradient with some noise, so that it does not shrink to nothing."""
    width, height = rng.integers(*_SIDES, 2)
    down, across, colour = np.arange(height)[:, None, None], np.arange(width)[None, :, None], rng.integers(1, 4, 3)
    noise = rng.integers(0, 6, (height, width, 1))
    image = Image.fromarray(((down + across) * colour + noise).astype(np.uint8), "RGB")
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
