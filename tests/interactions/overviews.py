"""Looking at the overview as a reader in some zone, and at the tables that its counts lead to."""

import html
import re

from django.urls import reverse

PART = {"HX-Request": "true"}  # what stands around them takes as long to draw
LINK = re.compile(r"<a\b[^>]*\bdata-count=\"(\d+)\"[^>]*>")


def overview_url(project):
    return reverse("overview", kwargs={"project": project.key})


def links_of(response):
    """{address: count} of all figures that say that they are counts."""
    found = {}
    for match in LINK.finditer(response.content.decode()):
        address = html.unescape(re.search(r'href="([^"]*)"', match[0])[1])
        assert found.setdefault(address, int(match[1])) == int(match[1]), address
    return found


def seen(client, project, query="", zone="UTC"):
    client.cookies["tz"] = zone
    return client.get(f"{overview_url(project)}?{query}")


def check_table(client, address, n, limit=1000):
    """The table behind a count says that it has so many rows, and shows as many of them as it may."""
    table = client.get(f"{address}&limit={limit}", headers=PART)
    assert table.status_code == 200, address
    assert len(table.context["page"].rows) == min(n, limit), address
    counts = client.get(table.context["address"].facets, headers=PART)
    assert (counts.context["counted"].n, counts.context["counted"].capped) == (n, False), address
