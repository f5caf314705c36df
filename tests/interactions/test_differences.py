"""A diff gives both texts back exactly, says what changed as a reader would, and ends in bounded time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interactions import rendering
from interactions.differences import Piece, differences, sides, visible_text

# few words, so that they recur; white space of all kinds; scripts that write none
WORDS = st.sampled_from(
    [
        "the",
        "The",
        "a",
        "b",
        "fox.",
        " ",
        "  ",
        "\n",
        "\t",
        "\u3000",
        "\x1c",
        "\x85",
        "\u2028",
        "東京",
        "กี่",
        "é",
        "\x00",
    ]
)
TEXTS = st.lists(WORDS, max_size=30).map("".join) | st.text(max_size=60)


def marked(pieces):
    signs = {"same": "{}", "removed": "[-{}-]", "added": "[+{}+]"}
    return "".join(signs[piece.kind].format(piece.text) for piece in pieces)


@given(TEXTS, TEXTS)
def test_pieces_put_together_are_exactly_both_texts(before, after):
    pieces = differences(before, after)
    assert "".join(piece.text for piece in pieces if piece.kind != "added") == before
    assert "".join(piece.text for piece in pieces if piece.kind != "removed") == after
    assert all(piece.text for piece in pieces)
    kinds = [piece.kind for piece in pieces]
    assert set(kinds) <= {"same", "removed", "added"}
    neighbours = set(zip(kinds, kinds[1:], strict=False))
    assert not neighbours & {("same", "same"), ("removed", "removed"), ("added", "added"), ("added", "removed")}


@given(TEXTS, TEXTS)
def test_sides_show_one_text_each(before, after):
    left, right = sides(differences(before, after))
    assert "".join(piece.text for piece in left) == before
    assert "".join(piece.text for piece in right) == after
    for side, own in ((left, "removed"), (right, "added")):
        kinds = [piece.kind for piece in side]
        assert set(kinds) <= {"same", own}
        assert all(one != next_one for one, next_one in zip(kinds, kinds[1:], strict=False))


@given(TEXTS)
def test_equal_texts_have_no_difference(text):
    assert differences(text, text) == ([Piece("same", text)] if text else [])


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("The quick fox runs", "The slow fox runs", "The [-quick -][+slow +]fox runs"),
        ("The quick brown fox", "The slow red fox", "The [-quick brown -][+slow red +]fox"),
        ("one two", "one two three", "one two[+ three+]"),
        ("one two", "zero one two", "[+zero +]one two"),
        ("one two three", "one three", "one [-two -]three"),
        ("one\ntwo", "one two", "one[-\n-][+ +]two"),
        ("", "new", "[+new+]"),
        ("old", "", "[-old-]"),
        ("東京は首都", "京都は首都", "[-東-]京[+都+]は首都"),
        (" x", "x", "[- -]x"),
    ],
)
def test_changes_are_shown_by_word(before, after, expected):
    assert marked(differences(before, after)) == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x " * 100_000 + "q", "y " + "x " * 100_000),
        ("字" * 200_000 + "x", "y" + "字" * 200_000),
        ("a b " * 1000 + "x", "y " + "b a " * 1000),
        (" ".join(f"a{i}" for i in range(30_000)), " ".join(f"b{i}" for i in range(30_000))),
        (" " * 240_000 + "x", "\n" * 240_000 + "y"),
        ("x" * 1_000_000, "y"),
    ],
)
def test_no_text_takes_long(before, after):
    begun = time.process_time()
    pieces = differences(before, after)
    assert time.process_time() - begun < 2  # about half a second; machines differ
    if pieces is not None:
        assert "".join(piece.text for piece in pieces if piece.kind != "added") == before


def test_what_is_too_much_work_has_no_pieces_and_what_both_share_costs_none():
    assert differences("a b " * 50 + "x", "y " + "b a " * 50, most=100) is None
    assert differences("x" * 600_000, "y") is None
    shared = "word " * 20_000
    assert marked(differences(shared + "old " + shared, shared + "new " + shared)) == (
        f"{shared}[-old -][+new +]{shared}"
    )


def test_a_long_answer_that_was_mended_here_and_there_has_pieces():
    words = [f"word{i * i % 997}" for i in range(5000)]
    mended = [word if i % 50 else f"better{i}" for i, word in enumerate(words)]
    pieces = differences(" ".join(words), " ".join(mended))
    assert sum(piece.kind == "added" for piece in pieces) == 100


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("# Title\n\nHello **bold** `code`\nnext  line\n", "Title\nHello bold code\nnext line\n"),
        ("- one\n- two\n\n  more\n", "one\ntwo\nmore\n"),
        ("| a | b |\n|---|---|\n|  | 2 |\n| 3 |  |\n", "a\tb\n\t2\n3\t\n"),
        ("```python\ndef f():\n\n    return 1\n```\nend", "python\ndef f():\n\n    return 1\nend\n"),
        ("a\n```sh title=run  it\nls\n```\n```\nls\n```\n", "a\nsh title=run it\nls\nls\n"),
        ("a &amp; b < c <script>", "a & b < c <script>\n"),
        ("[text](https://e.example) ![pic](https://e.example/p.png)", "text pic https://e.example/p.png\n"),
        ("> quote\n\n---\n\nend", "quote\nend\n"),
        ("x\u202ey", "xRLOy\n"),
        ("", ""),
    ],
)
def test_visible_text_is_what_the_page_shows(source, expected):
    assert visible_text(rendering.markdown(source).html) == expected


@given(TEXTS | st.text("#*`-|<>&[]() \nab", max_size=60))
def test_any_rendered_text_has_a_visible_text(source):
    text = visible_text(rendering.markdown(source).html)
    assert text == "" or text.endswith("\n")


def test_marks_of_markdown_are_no_difference_of_what_is_seen():
    before, after = (visible_text(rendering.markdown(source).html) for source in ("a *b* c", "a **b** c\n"))
    assert differences(before, after) == [Piece("same", "a b c\n")]
