"""What is alike is one row where that is asked for: the same words, no pictures; opened and labelled together."""

import json

import pytest
from django.urls import reverse

from interactions.labels import labels_of
from interactions.models import Interaction
from interactions.search import search
from interactions.tasks import label_all, undo_labelling
from interactions.wanted import Wanted
from jobs.models import Job
from jobs.work import run_job
from tests.factories import make_interaction
from tests.interactions.pixels import data_uri, picture

HTMX = {"HX-Request": "true"}


@pytest.fixture
def pages(client, owner):
    client.force_login(owner)
    return client


def say(project, question, number, **more):
    return make_interaction(
        project, messages=[{"role": "user", "content": question}], created_at=f"2026-11-01T00:{number:02}:00Z", **more
    )


@pytest.fixture
def rows(project):
    """From the oldest: hello three times in other dress, something else, hello once more with a label."""
    texts = ["Hello!", "hello", "  HELLO ...", "Goodbye"]
    rows = [say(project, text, number) for number, text in enumerate(texts)]
    return [*rows, say(project, "Hello?", 9, labels={"intent": "greeting"})]


def address(project):
    return reverse("interaction_list", kwargs={"project": project.key})


def shown(page):
    return [row.pk for row in page.context["page"].rows]


def test_of_what_is_alike_the_newest_stands_for_all(pages, api, project, rows):
    page = pages.get(address(project), {"fold": "near"})
    assert shown(page) == [rows[4].pk, rows[3].pk]
    assert [row.alike and row.alike[0] for row in page.context["page"].rows] == ["4", None]
    oldest = pages.get(address(project), {"fold": "near", "order": "created_at"})
    assert shown(oldest) == [rows[0].pk, rows[3].pk]
    told = api.get("interactions", {"project": project.key, "fold": "near"}).json()
    assert ([one["id"] for one in told["results"]], told["count"]) == ([str(rows[4].pk), str(rows[3].pk)], 2)


def test_the_number_opens_all_of_them(pages, project, rows):
    [first, _] = pages.get(address(project), {"fold": "near"}).context["page"].rows
    page = pages.get(first.alike[1])
    assert shown(page) == [rows[place].pk for place in (4, 2, 1, 0)]
    assert "alike" in page.content.decode()


def test_only_what_the_filter_finds_is_alike(pages, project, rows):
    page = pages.get(address(project), {"fold": "near", "not_label": "intent:greeting"})
    assert shown(page) == [rows[3].pk, rows[2].pk]
    assert page.context["page"].rows[1].alike[0] == "3"
    page = pages.get(address(project), {"fold": "near", "before": "2026-11-01T00:02:00Z"})
    assert (shown(page), page.context["page"].rows[0].alike[0]) == ([rows[1].pk], "2")
    page = pages.get(address(project), {"fold": "near", "q": "hello"})
    assert shown(page) == [rows[4].pk]


def test_nothing_comes_twice_or_is_lost_over_pages_either_way(project):
    for number in range(24):
        say(project, f"question {'ABCDEFGH'[number % 7]}", number)
    wanted, seen, cursor = Wanted(fold=True), [], None
    while True:
        page = search(project, wanted, cursor=cursor, limit=2)
        seen += [row.pk for row in page]
        if page.next is None:
            break
        cursor = page.next
    newest = list(Interaction.objects.order_by("-id").values_list("pk", flat=True)[:7])
    assert seen == newest
    back = search(project, wanted, cursor=page.previous, limit=2)
    assert [row.pk for row in back] == newest[4:6]


def test_pictures_are_not_compared_so_nothing_with_them_is_folded(pages, project):
    for colour in ("teal", "navy"):
        shown_picture = {"type": "image_url", "image_url": {"url": data_uri(picture(colour=colour))}}
        make_interaction(
            project, messages=[{"role": "user", "content": [{"type": "text", "text": "This?"}, shown_picture]}]
        )
    page = pages.get(address(project), {"fold": "near"})
    assert len(shown(page)) == 2 and not any(row.alike for row in page.context["page"].rows)


def test_a_picture_hides_no_text_of_the_same_words(pages, project, rows):
    shown_picture = {"type": "image_url", "image_url": {"url": data_uri(picture(colour="teal"))}}
    pictured = say(project, [{"type": "text", "text": "hello"}, shown_picture], 10)
    assert shown(pages.get(address(project), {"fold": "near"})) == [pictured.pk, rows[4].pk, rows[3].pk]


def test_simulated_traffic_is_like_nothing_that_is_not(pages, project, rows):
    say(project, "hello", 20, source="simulation")
    page = pages.get(address(project), {"fold": "near"})
    assert shown(page)[0] == rows[4].pk and page.context["page"].rows[0].alike[0] == "4"


def label(pages, project, ids, **form):
    here = f"http://testserver{address(project)}?fold=near"
    form = {"id": ids, "filter": "fold=near", "table": "1", **form}
    where = reverse("label_many", kwargs={"project": project.key})
    return pages.post(where, form, headers={**HTMX, "HX-Current-URL": here})


def labels(row):
    (found,) = labels_of([Interaction.objects.get(pk=row.pk)])
    return {one.key: one.value for one in found.labels}


def test_a_folded_row_is_labelled_for_all_with_undo(pages, project, rows):
    answer = label(pages, project, [rows[4].pk], label="seen:yes")
    assert "Labelled 4 interactions" in answer.content.decode()
    assert "4 alike" in answer.content.decode()  # the row that came back is folded as before
    assert [labels(row).get("seen") for row in rows] == ["yes", "yes", "yes", None, "yes"]
    token = answer.context["toast"]["token"]
    pages.post(reverse("label_undo", kwargs={"project": project.key}), {"token": token}, headers=HTMX)
    assert not any("seen" in labels(row) for row in rows)


def test_with_the_filter_only_those_in_it_are_labelled(pages, project, rows):
    label(pages, project, [rows[2].pk], label="seen:yes", filter="fold=near&not_label=intent%3Agreeting")
    assert [labels(row).get("seen") for row in rows] == ["yes", "yes", "yes", None, None]


def test_very_many_alike_are_labelled_in_the_background(pages, project, rows, monkeypatch):
    monkeypatch.setattr("interactions.views.labelling.MOST", 2)
    monkeypatch.setattr("jobs.work.BREAK", 0)
    assert "job-" in label(pages, project, [rows[4].pk], label="seen:yes").content.decode()
    run_job(label_all.func.__wrapped__, Job.objects.get().pk)
    assert [labels(row).get("seen") for row in rows] == ["yes", "yes", "yes", None, "yes"]


def test_what_has_pictures_is_labelled_and_undone_with_what_is_labelled_in_the_background(
    pages, project, rows, monkeypatch
):
    monkeypatch.setattr("interactions.views.labelling.MOST", 2)
    monkeypatch.setattr("jobs.work.BREAK", 0)
    shown_picture = {"type": "image_url", "image_url": {"url": data_uri(picture(colour="teal"))}}
    pictured = make_interaction(project, messages=[{"role": "user", "content": [shown_picture]}])
    label(pages, project, [rows[4].pk, pictured.pk], label="seen:yes")
    assert labels(pictured) == {"seen": "yes"}
    job = Job.objects.get()
    run_job(label_all.func.__wrapped__, job.pk)
    assert [labels(row).get("seen") for row in rows] == ["yes", "yes", "yes", None, "yes"]
    job.refresh_from_db()
    assert job.result["text"] == "5 interactions labelled."
    pages.post(reverse("label_job_undo", kwargs={"project": project.key, "job_id": job.pk}), headers=HTMX)
    run_job(undo_labelling.func.__wrapped__, Job.objects.exclude(pk=job.pk).get().pk)
    assert not any("seen" in labels(row) for row in [*rows, pictured])


@pytest.mark.parametrize("most", [2, 1_000])
def test_of_several_kinds_that_are_asked_for_the_ticked_alone_is_labelled(pages, project, rows, monkeypatch, most):
    monkeypatch.setattr("interactions.views.labelling.MOST", most)
    monkeypatch.setattr("jobs.work.BREAK", 0)
    near = [Interaction.objects.get(pk=row.pk).near_hash.hex for row in (rows[3], rows[4])]
    label(pages, project, [rows[4].pk], label="seen:yes", filter=f"near={near[0]}&near={near[1]}&fold=near")
    for job in Job.objects.all():
        run_job(label_all.func.__wrapped__, job.pk)
    assert [labels(row).get("seen") for row in rows] == ["yes", "yes", "yes", None, "yes"]


def test_by_a_filter_that_cannot_be_read_nothing_more_than_the_ticked_is_labelled(pages, project, rows):
    label(pages, project, [rows[4].pk], label="seen:yes", filter="fold=near&latency=x")
    assert [labels(row).get("seen") for row in rows] == [None, None, None, None, "yes"]


def test_of_more_than_are_shown_again_one_by_one_the_whole_page_is(pages, project, rows, monkeypatch):
    few = label(pages, project, [rows[4].pk], label="seen:yes")
    assert "kit:counts" in few["HX-Trigger"] and f"#i-{rows[4].pk}" in few.content.decode()
    monkeypatch.setattr("interactions.views.answers.ROWS_REFRESHED", 3)
    changed = label(pages, project, [rows[4].pk], label="seen:no")
    assert json.loads(changed["HX-Trigger"]) == {"kit:refresh": {"target": "#explore"}}


@pytest.mark.parametrize("query", [{"near": "x"}, {"fold": "far"}])
def test_what_cannot_be_read_is_told(api, pages, project, rows, query):
    assert api.get("interactions", {"project": project.key, **query}).status_code == 400
    assert pages.get(address(project), query).status_code == 400
