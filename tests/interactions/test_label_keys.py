"""Label keys: what is agreed about them, who may, what is refused; and names that were given up for others."""

import pytest
from django.urls import reverse

from interactions import rollups
from interactions.labels import history, labels_of, remove_label, set_label
from interactions.labels.dictionary import forget_names
from interactions.labels.renames import begin_rename, stragglers
from interactions.models import Interaction, Label, LabelAlias, LabelKey, LabelPosting
from interactions.proof import prove
from interactions.tasks import move_stragglers, rename_labels
from jobs.models import Job, State
from jobs.services import cancel
from jobs.work import run_job
from tests.conftest import Api
from tests.factories import make_interaction, make_project, make_user, owner_of

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def no_breaks(monkeypatch):
    monkeypatch.setattr("jobs.work.BREAK", 0)


@pytest.fixture
def pages(client, owner):
    client.force_login(owner)
    return client


def url(name, project, key=None):
    return reverse(name, kwargs={"project": project.key, **({"key": key} if key is not None else {})})


def labels(interaction):
    (row,) = labels_of([Interaction.objects.get(pk=interaction.pk)])
    return {label.key: label.value for label in row.labels}


def rename(project, key, to, value=""):
    """Asked for and done; the Job as it ended."""
    job = begin_rename(project=project, by=owner_of(project), key=key, value=value, to=to)
    run_job(rename_labels.func.__wrapped__, job.pk)
    job.refresh_from_db()
    return job


def found(api, project, **query):
    return api.get("interactions", {"project": project.key, "fields": "id", **query}).json()["count"]


# -- what is agreed ------------------------------------------------------------------------------------


def test_a_key_is_described_over_rest_and_read_with_its_values(api, project):
    for value, n in (("refund", 2), ("claim", 1)):
        for _ in range(n):
            make_interaction(project, labels={"intent": value})
    agreed = {"description": "Why they write", "values": ["refund", "claim", "status"], "hue": 4}
    answer = api.send("patch", f"projects/{project.key}/labels/intent", agreed)
    assert answer.status_code == 200
    told = api.get(f"projects/{project.key}/labels/intent").json()
    assert {name: told[name] for name in agreed} == agreed
    assert [(one["value"], one["uses"], one["is_allowed"]) for one in told["used_values"]] == [
        ("refund", 2, True), ("claim", 1, True), ("status", 0, True),
    ]  # fmt: skip
    [row] = api.get(f"projects/{project.key}/labels").json()["results"]
    assert (row["key"], row["uses"], row["hue"]) == ("intent", 3, 4)


def test_the_list_is_by_use_or_by_the_latest(pages, project):
    make_interaction(project, labels={"old": "x", "channel": "app"})
    make_interaction(project, labels={"old": "x"})
    rollups.fold()
    Label.objects.filter(key="old").update(last_used_at="2020-01-01T00:00:00Z")
    page = pages.get(url("label_key_list", project))
    assert [(row.key, row.n) for row in page.context["rows"]] == [("old", 2), ("channel", 1)]
    page = pages.get(url("label_key_list", project), {"order": "newest"})
    assert [row.key for row in page.context["rows"]] == ["channel", "old"]


def test_a_list_of_many_keys_takes_as_many_queries_as_of_one(pages, project, django_assert_max_num_queries):
    make_interaction(project, labels={"a": "x"})
    pages.get(url("label_key_list", project))
    with django_assert_max_num_queries(8):
        pages.get(url("label_key_list", project))
    make_interaction(project, labels={f"k{n}": "x" for n in range(40)})
    with django_assert_max_num_queries(8):
        assert len(pages.get(url("label_key_list", project)).context["rows"]) == 41


def test_a_key_of_very_many_values_tells_all_its_uses(api, pages, project, owner, monkeypatch):
    monkeypatch.setattr("interactions.labels.keys.MOST_VALUES", 3)
    for n in range(6):
        make_interaction(project, labels={"intent": str(n)})
    begin_rename(project=project, by=owner, key="intent", to="topic")
    make_interaction(project, labels={"intent": "late"})
    told = api.get(f"projects/{project.key}/labels/topic").json()
    assert (told["uses"], len(told["used_values"])) == (7, 3)
    page = pages.get(url("label_key_detail", project, "topic"))
    assert (page.context["use"].n, page.context["use"].values) == (7, 7)
    assert "7 interactions" in page.content.decode()


def test_values_lead_to_their_interactions(pages, project):
    make_interaction(project, labels={"a:b": "c|d"})
    make_interaction(project, labels={"a:b": "other"})
    page = pages.get(url("label_key_detail", project, "a:b"))
    [one] = [one for one in page.context["values"] if one.value == "c|d"]
    assert len(pages.get(one.table).context["page"]) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"hue": 10}, "hue"), ({"hue": True}, "hue"), ({"values": []}, "values"), ({"values": "x"}, "values"),
        ({"values": ["x", 1]}, "values"), ({"values": ["\x00"]}, "values"), ({"description": 7}, "description"),
        ({"description": "x" * 2001}, "description"), ({"name": "x"}, "name"),
    ],
)  # fmt: skip
def test_what_cannot_be_agreed_is_named(api, project, body, field):
    answer = api.send("patch", f"projects/{project.key}/labels/intent", body)
    assert answer.status_code == 400
    assert field in answer.json()["fields"]
    assert not LabelKey.objects.exists()


def test_a_key_that_nothing_is_known_of_is_a_404(api, pages, project):
    assert api.get(f"projects/{project.key}/labels/nothing").status_code == 404
    assert pages.get(url("label_key_detail", project, "nothing")).status_code == 404


def test_the_form_describes_a_key_and_says_what_is_wrong(pages, project):
    form = {"key": "intent", "description": "Why", "values": "refund\n claim \n\nrefund", "hue": "3"}
    assert pages.post(url("label_key_create", project), form)["Location"] == url("label_key_detail", project, "intent")
    row = LabelKey.objects.get()
    assert (row.description, row.values, row.hue) == ("Why", ["refund", "claim"], 3)
    edit = url("label_key_edit", project, "intent")
    assert pages.get(edit).context["form"].initial["values"] == "refund\nclaim"
    assert pages.post(edit, {"values": "x" * 501}).status_code == 422
    assert pages.post(edit, {"description": "", "values": "", "hue": ""}).status_code == 302
    row.refresh_from_db()
    assert (row.description, row.values, row.hue) == ("", None, None)


def test_the_colour_shows_on_old_and_new_labels(api, pages, project):
    make_interaction(project, labels={"intent": "refund"})
    api.send("patch", f"projects/{project.key}/labels/intent", {"hue": 6})
    make_interaction(project, labels={"intent": "claim"})
    assert set(Label.objects.values_list("hue", flat=True)) == {6}
    assert "tag hue-6" in pages.get(url("interaction_list", project)).content.decode()
    api.send("patch", f"projects/{project.key}/labels/intent", {"hue": None})
    assert set(Label.objects.values_list("hue", flat=True)) == {None}


@pytest.mark.parametrize(
    ("role", "reads", "changes"),
    [("engineer", 200, 200), ("reviewer", 200, 403), ("annotator", 200, 403), ("auditor", 200, 403)],
)
def test_who_may(client, project, role, reads, changes):
    make_interaction(project, labels={"intent": "refund"})
    person = make_user(team=project.team, role=role)
    api, path = Api(client, person), f"projects/{project.key}/labels/intent"
    assert api.get(path).status_code == reads
    assert api.send("patch", path, {"hue": 1}).status_code == changes
    asked = api.post(f"projects/{project.key}/label-renames", {"key": "intent", "to": "x"}).status_code
    assert asked == (202 if changes == 200 else 403)
    client.force_login(person)
    assert client.get(url("label_key_list", project)).status_code == reads
    stranger = Api(client, make_user())
    assert stranger.get(path).status_code == 404
    assert stranger.send("patch", path, {"hue": 1}).status_code == 404


# -- values that are allowed -----------------------------------------------------------------------------


def test_a_value_that_is_not_allowed_is_refused_by_page_and_rest_and_not_when_logged(api, pages, project):
    made = make_interaction(project, labels={"intent": "odd"})
    api.send("patch", f"projects/{project.key}/labels/intent", {"values": ["refund", "claim"]})
    answer = api.put(f"interactions/{made.pk}/labels/intent", {"value": "other"})
    assert answer.status_code == 400
    assert "it takes refund, claim" in answer.json()["fields"]["value"][0]
    address = reverse("label_set", kwargs={"project": project.key, "pk": made.pk})
    refused = pages.post(address, {"label": "intent:other"}, headers=HTMX)
    assert refused.status_code == 422 and "it takes refund, claim" in refused.content.decode()
    many = reverse("label_many", kwargs={"project": project.key})
    assert pages.post(many, {"id": [made.pk], "label": "intent:other"}, headers=HTMX).status_code == 422
    body = {"key": "intent", "value": "other"}
    assert api.post(f"projects/{project.key}/label-jobs", body).status_code == 400
    assert labels(made) == {"intent": "odd"} and not Job.objects.exists()
    assert api.put(f"interactions/{made.pk}/labels/intent", {"value": "claim"}).status_code == 200
    assert api.log(project, labels={"intent": "logged"}).status_code == 201


def test_allowed_values_are_suggested_and_others_are_not_offered(api, pages, project):
    make_interaction(project, labels={"intent": "refund"})
    api.send("patch", f"projects/{project.key}/labels/intent", {"values": ["refund", "status"]})
    suggest = url("label_suggest", project)
    text = pages.get(suggest, {"label": "intent:"}).content.decode()
    assert 'data-value="intent:refund"' in text and 'data-value="intent:status"' in text
    assert "Create" not in pages.get(suggest, {"label": "intent:other"}).content.decode()
    assert "Create" in pages.get(suggest, {"label": "free:other"}).content.decode()


def test_the_filters_box_suggests_what_the_filter_reads(pages, project):
    make_interaction(project, labels={"a:b": "c|d"})
    suggest, box = url("label_suggest", project), {"box": "label-add"}
    text = pages.get(suggest, {**box, "label.add": "a", "label": "ticked:elsewhere"}).content.decode()
    assert r'data-value="a\:b:c\|d"' in text and "Create" not in text
    assert text.index(r'data-value="a\:b"') < text.index(r'data-value="a\:b:c\|d"')  # any value of it first
    text = pages.get(suggest, {**box, "label.add": "-a"}).content.decode()
    assert r'data-value="-a\:b:c\|d"' in text and r'data-value="-a\:b"' in text
    assert "any value" not in pages.get(suggest, {"box": "label", "label": "a"}).content.decode()


# -- other names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a\0", "\ud800"])
def test_a_name_that_cannot_be_is_not_found(api, pages, project, name):
    path = f"projects/{project.key}/label-renames"
    for asked in ({"key": name, "to": "b"}, {"key": "intent", "value": name, "to": "b"}):
        answer = api.post(path, asked)
        assert (answer.status_code, "Label" in answer.json()["error"]) == (404, True)
    assert "data-value" not in pages.get(url("label_suggest", project), {"label": "a\0"}).content.decode()
    assert pages.post(url("label_rename", project, "intent"), {"value": "a\0", "to": "b"}).status_code < 500


def test_a_renamed_key_is_found_and_logged_by_both_names(api, project):
    made = make_interaction(project, labels={"intnt": "refund"})
    job = rename(project, "intnt", "intent")
    assert job.state == State.DONE
    assert labels(made) == {"intent": "refund"}
    for name in ("intnt", "intent"):
        assert found(api, project, label=name) == found(api, project, label=f"{name}:refund") == 1
        assert found(api, project, not_label=name) == 0
    later = make_interaction(project, labels={"intnt": "claim"})
    assert labels(later) == {"intent": "claim"}
    assert api.put(f"interactions/{made.pk}/labels/intnt", {"value": "status"}).json()["labels"] == {"intent": "status"}
    assert api.delete(f"interactions/{made.pk}/labels/intnt").json()["labels"] == {}
    assert prove().n == 0


def test_a_key_that_is_no_part_of_addresses_is_renamed_where_it_is_stored_from_before(project):
    made = make_interaction(project, labels={"tone": "kind"})
    Label.objects.filter(key="tone").update(key="..")
    rename(project, "..", "tone")
    assert labels(made) == {"tone": "kind"}


def test_a_renamed_value_is_found_and_logged_by_both_names(api, project):
    made = make_interaction(project, labels={"intent": "refnd"})
    api.send("patch", f"projects/{project.key}/labels/intent", {"values": ["refnd"]})
    rename(project, "intent", "refund", value="refnd")
    assert labels(made) == {"intent": "refund"}
    assert labels(make_interaction(project, labels={"intent": "refnd"})) == {"intent": "refund"}
    assert found(api, project, label="intent:refnd") == found(api, project, label="intent:refund") == 2
    assert LabelKey.objects.get().values == ["refund"]
    told = api.get(f"projects/{project.key}/labels/intent").json()
    assert told["old_values"] == {"refnd": "refund"}


def test_the_history_tells_what_a_label_was_called_when_it_was_set_and_who_renamed_it(pages, project, owner):
    logged = make_interaction(project, labels={"verdict": "acceptable"})
    judged, other, freed = (make_interaction(project) for _ in range(3))
    ada = make_user("ada@example.org", name="Ada")
    set_label(interaction=judged, key="verdict", value="acceptable", by=ada)
    set_label(interaction=freed, key="verdict", value="acceptable", by=ada)
    remove_label(interaction=freed, key="verdict", by=ada)
    rename(project, "verdict", "violates", value="acceptable")
    rename(project, "verdict", "judgement")
    later = make_interaction(project, labels={"judgement": "violates"})
    rename(project, "judgement", "acceptable", value="violates")
    for row, told in ((judged, 4), (logged, 3), (later, 1), (other, 0), (freed, 2)):
        assert len(history(Interaction.objects.get(pk=row.pk))) == told
    names = [(str(one.former), str(one.label), one.by) for one in history(Interaction.objects.get(pk=judged.pk))]
    assert names == [
        ("judgement:violates", "judgement:acceptable", owner),
        ("verdict:violates", "judgement:violates", owner),
        ("verdict:acceptable", "verdict:violates", owner),
        ("None", "verdict:acceptable", ada),
    ]
    address = f"/p/{project.key}/interactions/{judged.pk}"
    for path in (address, f"{address}/history"):
        text = pages.get(path).content.decode()
        assert text.count("renamed <span") == 3 and "Ada" in text and "ada@example.org" in text


def test_merged_values_are_one_with_history_and_counts(api, project, owner):
    old = [make_interaction(project, labels={"intent": "refnd"}, source=source) for source in ("live", "simulation")]
    new = make_interaction(project, labels={"intent": "refund"})
    job = rename(project, "intent", "refund", value="refnd")
    assert [labels(row) for row in [*old, new]] == [{"intent": "refund"}] * 3
    [event] = history(old[0])
    assert (event.label.value, event.former.value, event.by, event.job_id) == ("refund", "refnd", owner, job.pk)
    assert found(api, project, label="intent:refnd") == 2
    for _ in "now, and folded":
        assert prove().n == 0
        rollups.fold()
    assert Label.objects.get(value="refund").uses == 2


def test_merged_keys_keep_what_an_interaction_has_under_the_new_name(project):
    both = make_interaction(project, labels={"topic": "money", "intent": "refund"})
    one = make_interaction(project, labels={"topic": "money"})
    same = make_interaction(project, labels={"topic": "refund", "intent": "refund"})
    make_interaction(project, labels={"intent": "money"})
    rename(project, "topic", "intent")
    assert [labels(row)["intent"] for row in (both, one, same)] == ["refund", "money", "refund"]
    assert all(set(labels(row)) == {"intent"} for row in (both, one, same))
    [event] = history(both)
    assert (event.label, str(event.former)) == (None, "topic:money")
    rows = {(label_id, row.pk) for row in Interaction.objects.all() for label_id in row.label_ids}
    assert set(LabelPosting.objects.values_list("label_id", "interaction_id")) == rows
    assert prove().n == 0


def test_merged_keys_leave_one_value_where_no_value_is_of_both(api, project, monkeypatch):
    monkeypatch.setattr("interactions.labels.renames.SLICE", 2)
    both = [make_interaction(project, labels={"topic": "money", "intent": "refund"}) for _ in range(3)]
    one = make_interaction(project, labels={"topic": "money"}, source="simulation")
    api.send("patch", f"projects/{project.key}/labels/intent", {"hue": 4})
    rename(project, "topic", "intent")
    assert [labels(row) for row in (*both, one)] == [{"intent": "refund"}] * 3 + [{"intent": "money"}]
    assert all(len(Interaction.objects.get(pk=row.pk).label_ids) == 1 for row in both)
    assert (found(api, project, label="intent:money"), found(api, project, label="intent:refund")) == (0, 3)
    assert [str(event.former) for event in history(both[0])] == ["topic:money"]
    assert Label.objects.get(key="intent", value="money").hue == 4
    assert api.get(f"projects/{project.key}/labels/intent").json()["uses"] == 3
    assert prove().n == 0


def test_what_is_logged_with_both_names_while_keys_are_merged_has_one_value_too(project, owner):
    make_interaction(project, labels={"intent": "refund"})
    label = Label.objects.get(pk=make_interaction(project, labels={"topic": "money"}).label_ids[0])
    rename(project, "topic", "intent")
    late = make_interaction(project, labels={"intent": "refund"})  # and the other, by who knew of nothing
    LabelPosting.objects.create(label_id=label.pk, interaction_id=late.pk)
    Interaction.objects.filter(pk=late.pk).update(label_ids=sorted([*late.label_ids, label.pk]))
    prove(rebuild=True)
    rollups.fold()
    move_stragglers.func(0)
    assert labels(late) == {"intent": "refund"}
    assert len(Interaction.objects.get(pk=late.pk).label_ids) == 1
    assert prove().n == 0


def test_a_key_that_is_new_is_given_where_the_labels_stand(project, monkeypatch):
    monkeypatch.setattr("interactions.labels.renames.SLICE", 2)
    rows = [make_interaction(project, labels={"intnt": str(n)}) for n in range(5)]
    before = [row.label_ids for row in rows]
    rename(project, "intnt", "intent")
    assert [Interaction.objects.get(pk=row.pk).label_ids for row in rows] == before
    assert [labels(row) for row in rows] == [{"intent": str(n)} for n in range(5)]


def test_a_record_with_both_names_has_one_label(project):
    make_interaction(project, labels={"topic": "money"})
    rename(project, "topic", "intent")
    assert labels(make_interaction(project, labels={"topic": "a", "intent": "b"})) == {"intent": "b"}
    assert labels(make_interaction(project, labels={"topic": "c", "intent": "c"})) == {"intent": "c"}
    assert prove().n == 0


def test_names_lead_on_through_names_and_back(api, project):
    made = make_interaction(project, labels={"a": "x"})
    rename(project, "a", "b")
    rename(project, "b", "y", value="x")
    rename(project, "b", "c")
    assert labels(made) == {"c": "y"}
    for name in ("a:x", "b:x", "b:y", "c:x", "c:y", "a", "c"):
        assert found(api, project, label=name) == 1, name
    rename(project, "c", "a")
    assert labels(made) == {"a": "y"}
    assert found(api, project, label="b:x") == found(api, project, label="a:y") == 1
    assert not LabelAlias.objects.filter(key="a", value="").exists()
    assert prove().n == 0


def test_old_values_lead_on_where_their_key_goes(api, project):
    made = make_interaction(project, labels={"topic": "p"})
    make_interaction(project, labels={"intent": "q"})
    rename(project, "topic", "q", value="p")
    rename(project, "intent", "z", value="q")
    rename(project, "topic", "intent")
    assert labels(made) == {"intent": "z"}
    for name in ("topic:p", "intent:p", "topic:q", "intent:q", "intent:z"):
        assert found(api, project, label=name) == 2, name
    assert labels(make_interaction(project, labels={"topic": "p"})) == {"intent": "z"}
    told = api.get(f"projects/{project.key}/labels/intent").json()
    assert told["old_values"] == {"p": "z", "q": "z"}
    assert prove().n == 0


def test_an_old_value_that_is_a_name_under_the_other_key_means_that(api, project, owner):
    make_interaction(project, labels={"topic": "p"})
    make_interaction(project, labels={"intent": "q"})
    rename(project, "topic", "q", value="p")
    begin_rename(project=project, by=owner, key="intent", value="q", to="p")  # of which nothing has followed yet
    rename(project, "topic", "intent")
    assert found(api, project, label="intent:p") == found(api, project, label="topic:q") == 2
    assert api.get(f"projects/{project.key}/labels/intent").json()["old_values"] == {"q": "p"}


def test_a_name_is_in_force_at_once_and_may_be_given_up_again(api, project):
    made = make_interaction(project, labels={"other": "x"})
    path = f"projects/{project.key}/label-renames"
    asked = [
        {"key": "other", "to": "other2"}, {"key": "other2", "value": "x", "to": "y"},
        {"key": "other2", "value": "y", "to": "z"}, {"key": "other2", "to": "other3"},
    ]  # fmt: skip
    answers = [api.post(path, one) for one in asked]
    assert [answer.status_code for answer in answers] == [202] * 4
    jobs = [answer.json() for answer in answers]
    for job in reversed(jobs):
        run_job(rename_labels.func.__wrapped__, job["id"])
    assert labels(made) == {"other3": "z"}
    assert found(api, project, label="other:x") == found(api, project, label="other2:y") == 1
    assert all(LabelAlias.objects.values_list("settled", flat=True))
    assert api.post(path, {"key": "other3", "value": "gone", "to": "w"}).status_code == 404
    assert prove().n == 0


def test_a_rename_tells_how_many_followed_whatever_is_folded(project):
    for labelled in ({"topic": "a"}, {"topic": "b"}, {"topic": "b"}):
        make_interaction(project, labels=labelled)
    job = rename(project, "topic", "b", value="a")
    assert (job.total, job.done, job.result["text"][:6]) == (1, 1, "1 use ")
    rollups.fold()
    make_interaction(project, labels={"topic": "c"})
    rename(project, "topic", "c", value="b")
    for key, to in (("topic", "about"), ("about", "intent")):
        job = rename(project, key, to)
        assert (job.total, job.done, job.result["text"][:6]) == (4, 4, "4 uses")


def test_until_a_merge_is_done_filters_find_both_and_setting_replaces_both(api, project, owner):
    rows = [make_interaction(project, labels={"intent": value}) for value in ("refnd", "refund")]
    begin_rename(project=project, by=owner, key="intent", value="refnd", to="refund")
    assert found(api, project, label="intent:refund") == found(api, project, label="intent:refnd") == 2
    begin_rename(project=project, by=owner, key="intent", to="topic")
    assert found(api, project, label="topic") == found(api, project, label="intent:refnd") == 2
    set_label(interaction=rows[0], key="topic", value="other", by=owner)
    assert labels(rows[0]) == {"topic": "other"}
    assert prove().n == 0


def test_killed_or_asked_twice_a_merge_ends_the_same(project, owner, monkeypatch):
    monkeypatch.setattr("interactions.labels.renames.SLICE", 2)
    rows = [make_interaction(project, labels={"intent": "refnd"}) for _ in range(5)]
    make_interaction(project, labels={"intent": "refund"})
    job = begin_rename(project=project, by=owner, key="intent", value="refnd", to="refund")
    calls = []

    def die(work):
        advance = work.advance

        def advance_and_die(n, place):
            advance(n, place)
            calls.append(n)
            if len(calls) == 2:
                raise SystemExit

        work.advance = advance_and_die
        return rename_labels.func.__wrapped__(work)

    with pytest.raises(SystemExit):
        run_job(die, job.pk)
    run_job(rename_labels.func.__wrapped__, job.pk)
    job.refresh_from_db()
    assert (job.state, labels(rows[0]), labels(rows[4])) == (State.DONE, {"intent": "refund"}, {"intent": "refund"})
    assert prove().n == 0


def cancelled(project, job):
    """The Job, cancelled after its first slice."""

    def work_and_cancel(work):
        advance = work.advance

        def advance_and_cancel(n, place):
            advance(n, place)
            cancel(job=Job.objects.get(pk=job.pk))

        work.advance = advance_and_cancel
        return rename_labels.func.__wrapped__(work)

    run_job(work_and_cancel, job.pk)
    job.refresh_from_db()
    assert job.state == State.CANCELLED
    return job


@pytest.mark.parametrize(
    ("old", "new", "asked"),
    [
        ({"topic": "x"}, {"intent": "x"}, {"key": "topic", "to": "intent"}),
        ({"intent": "old"}, {"intent": "new"}, {"key": "intent", "value": "old", "to": "new"}),
    ],
)
def test_a_cancelled_rename_goes_on_when_it_is_asked_for(api, pages, project, owner, monkeypatch, old, new, asked):
    monkeypatch.setattr("interactions.labels.renames.SLICE", 2)
    make_interaction(project, labels=new)
    rows = [make_interaction(project, labels=old) for _ in range(5)]
    cancelled(project, begin_rename(project=project, by=owner, **asked))
    assert [labels(row) for row in rows] == [new] * 2 + [old] * 3

    page = pages.get(url("label_key_detail", project, "intent")).content.decode()
    assert "Go on" in page
    address, form = url("label_rename", project, asked["key"]), {name: asked[name] for name in asked if name != "key"}
    assert f'action="{address}"' in page
    first = pages.post(address, form)["Location"]
    assert pages.post(address, form)["Location"] == first  # it is under way

    path = f"projects/{project.key}/label-renames"
    job = api.post(path, asked).json()
    assert job["id"] in first
    run_job(rename_labels.func.__wrapped__, job["id"])
    assert [labels(row) for row in rows] == [new] * 5
    assert Job.objects.get(pk=job["id"]).result["text"].startswith("3 uses")
    assert "Go on" not in pages.get(url("label_key_detail", project, "intent")).content.decode()
    assert api.post(path, asked).status_code == 400
    assert prove().n == 0


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"key": "intent", "to": "intent"}, 400),
        ({"key": "intent", "to": ""}, 400),
        ({"key": "intent", "to": "x" * 101}, 400),
        ({"key": "intent", "value": "refund", "to": "\x00"}, 400),
        ({"key": "intent", "value": 7, "to": "x"}, 400),
        ({"key": "nothing", "to": "x"}, 404),
        ({"key": "intent", "value": "nothing", "to": "x"}, 404),
        ({"key": "channel", "to": "gone"}, 409),
    ],
)
def test_what_cannot_be_renamed_is_told(api, project, asked, status):
    make_interaction(project, labels={"gone": "refund", "channel": "app"})
    rename(project, "gone", "intent")
    names = LabelAlias.objects.count()
    assert api.post(f"projects/{project.key}/label-renames", asked).status_code == status
    assert LabelAlias.objects.count() == names


def test_a_value_is_renamed_to_an_allowed_one_alone(api, project):
    make_interaction(project, labels={"intent": "odd"})
    api.send("patch", f"projects/{project.key}/labels/intent", {"values": ["refund"]})
    asked = {"key": "intent", "value": "odd", "to": "strange"}
    assert api.post(f"projects/{project.key}/label-renames", asked).status_code == 400
    assert api.post(f"projects/{project.key}/label-renames", {**asked, "to": "refund"}).status_code == 202


def test_what_was_stored_under_an_old_name_meanwhile_follows(api, project, owner):
    make_interaction(project, labels={"intent": "refund"})
    rename(project, "intent", "topic")
    late = make_interaction(project)
    label = Label.objects.create(project=project, key="intent", value="late")  # by who knew of nothing
    LabelPosting.objects.create(label_id=label.pk, interaction_id=late.pk)
    Interaction.objects.filter(pk=late.pk).update(label_ids=[label.pk])
    prove(rebuild=True)
    rollups.fold()
    assert [alias.key for alias in stragglers()] == ["intent"]
    move_stragglers.func(0)
    rollups.fold()
    assert labels(late) == {"topic": "late"} and stragglers() == []
    assert prove().n == 0


def test_renaming_by_the_page_leads_to_its_work_or_says_why_not(pages, project):
    make_interaction(project, labels={"intent": "refnd"})
    address = url("label_rename", project, "intent")
    answer = pages.post(address, {"value": "refnd", "to": "refund"})
    assert answer["Location"] == reverse("job_detail", kwargs={"project": project.key, "job_id": Job.objects.get().pk})
    assert pages.post(address, {"to": "intent"}).status_code == 422
    assert "It has this name already" in pages.post(address, {"to": "intent"}).content.decode()
    run_job(rename_labels.func.__wrapped__, Job.objects.get().pk)
    pages.post(address, {"to": "topic"})
    assert pages.get(url("label_key_detail", project, "intent"))["Location"] == url(
        "label_key_detail", project, "topic"
    )
    assert "Was called" in pages.get(url("label_key_detail", project, "topic")).content.decode()


def test_names_of_another_project_are_its_own(api, project):
    other = make_project(team=project.team)
    made = make_interaction(other, labels={"intent": "refund"})
    make_interaction(project, labels={"intent": "refund"})
    rename(project, "intent", "topic")
    forget_names(other.pk)
    assert labels(made) == {"intent": "refund"}
    assert found(api, other, label="intent") == 1 and found(api, other, label="topic") == 0
