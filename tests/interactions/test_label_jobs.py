"""Labels over everything that a filter finds: in slices, told truthfully, cancelled, undone exactly."""

import re

import pytest
from django.urls import reverse

from interactions import rollups
from interactions.ingest.removal import delete_interactions
from interactions.labels import labels_of, remove_labels, set_label
from interactions.labels import many as over_many
from interactions.models import Dimension, Interaction, Label, LabelEvent, LabelPosting
from interactions.proof import prove
from interactions.tasks import label_all, undo_labelling
from jobs.models import Job, State
from jobs.services import cancel
from jobs.work import run_job
from tests.conftest import Api
from tests.factories import make_interaction, make_user

HTMX = {"HX-Request": "true"}
DO = {"interactions.label": label_all, "interactions.label_undo": undo_labelling}


@pytest.fixture(autouse=True)
def small_slices(monkeypatch):
    monkeypatch.setattr("jobs.work.BREAK", 0)
    monkeypatch.setattr("interactions.tasks.SLICE", 2)


@pytest.fixture
def pages(client, owner):
    client.force_login(owner)
    return client


@pytest.fixture
def rows(project):
    """Five refunds with tones of their own, two claims, one refund that is simulated."""
    tones = ({"tone": "curt"}, {"tone": "kind"}, {}, {}, {"tone": "curt"})
    rows = [make_interaction(project, labels={"intent": "refund", **tone}) for tone in tones]
    rows += [make_interaction(project, labels={"intent": "claim"}) for _ in range(2)]
    return [*rows, make_interaction(project, labels={"intent": "refund"}, source="simulation")]


def labels(interaction):
    (row,) = labels_of([Interaction.objects.get(pk=interaction.pk)])
    return {label.key: label.value for label in row.labels}


def state(rows):
    postings = set(LabelPosting.objects.values_list("label_id", "interaction_id"))
    return [labels(row) for row in rows], postings


def begin(api, project, query="label=intent:refund", **body):
    body = {"key": "tone", "value": "kind", **body}
    answer = api.post(f"projects/{project.key}/label-jobs?{query}", body)
    assert answer.status_code == 202, answer.content
    return Job.objects.get(pk=answer.json()["id"])


def run(job, **more):
    run_job(DO[job.kind].func.__wrapped__, job.pk, **more)
    job.refresh_from_db()
    return job


def undo(api, job):
    answer = api.post(f"projects/{job.project.key}/label-jobs/{job.pk}/undo")
    assert answer.status_code == 202, answer.content
    return run(Job.objects.get(pk=answer.json()["id"]))


def test_all_that_the_filter_finds_is_labelled_and_nothing_else(api, project, rows):
    job = run(begin(api, project))
    assert [labels(row).get("tone") for row in rows] == ["kind"] * 5 + [None] * 3
    assert (job.state, job.done, job.total) == (State.DONE, 5, 5)
    assert job.result["text"] == "4 interactions labelled; 1 had it already."
    assert prove().n == 0


def test_the_counts_are_right_after_every_slice(api, project, rows, monkeypatch):
    seen = []

    def looking(work):
        advance = work.advance

        def advance_and_look(n, place):
            advance(n, place)
            seen.append((Job.objects.get(pk=work.job.pk).done, prove().n))

        work.advance = advance_and_look
        return label_all.func.__wrapped__(work)

    run_job(looking, begin(api, project).pk)
    assert [done for done, _ in seen] == [2, 4, 5] and {wrong for _, wrong in seen} == {0}
    label = next(iter(rollups.totals(project, Dimension.LABEL)))
    assert label


def test_undo_restores_exactly_what_was_and_again_what_it_made(api, project, rows):
    before = state(rows)
    job = run(begin(api, project))
    after = state(rows)
    assert after != before
    undone = undo(api, job)
    assert (undone.state, state(rows)) == (State.DONE, before)
    assert undone.result["text"] == "4 interactions as before."
    undo(api, undone)
    assert state(rows) == after
    assert prove().n == 0


def test_undo_leaves_alone_what_somebody_changed_since_though_it_looks_the_same(api, project, owner, rows):
    job = run(begin(api, project))
    for value in ("curt", "kind"):  # and back to what the job set
        set_label(interaction=rows[0], key="tone", value=value, by=owner)
    remove_labels(project=project, ids=[rows[2].pk], key="tone", by=owner)
    set_label(interaction=rows[3], key="other", value="x", by=owner)  # another key is no change of this
    delete_interactions(project=project, ids=[rows[4].pk])
    undone = undo(api, job)
    assert [labels(row).get("tone") for row in rows[:4]] == ["kind", "kind", None, None]
    assert labels(rows[3]) == {"intent": "refund", "other": "x"}
    assert undone.result["text"] == "1 interaction as before; 2 changed since and left as they are."
    assert prove().n == 0


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_undone_in_any_order_leave_nothing_of_either_and_come_back(api, project, rows, order):
    before = state(rows)
    jobs = [run(begin(api, project)), run(begin(api, project, "label=tone:kind", value="grave"))]
    after = state(rows)
    undone = [undo(api, jobs[number]) for number in order]
    assert state(rows)[0] == before[0]
    for one in reversed(undone):
        undo(api, one)
    assert state(rows)[0] == after[0]
    assert prove().n == 0


def test_what_is_changed_while_an_undo_looks_stays(api, project, owner, rows, monkeypatch):
    job = run(begin(api, project))
    looked = over_many._histories

    def meanwhile(*args):
        monkeypatch.undo()
        set_label(interaction=rows[0], key="tone", value="grave", by=owner)
        return looked(*args)

    monkeypatch.setattr(over_many, "_histories", meanwhile)
    undo(api, job)
    assert labels(rows[0])["tone"] == "grave" and labels(rows[1])["tone"] == "kind"


def test_cancelled_it_says_how_many_were_done_and_these_are_undone(api, project, rows):
    before, job = state(rows), begin(api, project)

    def cancelling(work):
        advance = work.advance

        def advance_then_cancel(n, place):
            advance(n, place)
            if place["looked"] == 2:
                cancel(job=job)

        work.advance = advance_then_cancel
        return label_all.func.__wrapped__(work)

    run_job(cancelling, job.pk)
    job.refresh_from_db()
    changed = LabelEvent.objects.filter(job_id=job.pk).count()
    assert (job.state, job.done, job.total) == (State.CANCELLED, 2, 5)
    assert job.result["text"].startswith(f"{changed} interaction") and changed <= 2
    assert job.result["actions"]
    undo(api, job)
    assert state(rows) == before and prove().n == 0


def test_killed_it_goes_on_and_labels_each_once(api, project, rows):
    job = begin(api, project)

    def dying(work):
        advance = work.advance

        def advance_and_die(n, place):
            advance(n, place)
            if place["looked"] == 4:
                raise SystemExit

        work.advance = advance_and_die
        return label_all.func.__wrapped__(work)

    with pytest.raises(SystemExit):
        run_job(dying, job.pk)
    run(job)
    assert (job.done, job.result["changed"]) == (5, 4)
    assert LabelEvent.objects.filter(job_id=job.pk).count() == 4


def test_a_key_is_taken_away_from_all(api, project, rows):
    before = state(rows)
    job = run(begin(api, project, value=None))
    assert not any("tone" in labels(row) for row in rows)
    assert job.result["text"] == "3 interactions freed of it; 2 had none."
    undo(api, job)
    assert state(rows) == before


def test_a_key_that_is_no_part_of_addresses_is_taken_away_where_it_is_stored_from_before(api, project, rows):
    Label.objects.filter(key="tone").update(key="..")
    run(begin(api, project, key="..", value=None))
    assert not any(".." in labels(row) for row in rows)


def test_over_nothing_it_ends_at_once_and_offers_no_undo(api, project, rows):
    job = run(begin(api, project, "label=nothing"))
    assert (job.state, job.done, job.total) == (State.DONE, 0, 0)
    assert job.result["text"] == "0 interactions labelled." and "actions" not in job.result


def test_what_the_labels_roll_up_cannot_tell_is_counted_before(api, project, rows):
    assert run(begin(api, project, "label=intent:refund&not_label=tone:curt")).total == 3


def test_what_is_full_is_left_and_told(api, project):
    full = make_interaction(project, labels={f"k{n}": "v" for n in range(64)})
    make_interaction(project)
    job = run(begin(api, project, ""))
    assert "tone" not in labels(full)
    assert job.result["text"] == "1 interaction labelled; 1 have as many labels as one may."


@pytest.mark.parametrize(
    ("query", "body", "field"),
    [
        ("labl=x", {}, "labl"), ("latency=x", {}, "latency"), ("", {"key": ""}, "value"), ("", {"value": ""}, "value"),
        ("", {"value": 7}, "value"), ("", {"key": None}, "key"), ("", {"key": "", "value": None}, "value"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_begins_nothing(api, project, query, body, field):
    answer = api.post(f"projects/{project.key}/label-jobs?{query}", {"key": "tone", "value": "kind", **body})
    assert answer.status_code == 400 and field in answer.json()["fields"]
    assert not Job.objects.exists()


def test_what_is_under_way_or_no_labelling_cannot_be_undone(api, project, rows):
    job = begin(api, project)
    address = f"projects/{project.key}/label-jobs/{job.pk}/undo"
    assert api.post(address).status_code == 409
    Job.objects.filter(pk=job.pk).update(kind="other", state=State.DONE)
    assert api.post(address).status_code == 409


def test_who_may_label_may_label_all_and_undo_her_own(client, project, rows):
    reviewer, auditor = (Api(client, make_user(team=project.team, role=role)) for role in ("reviewer", "auditor"))
    job = run(begin(reviewer, project))
    path = f"projects/{project.key}/label-jobs"
    assert auditor.post(path, {"key": "a", "value": "b"}).status_code == 403
    other = Api(client, make_user(team=project.team, role="reviewer"))
    assert other.post(f"{path}/{job.pk}/undo").status_code == 404
    assert Api(client, make_user()).post(path, {"key": "a", "value": "b"}).status_code == 404
    assert undo(reviewer, job).state == State.DONE


# -- the table ------------------------------------------------------------------------------------------


def many(pages, project, **form):
    headers = {**HTMX, "HX-Current-URL": f"http://testserver/p/{project.key}/interactions"}
    return pages.post(reverse("label_many", kwargs={"project": project.key}), form, headers=headers)


def test_the_bulk_bar_sends_the_filter_and_follows_the_work(pages, project, rows):
    answer = many(pages, project, all="1", filter="label=intent%3Arefund&limit=2&fold=near", label="tone:kind")
    text, job = answer.content.decode(), Job.objects.get()
    assert f'id="job-{job.pk}"' in text and "every 1s" in text
    assert job.parameters["query"] == "label=intent%3Arefund"
    run(job)
    assert [labels(row).get("tone") for row in rows] == ["kind"] * 5 + [None] * 3
    card = pages.get(reverse("job_detail", kwargs={"project": project.key, "job_id": job.pk}), headers=HTMX)
    [href] = re.findall(r'action="([^"]+/undo)"', card.content.decode())
    assert pages.post(href).status_code == 302
    run(Job.objects.get(kind="interactions.label_undo"))
    assert [labels(row).get("tone") for row in rows[:5]] == ["curt", "kind", None, None, "curt"]


def test_a_filter_or_label_that_cannot_be_read_is_told_in_the_table(pages, project, rows):
    for form in ({"filter": "latency=x", "label": "tone:kind"}, {"filter": "", "label": "tone:"}, {"label": "-"}):
        answer = many(pages, project, all="1", **form)
        assert answer.status_code == 422 and b'role="alert"' in answer.content
    assert not Job.objects.exists()


def test_without_scripts_all_leads_to_the_work(pages, project, rows):
    address = reverse("label_many", kwargs={"project": project.key})
    answer = pages.post(address, {"all": "1", "filter": "", "label": "-tone"})
    job = Job.objects.get()
    assert answer["Location"] == reverse("job_detail", kwargs={"project": project.key, "job_id": job.pk})
    assert job.parameters == {"query": "", "key": "tone", "value": None}
