"""The drawings: real pictures of the right size and type, and always the same."""

import base64
from io import BytesIO

import pytest
from PIL import Image

from demo import drawings


@pytest.mark.parametrize("kind", drawings.FORMATS)
def test_each_drawing_decodes(kind):
    for variant in range(drawings.VARIANTS):
        head, _, data = drawings.data_uri(kind, variant).partition(",")
        raw = base64.b64decode(data, validate=True)
        assert len(raw) < 90_000
        with Image.open(BytesIO(raw)) as picture:
            picture.load()
            assert head == f"data:image/{picture.format.lower()};base64"
            assert 640 <= picture.width <= 1000


@pytest.mark.parametrize("kind", drawings.FORMATS)
def test_a_variant_is_drawn_the_same_each_time_and_differs_from_the_next(kind):
    assert drawings.draw(kind, 0).tobytes() == drawings.draw(kind, 0).tobytes()
    assert len({drawings.data_uri(kind, variant) for variant in range(drawings.VARIANTS)}) == drawings.VARIANTS
