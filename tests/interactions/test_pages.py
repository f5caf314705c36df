"""The pages of interactions: the table, the detail, payload and session; as members, as readers, as strangers."""

import datetime
import html
import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.services import add_member
from feedback.giving import give_feedback
from feedback.services import create_feedback_key, keys_of
from interactions.labels import set_label
from tests.factories import make_interaction, make_project, make_user, owner_of

HTMX = {"HX-Request": "true"}


@pytest.fixture
def pages(client, owner):
    client.force_login(owner)
    return client


def list_url(project):
    return reverse("interaction_list", kwargs={"project": project.key})


def facets_url(project):
    return reverse("interaction_facets", kwargs={"project": project.key})


def detail_url(project, interaction, name="interaction_detail"):
    return reverse(name, kwargs={"project": project.key, "pk": interaction.pk})


def text_of(response):
    assert response.status_code == 200
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def shown_ids(response):
    return [row.pk for row in response.context["page"].rows]


def logged(project, n, **record):
    """n interactions, newest first, a minute apart."""
    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    moments = [start - datetime.timedelta(minutes=place) for place in range(n)]
    return [make_interaction(project, created_at=moment.isoformat(), **record) for moment in moments]


def test_the_table_shows_the_newest_first(pages, project):
    made = logged(project, 3)
    response = pages.get(list_url(project))
    assert response.status_code == 200
    assert shown_ids(response) == [row.pk for row in made]


def test_the_table_asks_the_same_number_of_queries_whatever_the_rows_and_reads_no_body(pages, project):
    (key, _) = create_feedback_key(team=project.team, key="helpful", kind="bool", projects=[project])
    labels = [{"intent": f"i{place % 5}", "lang": "de"} for place in range(60)]
    for place in range(3):
        make_interaction(project, labels=labels[place], feedbacks=[{"feedback_key": key.key, "value": True}])
    pages.get(list_url(project))  # what is read once for all is read now
    with CaptureQueriesContext(connection) as few:
        pages.get(list_url(project))
    for place in range(3, 60):
        make_interaction(project, labels=labels[place], feedbacks=[{"feedback_key": key.key, "value": False}])
    with CaptureQueriesContext(connection) as many:
        response = pages.get(list_url(project))
    assert len(response.context["page"].rows) == 50
    # which names were given up is remembered for a second, and asked by either or none
    asked = [[q for q in one.captured_queries if "interactions_labelalias" not in q["sql"]] for one in (few, many)]
    assert len(asked[1]) <= len(asked[0]) <= 17
    assert not [query for query in many.captured_queries if "interactionbody" in query["sql"]]


def test_pages_lead_on_and_back_inside_the_filter(pages, project):
    made = logged(project, 5, labels={"a": "b"})
    first = pages.get(list_url(project), {"label": "a:b", "limit": "2"})
    assert shown_ids(first) == [row.pk for row in made[:2]]
    second = pages.get(first.context["address"].next)
    assert shown_ids(second) == [row.pk for row in made[2:4]]
    assert second.context["address"].one("label") == "a:b"
    assert shown_ids(pages.get(second.context["address"].previous)) == [row.pk for row in made[:2]]


@pytest.mark.parametrize(
    ("form", "address"),
    [
        ("q=&label=&latency.from=&latency.to=&session=", ""),
        ("latency.from=1,000&latency.to=3000", "latency=1000..3000"),
        ("latency.to=5", "latency=..5"),
        ("feedback.is.helpful=true", "feedback=helpful%3Atrue"),
        ("feedback.is.csat=none", "feedback=csat%3Anone"),
        ("feedback.from.csat=2&feedback.to.csat=4.5", "feedback=csat%3A2..4.5"),
        ("feedback.from.csat=2&feedback.to.csat=", "feedback=csat%3A2.."),
        ("label.add=intent", "label=intent"),
        ("label=a%3Ab&label.add=intent:x|y", "label=a%3Ab&label=intent%3Ax%7Cy"),
        ("label.add=-intent:x", "not_label=intent%3Ax"),
        ("time.after=2026-03-01T10:00", "after=2026-03-01T10%3A00%3A00Z"),
        ("after=2026-01-01T00:00:00Z&time.after=2026-03-01T10:00", "after=2026-03-01T10%3A00%3A00Z"),
        ("order=created_at&q=leak&utm_source=x", "q=leak&order=created_at"),
    ],
)
def test_what_the_form_sends_becomes_the_one_language(pages, project, form, address):
    make_interaction(project)
    response = pages.get(f"{list_url(project)}?{form}")
    assert response.status_code == 302
    assert response["Location"] == list_url(project) + (f"?{address}" if address else "")
    pushed = pages.get(f"{list_url(project)}?{form}", headers=HTMX)
    assert pushed.status_code in {200, 400}
    assert pushed["HX-Push-Url"] == response["Location"]


def test_times_of_the_form_are_the_readers(pages, project):
    make_interaction(project)
    pages.cookies["tz"] = "Asia/Tokyo"
    response = pages.get(f"{list_url(project)}?time.after=2026-03-01T09:00")
    assert response["Location"].endswith("after=2026-03-01T00%3A00%3A00Z")
    shown = pages.get(response["Location"])
    assert 'value="2026-03-01T09:00"' in shown.content.decode()
    assert "Asia/Tokyo" in shown.content.decode()


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"latency": "soon"}, "latency"),
        ({"after": "yesterday"}, "after"),
        ({"feedback": "nobody:true"}, "feedback"),
        ({"label": ":x"}, "label"),
        ({"q": "..."}, "q"),
        ({"source": "moon"}, "source"),
        ({"cursor": "zz"}, "cursor"),
        ({"limit": "0"}, "limit"),
        ({"has_images": "perhaps"}, "has_images"),
        ({"order": "upwards"}, "order"),
        ({"after": "2026-03-02T00:00:00Z", "before": "2026-03-01T00:00:00Z"}, "before"),
        ({"q": "a\x00b"}, "q"),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_a_filter_that_cannot_be_read_is_told_and_the_page_works(pages, project, query, word, headers):
    make_interaction(project)
    response = pages.get(list_url(project), query, headers=headers)
    assert response.status_code == 400
    assert [fault.name for fault in response.context["errors"]] == [word]
    (fault,) = response.context["errors"]
    assert html.escape(fault.text) in response.content.decode()
    assert pages.get(fault.without).status_code == 200


def test_nothing_found_offers_a_way_out(pages, project):
    make_interaction(project, labels={"a": "b"})
    response = pages.get(list_url(project), {"q": "unheard", "label": "a:c"})
    assert response.status_code == 200
    text = response.content.decode()
    assert "Nothing matches" in text and "arguments of tool calls are not searched" in text
    assert html.escape(response.context["address"].without_q) in text
    assert html.escape(response.context["chips"][0].without) in text


def test_an_empty_project_shows_how_to_begin(pages, project):
    assert "Log the first interaction" in pages.get(list_url(project)).content.decode()


def test_every_filter_is_a_chip_that_can_be_taken_away(pages, project):
    make_interaction(project)
    labels, rest = "label=a:b&label=c&not_label=d:e|f", "session=s&user=u&source=live&after=2026-01-01"
    query = f"{labels}&model=m&latency=1..5&has_images=true&{rest}"
    response = pages.get(f"{list_url(project)}?{query}", follow=True)
    chips = {f"{chip.kind} {chip.text}" for chip in response.context["chips"]}
    assert chips == {
        "label is a:b", "has label c", "without label d:e or f", "model m", "latency 1 to 5 ms", "with pictures",
        "session s", "user u", "source Live", "time since 1 Jan",
    }  # fmt: skip
    for chip in response.context["chips"]:
        assert len(pages.get(chip.without).context["chips"]) == len(chips) - 1


def test_the_form_carries_along_what_it_has_no_field_for(pages, project):
    make_interaction(project, labels={"a": "b"})
    response = pages.get(list_url(project), {"label": "a:b|c", "not_label": "x", "after": "2026-01-01T00:00:00Z"})
    assert {("label", "a:b|c"), ("not_label", "x"), ("after", "2026-01-01T00:00:00Z")} == set(
        response.context["facets"].unseen
    )


def test_a_label_in_the_filter_has_its_box_ticked_and_is_left_out_of_the_rows(pages, project):
    make_interaction(project, labels={"intent": "refund", "tone": "curt"})
    response = pages.get(list_url(project), {"label": "intent:refund"})
    (option,) = [one for one in response.context["facets"].labels if one.on]
    assert option.value == "intent:refund"
    (row,) = response.context["page"].rows
    assert "tone:curt" in row.html and "intent:refund" not in re.sub(r'(href|hx-get)="[^"]*"', "", row.html)


@pytest.mark.parametrize("label", [{"a:b": "c|d"}, {"a\\": "b:c"}, {'"><i>': "<b>"}, {"键": "值"}, {"a": "b "}])
def test_labels_of_any_characters_can_be_filtered_by_their_boxes(pages, project, label):
    wanted = make_interaction(project, labels=label)
    make_interaction(project, labels={"a": "b"})
    first = pages.get(facets_url(project))
    ((key, value),) = label.items()
    (option,) = [one for one in first.context["facets"].labels if (one.label.key, one.label.value) == (key, value)]
    assert shown_ids(pages.get(list_url(project), {"label": option.value})) == [wanted.pk]
    assert wanted.pk not in shown_ids(pages.get(option.without))
    assert "<i>" not in first.content.decode()
    assert value in {one.label.value for one in first.context["facets"].labels}


def test_an_id_in_the_search_goes_straight_there(pages, project):
    made = make_interaction(project, external_id="ticket-7", session_id="chat-9")
    detail = detail_url(project, made)
    assert pages.get(list_url(project), {"q": str(made.pk)})["Location"] == detail
    assert pages.get(list_url(project), {"q": "ticket-7", "go": "1"})["Location"] == detail
    session = reverse("session_detail", kwargs={"project": project.key, "session": "chat-9"})
    assert pages.get(list_url(project), {"q": "chat-9", "go": "1"})["Location"] == session
    assert pages.get(list_url(project), {"q": "chat-9", "go": "1"}, headers=HTMX)["HX-Redirect"] == session
    # what is only typed could be a word: it is offered
    offered = pages.get(list_url(project), {"q": "chat-9"})
    assert html.escape(session) in offered.content.decode()


@pytest.mark.parametrize(
    "form",
    ["{id}", '"{id}"', "“{id}”", "chatcmpl-{id}", "http://testserver{url}", "{url}?label=a%3Ab", "{url}/payload"],
)
def test_an_id_goes_straight_there_in_every_form_that_it_is_copied_in(pages, project, form):
    made = make_interaction(project)
    url = detail_url(project, made)
    assert pages.get(list_url(project), {"q": form.format(id=made.pk, url=url)})["Location"] == url
    theirs = make_interaction(make_project())
    assert (
        pages.get(list_url(project), {"q": form.format(id=theirs.pk, url=url.replace(str(made.pk), "x"))}).status_code
        == 200
    )


def test_ids_with_blanks_and_in_quotation_marks_and_those_of_users_are_found(pages, project):
    made = make_interaction(project, external_id="ticket 4711", session_id="visit 12", user="ada w")

    def led_to(text):
        return pages.get(list_url(project), {"q": text, "go": "1"})["Location"]

    for text in ("ticket 4711", '"ticket 4711"'):
        assert led_to(text) == detail_url(project, made)
    session = reverse("session_detail", kwargs={"project": project.key, "session": "visit 12"})
    assert led_to("visit 12") == led_to('"visit 12"') == session
    assert led_to("ada w") == f"{list_url(project)}?user=ada+w"
    offered = pages.get(list_url(project), {"q": "ada w"})
    assert "Open the user" in offered.content.decode()
    other = make_project(team=project.team)
    assert "Open the user" not in pages.get(list_url(other), {"q": "ada w"}).content.decode()


def test_words_found_are_marked_in_the_rows(pages, project):
    make_interaction(project, messages=[{"role": "user", "content": "A <b>leak</b> in the roof"}])
    text = pages.get(list_url(project), {"q": "leak"}).content.decode()
    assert "&lt;b&gt;<mark>leak</mark>&lt;/b&gt;" in text


def test_labels_and_values_in_the_rows_are_markup_of_ours_around_texts_of_theirs(pages, project):
    for key, kind in (("helpful", "bool"), ("csat", "scalar")):
        create_feedback_key(team=project.team, key=key, kind=kind, minimum=None, projects=[project])
    given = [{"feedback_key": "helpful", "value": False}, {"feedback_key": "csat", "value": 4.5}]
    make_interaction(project, labels={"tone": "<i>curt"}, feedbacks=given)
    for _ in range(2):  # the second time as they were kept
        row = re.search(r"<tbody>(.*?)</tbody>", pages.get(list_url(project)).content.decode(), re.DOTALL)[1]
        assert '<span class="v">&lt;i&gt;curt</span>' in row
        assert 'thumbs-down"/></svg><span class="vh">no</span></span>' in row
        assert "4.5</span>" in row
        assert "&lt;span" not in row and "<i>" not in row


def test_the_detail_is_a_page_for_people_and_a_drawer_for_htmx(pages, project):
    made = make_interaction(project)
    page = pages.get(detail_url(project, made))
    drawer = pages.get(detail_url(project, made), headers=HTMX)
    back = pages.get(detail_url(project, made), headers={**HTMX, "HX-History-Restore-Request": "true"})
    assert page.content.startswith(b"<!doctype html>") and back.content.startswith(b"<!doctype html>")
    assert b"<!doctype" not in drawer.content and b'role="dialog"' in drawer.content
    assert "HX-Request" in page["Vary"] and "HX-Request" in drawer["Vary"]


def test_previous_and_next_stay_inside_the_filter(pages, project):
    newest, middle, oldest = (logged(project, 1, labels={"a": a})[0] for a in ("x", "y", "x"))
    rows = sorted([newest, oldest], key=lambda row: row.pk, reverse=True)
    response = pages.get(detail_url(project, rows[0]), {"label": "a:x"})
    assert response.context["before"] == ""
    assert response.context["after"] == detail_url(project, rows[1]) + "?label=a%3Ax"
    assert response.context["back"] == list_url(project) + "?label=a%3Ax"
    assert middle.pk not in {newest.pk, oldest.pk}


def test_the_detail_shows_all_that_is_known(pages, project, owner):
    (key, _) = create_feedback_key(
        team=project.team, key="csat", kind="scalar", minimum=1, maximum=5, projects=[project]
    )
    made = make_interaction(
        project,
        messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Covered?"}],
        completion="**Yes**",
        labels={"intent": "cover"},
        metadata={"temperature": 0.2, "nested": {"a": [1]}},
        usage={"prompt_tokens": 1842, "completion_tokens": 386},
        latency_ms=1240,
        external_id="ticket-7",
        user="u_1",
        feedbacks=[{"feedback_key": key.key, "value": 4.5, "details": "Good on evidence."}],
    )
    set_label(interaction=made, key="intent", value="claim", by=owner)
    text = pages.get(detail_url(project, made)).content.decode()
    for words in (
        "Be brief.", "Covered?", "<strong>Yes</strong>", "claim", "cover", "0.2", "1,842 in", "386 out", "1.24 s",
        "ticket-7", "u_1", "Good on evidence.", "4.5", owner.initials,
    ):  # fmt: skip
        assert words in text, words


def test_a_field_is_filled_with_the_line_break_that_the_text_begins_with(pages, project):
    create_feedback_key(team=project.team, key="helpful", kind="bool", projects=[project])
    given = [{"feedback_key": "helpful", "value": True, "details": "\n  note"}]
    made = make_interaction(project, completion="\n  Yes.", feedbacks=given)
    text = pages.get(detail_url(project, made)).content.decode()
    # a browser drops the one behind the tag
    assert ">\n\n  Yes.</textarea>" in text
    assert ">\n\n  note</textarea>" in text


def test_what_the_panel_leaves_out_is_told(pages, project, owner):
    metadata = {"first": "word " * 500, **{f"n{place}": place for place in range(120)}}
    made = make_interaction(project, metadata=metadata)
    for place in range(50):
        set_label(interaction=made, key="intent", value=f"v{place}", by=owner)
    assert "Older than" not in pages.get(detail_url(project, made)).content.decode()
    set_label(interaction=made, key="intent", value="v50", by=owner)
    text = pages.get(detail_url(project, made)).content.decode()
    for words in ("The first 2,000 of 2,500 characters.", "100 of 121", "Older than these 50"):
        assert words in text, words
    small = pages.get(detail_url(project, make_interaction(project, metadata={"a": "b"}))).content.decode()
    for words in ("The first", "Older than", "1 of 1"):
        assert words not in small, words


CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}


@pytest.mark.parametrize(("completion", "is_told"), [(json.dumps([CALL]), False), ("", False), ("Let me look.", True)])
def test_a_completion_that_calls_tools_shows_the_calls(pages, project, completion, is_told):
    made = make_interaction(project, completion=completion, metadata={"tool_calls": [CALL]})
    text = pages.get(detail_url(project, made)).content.decode()
    [done] = re.findall(r'<section class="turn done">.*?</section>', text, re.DOTALL)
    assert done.count('<details class="tool') == 1 and "<code>weather</code>" in done and "Oslo" in done
    assert ('class="prose"' in done) is is_told
    odd = make_interaction(project, completion="x", metadata={"tool_calls": [{"function": "weather"}]})
    assert '<details class="tool' not in pages.get(detail_url(project, odd)).content.decode()


def test_the_detail_leads_to_what_else_was_answered_and_to_the_users_and_models_others(client, pages, project):
    said = {"messages": [{"role": "user", "content": "Which?"}], "user": "ada"}
    first, second = (make_interaction(project, completion=text, model=f"m/{text}", **said) for text in "ab")
    make_interaction(project)
    text = pages.get(detail_url(project, first)).content.decode()
    [beside] = re.findall(r'href="([^"]+/beside/[^"]+)"', text)
    assert "m/b</bdi></a>" in text and "?user=ada" in text and "?model=m%2Fa" in text
    [same] = re.findall(r'href="([^"]+[?]prompt=[^"]+)"', text)
    assert shown_ids(pages.get(same)) == [second.pk, first.pk]
    assert "Send the prompt_hash" in pages.get(list_url(project), {"prompt": "x"}).content.decode()
    page = pages.get(beside)
    assert [one.interaction.pk for one in page.context["sides"]] == [first.pk, second.pk]
    assert pages.get(f"{beside}?diff=1").status_code == 200
    elsewhere = make_interaction(make_project())
    assert pages.get(beside.replace(str(second.pk), str(elsewhere.pk))).status_code == 404
    client.force_login(owner_of(elsewhere.project))
    assert client.get(beside).status_code == 404


def test_the_payload_is_given_back_as_it_came_with_its_digest(pages, project):
    made = make_interaction(project, messages=[{"role": "user", "content": "Hé"}], completion="", labels={"a": "b"})
    address = detail_url(project, made, "interaction_payload")
    assert re.search(r"[0-9a-f]{64}", pages.get(address).content.decode())
    answer = pages.get(address, {"as": "json"})
    assert answer["Content-Type"].startswith("application/json")
    assert answer.json()["messages"] == [{"role": "user", "content": "Hé"}]
    assert pages.get(address, {"as": "curl"}).content.decode().startswith("curl ")
    by_id = address.replace(f"/p/{project.key}/", f"/p/{project.uid}/")  # the key may be another project's to her
    assert f'"project": "{project.uid}"' in pages.get(by_id, {"as": "curl"}).content.decode()
    assert pages.get(address, {"as": "completion"}).content == b""


def test_a_page_of_two_megabytes_is_cut_and_says_so(pages, project):
    made = make_interaction(project, completion="line of text\n" * 160_000)
    response = pages.get(detail_url(project, made))
    assert len(response.content) < 400_000
    assert "of 2,080,000 characters" in response.content.decode()
    assert len(pages.get(detail_url(project, made), {"raw": "1"}).content) > 1_900_000


def test_a_session_shows_its_turns_in_order_and_says_nothing_twice(pages, project):
    messages = [{"role": "user", "content": "First question"}]
    make_interaction(project, session_id="s/1", messages=messages, completion="First answer")
    messages += [{"role": "assistant", "content": "First answer"}, {"role": "user", "content": "Second question"}]
    make_interaction(project, session_id="s/1", messages=messages, completion="Second answer")
    text = pages.get(reverse("session_detail", kwargs={"project": project.key, "session": "s/1"})).content.decode()
    parts = ["First question", "First answer", "2 earlier messages", "Second question", "Second answer"]
    assert sorted(parts, key=text.index) == parts
    assert text.count("First question") == 1


def test_a_session_shows_what_was_said_of_each_turn_and_what_it_took(pages, project, owner):
    key, _ = create_feedback_key(team=project.team, key="helpful", kind="bool", name="Helpful", projects=[project])
    usage = {"prompt_tokens": 1200, "completion_tokens": 30}
    first = make_interaction(project, session_id="s", usage=usage, latency_ms=340, corrected_completion="Call 112.")
    make_interaction(project, session_id="s", completion="Second answer")
    give_feedback(interaction=first, key=key, value=0, by=owner, details="The wrong number", user="ada")
    address = reverse("session_detail", kwargs={"project": project.key, "session": "s"})
    text = text_of(pages.get(address))
    turn = text[: text.index("Second answer")]
    for said in ("340 ms, 1,200 in, 30 out", "Better answer", "Call 112.", "Helpful", "The wrong number", "User ada"):
        assert said in turn, said
    assert f"given by {owner}" in turn
    assert "Helpful" not in text[text.index("Second answer") :]


def test_a_session_takes_the_same_number_of_queries_however_long_it_is(pages, project):
    key, _ = create_feedback_key(team=project.team, key="helpful", kind="bool", projects=[project])
    counts = []
    for n in (1, 6):
        for _ in range(n):
            made = make_interaction(project, session_id=f"s{n}", corrected_completion="Better.")
            for _ in range(12):
                give_feedback(interaction=made, key=key, value=1, by=None)
        with CaptureQueriesContext(connection) as queries:
            text = text_of(pages.get(reverse("session_detail", kwargs={"project": project.key, "session": f"s{n}"})))
        counts.append(len(queries))
        assert text.count("2 older") == n
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("usage", "shown", "hidden"),
    [
        ({"total_tokens": 5}, ["Tokens 5 in all"], ["Usage"]),
        ({"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}, ["Tokens 3 in, 2 out"], ["Usage", "in all"]),
        ({"input_tokens": 3, "cost": 0.25, "details": {"cached": 2}}, ["3 in", "cost 0.25", '"cached"'], ["in all"]),
        ({"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 9}, ["total_tokens 9"], ["in all"]),
        ({}, [], ["Tokens", "Usage"]),
    ],
)
def test_the_detail_tells_all_of_the_usage_that_was_reported(pages, project, usage, shown, hidden):
    text = text_of(pages.get(detail_url(project, make_interaction(project, usage=usage))))
    assert [one for one in shown if one not in text] == []
    assert [one for one in hidden if one in text] == []


def test_pages_of_strangers_projects_do_not_exist(pages, project):
    other = make_project()
    theirs = make_interaction(other, session_id="s")
    mine = make_interaction(project)
    for address in (
        list_url(other),
        detail_url(other, theirs),
        detail_url(project, theirs),
        detail_url(project, theirs, "interaction_payload"),
        reverse("session_detail", kwargs={"project": project.key, "session": "s"}),
    ):
        assert pages.get(address).status_code == 404, address
    for name, data in (("label_set", {"label": "a:b"}), ("label_remove", {"key": "a"})):
        assert pages.post(detail_url(project, theirs, name), data).status_code == 404
    gone = pages.post(
        reverse("interaction_delete_many", kwargs={"project": project.key}), {"id": [theirs.pk, mine.pk], "sure": "1"}
    )
    assert gone.status_code == 302
    theirs.refresh_from_db()


def test_who_may_only_read_sees_no_way_to_change_and_is_refused(client, project):
    reader = make_user(team=project.team, role="auditor")
    made = make_interaction(project, labels={"a": "b"})
    client.force_login(reader)
    assert b'id="label"' not in client.get(detail_url(project, made)).content
    assert client.post(detail_url(project, made, "label_set"), {"label": "a:c"}).status_code == 403
    many = reverse("interaction_delete_many", kwargs={"project": project.key})
    assert client.post(many, {"id": made.pk, "sure": "1"}).status_code == 403
    assert client.get(detail_url(project, made, "interaction_delete")).status_code == 403


def test_feedback_of_people_is_shown_with_their_initials(pages, project):
    (key, _) = create_feedback_key(team=project.team, key="ok", kind="bool", projects=[project])
    reviewer = make_user(name="Jo Okafor", team=project.team, role="reviewer")
    made = make_interaction(project)
    give_feedback(interaction=made, key=keys_of(project)["ok"], value=True, by=reviewer, origin="reviewer")
    assert "JO" in pages.get(detail_url(project, made)).content.decode()


def test_a_member_of_another_team_that_shares_the_project_reads_it(client, project):
    user = make_user()
    add_member(team=project.team, user=user, role="reviewer")
    made = make_interaction(project)
    client.force_login(user)
    assert client.get(detail_url(project, made)).status_code == 200
    assert owner_of(project) != user


def test_the_key_that_is_filtered_on_has_a_column(pages, project):
    for key in ("helpful", "kind", "true"):
        create_feedback_key(team=project.team, key=key, kind="bool", projects=[project])
    made = make_interaction(project, feedbacks=[{"feedback_key": "true", "value": False}])

    def columns(query):
        return [key.key for key in pages.get(f"{list_url(project)}?{query}").context["shown_keys"]]

    assert columns("") == columns("feedback=kind:none") == ["helpful", "kind"]
    assert columns("feedback=true:false") == columns("feedback=true") == ["helpful", "true"]
    assert columns("feedback=true:false&feedback=kind:none") == ["kind", "true"]
    here = f"http://testserver{detail_url(project, made)}?feedback=true:false"
    changed = pages.post(
        f"{detail_url(project, made)}/labels", {"label": "a", "table": "1"}, headers={**HTMX, "HX-Current-URL": here}
    )
    row = changed.content.decode().partition(f'hx-target="#i-{made.pk}"')[2].partition("</hx-partial>")[0]
    assert row.count("d-fb") == 2 and "thumbs-down" in row


@pytest.mark.parametrize(("completion", "told"), [("", "Empty."), (" \n\t ", "Nothing but blanks.")])
@pytest.mark.parametrize("raw", ["", "?raw=1"])
def test_a_completion_without_a_word_says_so(pages, project, completion, told, raw):
    made = make_interaction(project, completion=completion)
    assert told in pages.get(detail_url(project, made) + raw).content.decode()
    row = pages.get(list_url(project)).content.decode().partition(f'id="i-{made.pk}"')[2]
    assert '<p dir="auto"><span class="mute">no text</span></p>' in row


@pytest.mark.parametrize(
    ("completion", "error", "told"),
    [
        ("", {"code": "provider_error", "message": "busy <now>"}, "Failed: <bdi>busy &lt;now&gt;</bdi>"),
        ("Half an", {"message": "It broke off"}, "Failed: <bdi>It broke off</bdi>"),
        ("", "busy", "Failed: <bdi>busy</bdi>"),
        ("", {"message": 503}, "Failed: <bdi>"),
        ("", None, "Empty."),
    ],
)
def test_a_call_that_failed_says_why(pages, project, completion, error, told):
    made = make_interaction(project, completion=completion, metadata={"error": error}, session_id="s")
    session = reverse("session_detail", kwargs={"project": project.key, "session": "s"})
    for url in (detail_url(project, made), session):
        text = pages.get(url).content.decode()
        assert told in text
        assert ("Empty." in text) == (told == "Empty.")
        assert completion in text


@pytest.mark.parametrize(("role", "may_tick", "may_label"), [("auditor", False, False), ("annotator", True, True)])
def test_rows_can_be_ticked_where_something_may_be_done_to_them(client, project, role, may_tick, may_label):
    make_interaction(project)
    member = make_user()
    add_member(team=project.team, user=member, role=role)
    client.force_login(member)
    text = client.get(list_url(project)).content.decode()
    for sign in ('name="id"', "data-all", "data-bulk", "<kbd>x</kbd> select"):
        assert (sign in text) is may_tick, sign
    assert ("<kbd>l</kbd> label" in text) is may_label
    (row,) = re.findall(r'<tr id="i-.*?</tr>', text, re.DOTALL)
    assert row.count("<td ") == text.count("<th") - text.count("<thead") == text.count("<col") - text.count("<colgroup")
