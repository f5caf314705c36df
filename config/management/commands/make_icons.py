"""Draw the sprite of the icons we use from the installed lucide package."""

import io
import re
import zipfile
from importlib import resources

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.templatetags.icons import SPRITE, icon_names


class Command(BaseCommand):
    help = "Write the icon sprite (generated/icons.svg) for the names in config/icons.txt."
    requires_system_checks = ()

    def handle(self, **options):
        path = settings.BASE_DIR / SPRITE
        path.parent.mkdir(exist_ok=True)
        path.write_text(sprite(icon_names()))


def sprite(names):
    """One SVG with a symbol for each name; CommandError for a name that the package does not know."""
    packed = resources.files("lucide").joinpath("lucide.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        symbols = "".join(_symbol(archive, name) for name in names)
    return f'<svg xmlns="http://www.w3.org/2000/svg">{symbols}</svg>\n'


def _symbol(archive, name):
    try:
        svg = archive.read(f"{name}.svg").decode()
    except KeyError:
        raise CommandError(f"lucide has no icon {name!r}; see config/icons.txt.") from None
    shapes = re.search(r"<svg[^>]*>(.*)</svg>", svg, re.DOTALL)[1]
    return f'<symbol id="{name}" viewBox="0 0 24 24">{" ".join(shapes.split())}</symbol>'
