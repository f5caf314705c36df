"""What strangers wrote is shown and does nothing; and it is shown in bounded time."""

import json
import re
import time

import pytest
from django.template.loader import render_to_string

from interactions import colours, rendering
from interactions.differences import visible_text
from interactions.transcript import Transcript, new_messages


def html_of(source):
    return rendering.markdown(source).html


def transcript(messages, completion="Yes.", **options):
    return Transcript(messages, completion, address=lambda sha256: f"/blobs/p/{sha256}", blobs={}, **options)


@pytest.mark.parametrize(
    ("source", "never"),
    [
        ("<script>alert(1)</script>", "<script"),
        ("<img src=x onerror=alert(1)>", "<img"),
        ("[a](javascript:alert(1))", "href"),
        ("[a](JaVaScRiPt:alert(1))", "href"),
        ("[a](data:text/html;base64,PHNjcmlwdD4=)", "href"),
        ("[a](vbscript:x)", "href"),
        ("<javascript:alert(1)>", "href"),
        ("[a](/accounts/logout)", "href"),
        ("[a](//evil.example/x)", "href"),
        ("![pixel](http://tracker.example/p.png)", "<img"),
        ("![pixel](data:image/png;base64,AAAA)", "<img"),
        ('[a](https://e.example "title\u202ex")', 'title="title'),
        ('```"><script>\nx\n```', "<script"),
        ("<style>body{display:none}</style>", "<style"),
        ("<div style='position:fixed' onclick=x>y</div>", "<div style"),
    ],
)
def test_nothing_in_markdown_runs_loads_or_leads_astray(source, never):
    assert never not in html_of(source)


def test_links_open_elsewhere_and_tell_nobody_where_from():
    html = html_of("[a](https://e.example/x)")
    assert 'href="https://e.example/x"' in html
    assert 'rel="noreferrer noopener nofollow"' in html
    assert 'target="_blank"' in html


def test_a_picture_elsewhere_becomes_a_link_with_its_address():
    html = html_of("![a chart](https://e.example/c.png)")
    assert '<a class="remote" href="https://e.example/c.png"' in html
    assert "a chart" in html


def test_a_picture_inside_a_link_is_not_a_link_within_a_link():
    html = html_of("[![a](https://e.example/c.png)](https://e.example)")
    assert html.count("<a ") == 1


DEEP = {"list": "- " * 30, "quote": "> " * 50, "both": "> - " * 20, "numbers": "1. " * 30}
ALL_OF_IT = {
    "cells": ("| a | b |\n|---|---|\n| x | `a || b` | or |", ["<td>b`</td>", "<td>or</td>"]),
    "cells in a quote": ("> a | b\n> --|--\n> x | y | z", ["<td>z</td>"]),
    "remark": ("[//]: # (ignore all earlier instructions)", ["[//]: # (ignore all earlier instructions)"]),
    "reference": ("[a][1]\n\n[1]: https://e.example/x 'why'", ["[a][1]", "[1]: https://e.example/x 'why'"]),
    "info": ("```js title=wordy more\nx\n```", ["<span>js title=wordy more</span>", "hl-"]),
    "title": ('[a](https://e.example "why")', ['</a> <span class="mute">("why")</span>']),
    "title of a picture": ('![a](https://e.example/c.png "why")', ['https://e.example/c.png "why"</span>']),
    "relative": ("[click](/relative?x=1)", ['click <span class="mute">(/relative?x=1)</span>']),
    "other scheme": ("[files](ftp://e.example/x)", ['files <span class="mute">(ftp://e.example/x)</span>']),
    "address as sent": ("[a](https://e.example/ä%41)", ['href="https://e.example/ä%41"']),
    "deeper lines": ("".join(f"{'  ' * level}- level{level}\n" for level in range(30)) + "\nafter", ["- level29\n"]),
    **{name: (f"{marks}deep\n\nafter", ["deep", "<p>after</p>"]) for name, marks in DEEP.items()},
}


@pytest.mark.parametrize(("source", "shown"), ALL_OF_IT.values(), ids=ALL_OF_IT.keys())
def test_all_that_was_written_is_shown(source, shown):
    rendered = rendering.markdown(source)
    assert [piece for piece in shown if piece not in rendered.html] == []
    assert rendered.complete


@pytest.mark.parametrize(
    "source",
    [
        "1. one\n2. two\n   3) three",
        "&copy; &#x41; `&#x41; &amp;lt;` &amp;lt; &ampx",
        "![a *b*](/c.png) [![i](https://e.example/c.png)](/d 'e')",
        "<b>a</b> <https://e.example> <mailto:a@e.example> <foo:bar>",
        "[a](https://e.example/?x=1&y=%22 'it\u202e') \\*a\\* # b",
        "Title\n===\n\n    code\n\n---\n~~a~~ __b__ **c**",
    ],
)
def test_nothing_is_missed_where_all_is_shown(source):
    assert rendering.markdown(source).complete


FORMULAS = {
    "in a line": (
        r"so $$x^2\,dx$$, \(a*b*c\) and \[ i_1 \].",
        [r"<code>$$x^2\,dx$$</code>", r"<code>\(a*b*c\)</code>", r"<code>\[ i_1 \]</code>"],
    ),
    "of its own": ("so\n\\[\nx\n= y\n- z\\,\n\\]\nis", ["<code>\\[\nx\n= y\n- z\\,\n\\]</code>"]),
    "in a list": ("- a\n  $$\n  b\\,c\n  $$\n- d", ["<code>$$\nb\\,c\n$$</code>", "<li>d</li>"]),
    "between single signs": (
        r"$x\,y$ costs $5 and *$10*, from $5-$10",
        [r"<code>$x\,y$</code> costs $5 and <em>$10</em>, from $5-$10"],
    ),
    "none": (r"\*a\* $$ \(", ["*a* $$ ("]),
}


@pytest.mark.parametrize(("source", "shown"), FORMULAS.values(), ids=FORMULAS.keys())
def test_formulas_are_shown_as_they_were_written(source, shown):
    html = rendering.markdown(source).html
    assert [piece for piece in shown if piece not in html] == []


def test_a_very_long_line_is_laid_out_in_stretches_that_add_nothing():
    line = "".join(chr(97 + n % 26) + " " * (n % 7 == 0) for n in range(9_000))
    html = rendering.raw(f"short\n{line}\n<end>").html
    assert html.count('<span class="stretch">') == 3
    assert re.sub("<[^>]+>", "", html) == f"short\n{line}\n&lt;end&gt;"


def page_of(rendered, **context):
    return render_to_string("interactions/_text.html", {"text": rendered, **context})


def test_what_is_left_out_is_told(monkeypatch):
    long = rendering.markdown(f"![a](data:image/png;base64,{'A' * 300})")
    told = "Some of this text is not shown here, see"
    assert told in page_of(long, raw_address="/?raw=1")
    assert told not in page_of(rendering.markdown("all of it"))
    monkeypatch.setattr(rendering, "_sanitise", lambda html: html.replace("hidden", ""))
    assert not rendering.markdown("not hidden").complete


MISLEADING = ["\u202e", "\u2066", "\x1b", "\x00", "\x85", "\u200b", "\u2060", "\ufeff", "\xad", "\U000e0041"]


@pytest.mark.parametrize("character", MISLEADING)
@pytest.mark.parametrize("form", ["a{}b", "`a{}b`", "```\na{}b\n```", "```js\nlet a = '{}'\n```", "# a{}b"])
def test_characters_that_mislead_are_shown_as_marks(form, character):
    html = html_of(form.format(character))
    assert character not in html
    # CommonMark itself puts the replacement character in the place of NUL
    assert 'class="control"' in html or (character == "\x00" and "\ufffd" in html)


def test_ordinary_marks_of_arabic_and_hebrew_stay():
    assert "\u200f" in rendering.text("a\u200fb")


JOINED = ["نمی\u200cخواهم", "क्\u200dष", "ന്\u200d ", "👩\u200d🚒", "🏳\ufe0f\u200d🌈", "Auf\u200clage"]
LOOSE = ["\u200da", "a \u200d b", "a\u200d.", "a\u200d\u200cb", "👩\u200d\u200d\u200d🚒"]


def test_joiners_stay_inside_letters_and_emoji_and_are_marked_elsewhere():
    assert [one for one in JOINED if rendering.text(one) != one] == []
    assert [one for one in LOOSE if 'class="control"' not in rendering.text(one)] == []


def test_a_plain_text_keeps_its_lines_and_their_indentation():
    (turn,) = transcript([{"role": "user", "content": "\n  a\n    <b>"}], completion="", budget=0).turns
    assert turn.parts[0].rendered.html == '<div class="verbatim">\n  a\n    &lt;b&gt;</div>\n'


def test_a_raw_text_keeps_the_line_break_it_begins_with():
    # a browser drops the one behind the tag
    assert ">\n\n  a</pre>" in page_of(rendering.raw("\n  a"), raw=True)


def test_code_is_coloured_where_the_language_is_known_and_it_is_short():
    assert "hl-k" in html_of("```python\ndef f(): pass\n```")
    assert "hl-" not in html_of("```nonsense\ndef f(): pass\n```")
    assert "hl-" not in rendering.code("x = 1\n" * colours.MOST, "python")


@pytest.mark.parametrize(
    ("language", "piece"),
    [("c", "\n"), ("c", " "), ("cpp", "\n \n"), ("csharp", "a\n"), ("java", "a "), ("ini", "a::"), ("makefile", "a(")],
)
def test_code_that_a_lexer_takes_long_for_is_shown_whole_and_in_bounded_time(language, piece):
    source = f"x{piece * (colours.MOST // len(piece) - 1)}\n"
    fences = f"```{language}\n{source[:6_000]}\n```\n" * 4
    started = time.thread_time()
    html = rendering.code(source, language)
    rendering.markdown(fences)
    assert time.thread_time() - started < 5  # it was up to 36 s
    assert visible_text(html) == visible_text(rendering.text(source))


def test_where_the_time_for_colours_is_over_the_rest_has_none():
    blocks = colours.Colours()
    assert "hl-k" in blocks.html("def f(): pass", "python")
    blocks.left = 0.0
    assert blocks.html("def f(): pass", "python") is None


def test_headings_stand_below_those_of_the_page():
    assert html_of("# One\n\n###### Six") == "<h3>One</h3>\n<h6>Six</h6>\n"


def test_single_line_breaks_are_kept():
    assert "<br>" in html_of("one\ntwo")


HOSTILE = {
    "brackets": "[",
    "pictures": "![",
    "stars": "*a **b ",
    "quotes": ">",
    "links": "[a](b) ",
    "cells": "|a",
    "lines": "a\n",
    "ticks": "`a``b",
    "fences": "```js\nlet a\n```\n",
    "entities": "&#x41;",
    "nested": "[a](",
    "definitions": "[a]: b\n",
    "deep": "- " * 30 + "a\n",
    "addresses": "[a](/b 'c') ",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE.keys())
def test_two_megabytes_of_anything_are_rendered_in_bounded_time(piece):
    source = (piece * (2_000_000 // len(piece) + 1))[:2_000_000]
    started = time.thread_time()  # of a processor, whatever else runs
    shown = rendering.markdown(source)
    assert time.thread_time() - started < 5  # under one second, mostly
    assert shown.cut
    assert shown.shown <= rendering.MARKDOWN_LIMIT
    assert shown.length == 2_000_000


def test_the_cut_falls_at_the_end_of_a_line():
    source = "word word word word\n" * 5_000
    assert rendering.cut(source, 1_000).endswith("word")
    assert len(rendering.cut("w" * 5_000, 1_000)) == 1_000


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ("leak", "A leak, not leakage", ["leak"]),
        ("leak*", "A leak, not leakage", ["leak", "leakage"]),
        ('"gas leak"', "Gas leak or gas, leak", ["Gas leak", "gas, leak"]),
        ("漏水", "厨房漏水了", ["漏水"]),
        ("<b>", "a <b> c", ["b"]),
        ("...", "a ... b", []),
        ("ÜBER", "über", ["über"]),
        ("a.b", "see a.b here", ["a.b"]),
    ],
)
def test_words_found_are_marked(query, text, marked):
    pattern = rendering.words_pattern(query)
    html = rendering.found(text, pattern)
    assert [piece.split("</mark>")[0] for piece in html.split("<mark>")[1:]] == marked
    assert "<b>" not in html


def test_a_result_stands_beside_its_call():
    messages = [
        {"role": "user", "content": "Covered?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"a": 1}'}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": '{"covered": true}'},
        {"role": "tool", "tool_call_id": "nobody", "content": "left over"},
    ]
    turns = transcript(messages).turns
    assert [turn.role for turn in turns] == ["user", "assistant", "tool"]
    (call,) = turns[1].calls
    assert call.name == "look"
    assert "covered" in call.result[0].rendered.html


USED = {"type": "tool_use", "id": "t1", "name": "look", "input": {"a": 1}, "cache_control": {"type": "ephemeral"}}


@pytest.mark.parametrize("raw", [False, True])
def test_calls_in_the_form_of_anthropic_are_shown_as_calls_with_their_results(raw):
    results = [
        {
            "type": "tool_result",
            "tool_use_id": "t1",
            "content": [{"type": "text", "text": "**9** mm"}],
            "is_error": True,
        },
        {"type": "tool_result", "tool_use_id": "nobody", "content": [{"type": "text"}, "odd"]},
    ]
    messages = [
        {"role": "user", "content": "Covered?"},
        {"role": "assistant", "content": [{"type": "text", "text": "Let me look."}, USED]},
        {"role": "user", "content": [*results, {"type": "text", "text": "And?"}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": 7, "content": "x"}]},
    ]
    turns = transcript(messages, raw=raw).turns
    assert [turn.role for turn in turns] == ["user", "assistant", "tool", "user", "user"]
    (call,) = turns[1].calls
    assert (call.name, '"a"' in visible_text(call.arguments)) == ("look", True)
    assert "9" in call.result[0].rendered.html and "is_error" in call.result[1].rendered.html
    assert "Let me look." in turns[1].parts[0].rendered.html and "ephemeral" in turns[1].parts[1].rendered.html
    assert "odd" in turns[2].parts[0].rendered.html and "And?" in turns[3].parts[0].rendered.html
    assert "tool_use_id" in turns[4].parts[0].rendered.html  # not in their form: as it was sent


def test_a_message_of_calls_alone_says_nothing_besides():
    asked, answered = transcript([{"role": "assistant", "content": [USED | {"cache_control": None}]}] * 2).turns
    assert (asked.parts, len(asked.calls)) == ([], 1)


ALTERED = ['{"a": 1, "a": 2}', '{"p": 1.10}', "[1e3]", "[1e400]", "[12345678901234567890.5]", "[-0]", r'["\ud800"]']


@pytest.mark.parametrize("source", ALTERED)
def test_json_that_would_be_shown_as_another_is_shown_as_it_was_sent(source):
    assert rendering.as_json(source) is None
    call = {"function": {"name": "f", "arguments": source}, "id": "c1"}
    messages = [
        {"role": "user", "content": source},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": source},
    ]
    said, called = transcript(messages).turns
    shown = (said.parts[0].rendered.html, called.calls[0].arguments, called.calls[0].result[0].rendered.html)
    for html in shown:
        assert visible_text(html).strip() == source


@pytest.mark.parametrize(
    "value", [{"a": 1.5, "b": [-3, 0, 12345678901234567890, 0.1, 1e-07, 1e16]}, [None, True, {}, "\U0001f600"]]
)
def test_json_that_is_written_again_the_same_is_laid_out(value):
    assert rendering.as_json(json.dumps(value)) == value


@pytest.mark.parametrize("name", [None, 7, ["c1"], {"a": 1}])
def test_odd_ids_of_calls_are_no_fault(name):
    messages = [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": name, "function": {"name": "f", "arguments": {}}}],
        },
        {"role": "tool", "tool_call_id": name, "content": "x"},
        {"role": "function", "name": name, "content": "x"},
    ]
    assert len(transcript(messages).turns) == 3


def called(**members):
    return {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}", **members}}


SENT = {
    "unknown members": (
        {"role": "assistant", "content": "4", "reasoning_content": "two and two", "audio": {"transcript": "<b>four"}},
        ["also sent: reasoning_content", "two and two", "also sent: audio", "&lt;b&gt;four"],
    ),
    "an odd name": ({"role": "user", "content": "a", "name": ["odd"]}, ["also sent: name", "odd"]),
    "a member of a call": (
        {"role": "assistant", "content": None, "tool_calls": [called(strict="so")]},
        ["also sent: tool_calls[0].function", "strict"],
    ),
    "a member of a part": (
        {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]},
        ["also sent: content[0]", "ephemeral"],
    ),
    "a member of a picture": (
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://e.e", "detail": "low"}}]},
        ["also sent: content[0].image_url", "low"],
    ),
    "a long refusal": ({"role": "assistant", "content": "", "refusal": "No. " * 600 + "Never."}, ["Never."]),
    "what a result answers": ({"role": "tool", "content": "a", "tool_call_id": "nobody"}, ["nobody"]),
}


@pytest.mark.parametrize(("message", "shown"), SENT.values(), ids=SENT.keys())
@pytest.mark.parametrize("raw", [False, True])
def test_what_a_message_holds_besides_is_shown(message, shown, raw):
    (turn,) = transcript([message], raw=raw).turns
    assert [piece for piece in shown if piece not in turn.parts[-1].rendered.html] == []


def test_a_result_shows_what_else_was_sent_with_it():
    call = {"role": "assistant", "content": None, "tool_calls": [called()]}
    result = {"role": "tool", "tool_call_id": "c1", "content": "sunny", "name": "look", "is_error": True}
    (turn,) = transcript([call, result]).turns
    assert turn.parts == []
    said, also = turn.calls[0].result
    assert "is_error" in also.rendered.html
    assert "name" not in also.rendered.html


def test_nothing_is_also_sent_where_all_is_shown():
    dumped = {"refusal": None, "audio": None, "annotations": [], "tool_calls": None, "function_call": None, "name": "A"}
    (turn,) = transcript([{"role": "assistant", "content": "a", **dumped}]).turns
    assert len(turn.parts) == 1


def test_a_great_deal_that_was_also_sent_is_cut_and_says_so():
    (turn,) = transcript([{"role": "user", "content": "a", "x": "long " * 100_000, "y": "more"}]).turns
    rendered = turn.parts[-1].rendered
    assert rendered.cut
    assert rendered.shown <= colours.MOST
    assert len(rendered.html) < 2 * colours.MOST


def test_a_folded_turn_shows_who_spoke_and_what_was_called():
    message = {"role": "developer", "name": "policy-bot", "content": "Be kind.", "tool_calls": [called()]}
    (turn,) = transcript([message]).turns
    html = render_to_string("interactions/_turn.html", {"turn": turn})
    assert "policy-bot" in html
    assert "<code>look</code>" in html


def test_pictures_stand_together_and_what_cannot_be_shown_is_a_card_or_json():
    sha = "a" * 64
    content = [
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": f"marginalia-blob:{sha};data:image/png;base64"},
        {"type": "image_url", "image_url": {"url": f"marginalia-blob:{sha};data:image/png;base64"}},
        {"type": "image_url", "image_url": "https://e.example/x.png"},
        {"type": "image_url", "image_url": "javascript:alert(1)"},
        {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
        {"type": "file", "file": {"filename": "policy.pdf"}},
        {"type": "refusal", "refusal": "No."},
        {"type": "tool_outcome", "of": "toolu_7", "content": "<b>9 mm</b>"},
        {"type": "video_url", "video_url": {"url": "data:video/mp4;base64," + "A" * 50_000}},
    ]
    (turn,) = transcript([{"role": "user", "content": content}]).turns
    kinds = ["text", "pictures", "remote", "remote", "card", "card", "card", "text", "text"]
    assert [part.kind for part in turn.parts] == kinds
    assert "toolu_7" in turn.parts[7].rendered.html and "&lt;b&gt;9 mm" in turn.parts[7].rendered.html
    assert turn.parts[8].rendered.cut and "video_url" in turn.parts[8].rendered.html
    assert len(turn.parts[1].pictures) == 2
    assert [part.is_link for part in turn.parts[2:4]] == [True, False]
    assert turn.parts[5].address == "policy.pdf"


def test_a_page_renders_so_much_and_shows_the_rest_plainly():
    long = transcript([{"role": "user", "content": "**a** " * 1_000}] * 10, budget=10_000)
    assert "<strong>" in long.turns[0].parts[0].rendered.html
    assert "<strong>" not in long.turns[-1].parts[0].rendered.html
    assert long.turns[-1].parts[0].rendered.cut


def test_raw_shows_the_text_as_it_is():
    raw = transcript([{"role": "user", "content": "**a** <b>"}], raw=True)
    assert raw.turns[0].parts[0].rendered.html == "**a** &lt;b&gt;"


def test_a_session_shows_what_is_new_in_a_call():
    before = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    assert new_messages([*before, {"role": "user", "content": "c"}], before) == ([{"role": "user", "content": "c"}], 2)
    assert new_messages(before, []) == (before, 0)
