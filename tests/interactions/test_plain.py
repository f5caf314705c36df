"""What the table shows of a text: its words, without the signs of Markdown, and nothing else left out."""

import pytest

from interactions.plain import PREVIEW, preview


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("## Covered\n\n- **one**\n- `two`\n\n> said", "Covered one two said"),
        ("It reads: *There is none*. (*Note*) *two words*, *x*", "It reads: There is none. (Note) two words, x"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a | b 1 | 2"),
        ("SELECT * FROM t WHERE 2 * 3 > count(*)", "SELECT * FROM t WHERE 2 * 3 > count(*)"),
        ("f(*given) and 2*3*4, *unclosed", "f(*given) and 2*3*4, *unclosed"),
        ("**", "**"),
        ("word " * 100, ("word " * 100)[:PREVIEW]),
        ("", ""),
    ],
)  # fmt: skip
def test_a_preview_is_the_text_without_its_signs(text, shown):
    assert preview(text) == shown
