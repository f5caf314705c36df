"""The many small parts of the chart of volume as HTML, made without a template: there are hundreds in a page."""

from html import escape

from django.utils.safestring import mark_safe

BELOW = 18  # pixels from the chart's foot to the words under it


def bars_html(volume):
    """The bars of a Volume: each leads to its table, its segments to those of a model."""
    out = []
    for one in volume.columns:
        title, place = escape(one.column.title), f'x="{one.bar.x}%" width="{one.bar.width}%"'
        text = f"<title>{title}: {one.total.n:,}</title>"
        out.append(
            _link(one.total, f'<rect class="hit" {place} y="0" height="{volume.height}">{text}</rect>', quiet=True)
        )
        for part in one.parts:
            if part.segment:
                text = f"<title>{title}, {escape(part.series.name)}: {part.count.n:,}</title>"
                size = f'{place} y="{part.segment.y}" height="{part.segment.height}"'
                rect = f'<rect class="seg {part.series.colour}" {size}>{text}</rect>'
                out.append(_link(part.count, rect, quiet=True))
        if one.is_marked:
            out.append(f'<text x="{one.x}%" y="{volume.height + BELOW}">{escape(one.column.name)}</text>')
    return mark_safe("".join(out))  # noqa: S308 - texts are escaped above


def rows_html(volume):
    """The rows of the table that says the same."""
    out = []
    for one in volume.columns:
        counts = [one.total, *(part.count for part in one.parts)]
        cells = "".join(f'<td class="num">{_link(count, f"{count.n:,}")}</td>' for count in counts)
        out.append(f'<tr><th scope="row">{escape(one.column.title)}</th>{cells}</tr>')
    return mark_safe("".join(out))  # noqa: S308 - texts are escaped above


def _link(count, inner, *, quiet=False):
    tab = ' tabindex="-1"' if quiet else ""
    return f'<a href="{escape(count.address)}"{tab} data-count="{count.n}">{inner}</a>'
