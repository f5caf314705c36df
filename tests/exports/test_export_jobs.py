"""Exports as background work: who may fetch them, killed and ended while they are written, and gone in time."""

import datetime
import errno
import io
import shutil
import tarfile
import threading

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership
from exports import finishing, services, tasks, writing
from exports.models import Export, SavedView
from jobs.models import Job
from jobs.work import run_job
from projects.models import Project
from projects.services import delete_project
from tests.conftest import Api
from tests.exports.exporting import WRITE, ask, export, fetch, lines, look, run
from tests.factories import make_interaction, make_project, make_user, owner_of
from tests.interactions.pixels import data_uri, shows, user_says

pytestmark = pytest.mark.django_db


def base(project):
    return f"projects/{project.key}/exports"


@pytest.fixture
def ten(project, monkeypatch):
    """Ten interactions, written three at a time."""
    monkeypatch.setattr("exports.writing.SLICE", 3)
    for number in range(10):
        make_interaction(project, completion=f"{number}")
    return project


def client_page(api, address):
    """The page as the program's owner sees it."""
    api.client.force_login(api.user)
    return api.client.get(address).content.decode()


class Dies:
    """Stands in the place of a function; the call of this number kills the worker, or does something first."""

    def __init__(self, monkeypatch, module, name, at, act=None):
        self.real, self.at, self.act, self.calls = getattr(module, name), at, act, 0
        monkeypatch.setattr(module, name, self)

    def __call__(self, *arguments, **named):
        self.calls += 1
        if self.calls == self.at:
            if self.act is None:
                raise SystemExit  # as a killed worker: nothing is written down
            self.act()
        return self.real(*arguments, **named)


def test_killed_between_two_slices_it_goes_on_where_it_was(api, ten, folder, monkeypatch):
    told = ask(api, ten, format="jsonl")
    Dies(monkeypatch, writing, "through", 3)
    with pytest.raises(SystemExit):
        run(told)
    with open(folder / told["id"] / "rows.part", "ab") as file:
        file.write(b"what a slice wrote that was not kept\n")
    assert look(api, ten, told)["done"] == 6
    run(told)
    told = look(api, ten, told)
    assert (told["state"], told["done"], told["number"]) == ("done", 10, 10)
    assert sorted(line["completion"] for line in lines(fetch(api, ten, told))) == sorted(map(str, range(10)))


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
@pytest.mark.parametrize("pictures", ["inside", "files"])
@pytest.mark.parametrize("name", ["_made", "_tidy", "_digest"])
def test_killed_while_it_is_finished_it_is_finished_again(api, ten, folder, monkeypatch, format, pictures, name):
    told = ask(api, ten, format=format, pictures=pictures)
    Dies(monkeypatch, finishing, name, 1)
    with pytest.raises(SystemExit):
        run(told)
    run(told)
    told = look(api, ten, told)
    assert (told["state"], told["number"], len(fetch(api, ten, told))) == ("done", 10, told["size"])
    assert [path.name for path in (folder / told["id"]).iterdir()] == ["file"]


def test_killed_while_its_pictures_are_removed_it_keeps_the_file_that_has_them(api, ten, folder, monkeypatch):
    make_interaction(ten, messages=user_says(shows(data_uri())))
    told = ask(api, ten, format="jsonl", pictures="files")
    remove = shutil.rmtree

    def remove_and_die(path, **named):
        remove(path, **named)
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(finishing.shutil, "rmtree", remove_and_die)
        with pytest.raises(SystemExit):
            run(told)
    run(told)
    told = look(api, ten, told)
    assert told["state"] == "done"
    with tarfile.open(fileobj=io.BytesIO(fetch(api, ten, told))) as tar:
        assert [name.partition("/")[0] for name in tar.getnames()] == ["interactions.jsonl", "pictures"]


def test_it_is_done_only_when_it_says_what_came_of_it(api, ten, monkeypatch):
    told, seen = ask(api, ten, format="openai"), []

    def tell(*given):
        seen.append(look(api, ten, told))
        return "Told."

    monkeypatch.setattr(finishing, "_told", tell)
    run(told)
    assert (seen[0]["state"], seen[0]["text"]) == ("running", "")
    assert [look(api, ten, told)[name] for name in ("state", "text")] == ["done", "Told."]


def test_oldest_first_it_ends_where_the_newest_was_when_it_began(api, ten, folder, monkeypatch):
    ahead = (timezone.now() + datetime.timedelta(minutes=3)).isoformat()  # by a clock that is fast
    make_interaction(ten, completion="ahead", created_at=ahead)
    told = ask(api, ten, format="jsonl", filter="order=created_at")
    Dies(monkeypatch, writing, "through", 2, act=lambda: make_interaction(ten, completion="late"))
    later = (timezone.now() + datetime.timedelta(minutes=5)).isoformat()
    Dies(monkeypatch, writing, "through", 3, act=lambda: make_interaction(ten, completion="later", created_at=later))
    run(told)
    told = look(api, ten, told)
    assert (told["state"], told["number"]) == ("done", told["done"])
    written = [line["completion"] for line in lines(fetch(api, ten, told))]
    assert "later" not in written and written[-1] == "ahead"


def test_lines_that_were_lost_are_not_passed_over_in_silence(api, ten, folder, monkeypatch):
    told = ask(api, ten, format="jsonl")
    Dies(monkeypatch, writing, "through", 3)
    with pytest.raises(SystemExit):
        run(told)
    (folder / told["id"] / "rows.part").write_bytes(b"")
    run(told)
    told = look(api, ten, told)
    assert told["state"] == "failed" and "Begin it again" in told["text"] and told["file"] is None


def test_cancelled_while_it_is_written_nothing_is_left_of_it(api, ten, folder, monkeypatch):
    told = ask(api, ten, format="jsonl")
    address = f"projects/{ten.key}/jobs/{told['job']}"
    Dies(monkeypatch, writing, "through", 2, act=lambda: api.delete(address))
    run(told)
    told = look(api, ten, told)
    assert (told["state"], told["file"], told["number"]) == ("cancelled", None, None)
    assert list(folder.iterdir()) == []
    assert api.get(f"{base(ten)}/{told['id']}/file").status_code == 404
    card = client_page(api, f"/p/{ten.key}/jobs/{told['job']}")
    assert "Nothing of its file is kept" in card and "stay done" not in card


def test_cancelled_while_parquet_is_made_its_program_ends_too(api, ten, folder, monkeypatch):
    told = ask(api, ten, format="parquet")
    real = finishing.subprocess.Popen

    def begin(command, **options):  # a program that does not end by itself
        api.delete(f"projects/{ten.key}/jobs/{told['job']}")
        begin.program = real(["/bin/sleep", "60"], **options)
        return begin.program

    monkeypatch.setattr(finishing.subprocess, "Popen", begin)
    run(told)
    assert look(api, ten, told)["state"] == "cancelled"
    assert begin.program.poll() is not None and list(folder.iterdir()) == []


@pytest.mark.parametrize(("module", "name"), [(writing, "Spool"), (writing, "finish"), (finishing, "_digest")])
def test_deleted_while_it_is_written_nothing_is_left_of_it(api, ten, folder, monkeypatch, module, name):
    told = ask(api, ten, format="jsonl")
    Dies(monkeypatch, module, name, 1, act=lambda: api.delete(f"{base(ten)}/{told['id']}"))
    run(told)
    assert not Export.objects.exists() and list(folder.iterdir()) == []
    assert Job.objects.get().state == "cancelled"


def test_deleted_before_it_began_it_never_does(api, ten, folder):
    told = ask(api, ten, format="jsonl")
    assert api.delete(f"{base(ten)}/{told['id']}").status_code == 204
    run(told)
    assert not folder.exists()


def test_a_full_disk_is_told_and_not_filled_any_more(api, ten, folder, monkeypatch):
    told = ask(api, ten, format="jsonl")

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writing.Spool, "settle", full)
    run(told)
    told = look(api, ten, told)
    assert told["state"] == "failed" and "no room left" in told["text"]
    assert list(folder.iterdir()) == []


def test_one_fetches_ones_own_and_who_manages_the_project_all(client, project):
    make_interaction(project)
    annotator, other = make_user(team=project.team, role="annotator"), make_user(team=project.team, role="annotator")
    told, _ = export(Api(client, annotator), project, format="jsonl")
    people = {"own": annotator, "manager": owner_of(project), "other": other, "stranger": make_user()}
    for name, user in people.items():
        may, api = name in {"own", "manager"}, Api(client, user)
        for path in (told["id"], f"{told['id']}/file"):
            assert api.get(f"{base(project)}/{path}").status_code == (200 if may else 404), (name, path)
        client.force_login(user)
        page = client.get(f"/p/{project.key}/exports/{told['id']}/file")
        assert page.status_code == (200 if may else 404)
        if name != "stranger":
            assert len(api.get(base(project)).json()["results"]) == may
    assert Api(client, other).delete(f"{base(project)}/{told['id']}").status_code == 404
    assert Api(client, people["stranger"]).post(base(project), {"format": "jsonl"}).status_code == 404


def test_the_file_comes_as_a_stream_under_its_name(api, project):
    make_interaction(project)
    told, raw = export(api, project, format="csv")
    answer = api.get(f"{base(project)}/{told['id']}/file")
    assert answer.streaming and answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{told["file_name"]}"'
    assert int(answer.headers["Content-Length"]) == len(raw) == told["size"]
    assert "no-store" in answer.headers["Cache-Control"]
    answer.close()


def test_before_it_is_done_there_is_no_file(api, client, project, owner):
    told = ask(api, project, format="jsonl")
    assert api.get(f"{base(project)}/{told['id']}/file").status_code == 409
    client.force_login(owner)
    assert client.get(f"/p/{project.key}/exports/{told['id']}/file").status_code == 302


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "format"),
        ({"format": "xml"}, "jsonl"),
        ({"format": "csv", "filter": "labl=a"}, "labl"),
        ({"format": "csv", "filter": "feedback=nothing"}, "feedback"),
        ({"format": "csv", "columns": ["body"]}, "body"),
        ({"format": "csv", "columns": ["label:"]}, "label:"),
        ({"format": "csv", "columns": ["label:\x00"]}, "columns"),
        ({"format": "csv", "columns": "id"}, "list"),
        ({"format": "csv", "columns": ["label:a"] * 201}, "200"),
        ({"format": "jsonl", "columns": ["id"]}, "columns"),
        ({"format": "jsonl", "pictures": "maybe"}, "inside"),
        ({"format": "jsonl", "corrected": True}, "corrected"),
        ({"format": "openai", "corrected": "yes"}, "corrected"),
        ({"format": "jsonl", "name": "x"}, "name"),
        ({"format": "jsonl", "filter": "&".join(["label=a"] * 30_000)}, "4,000"),
        ({"format": "jsonl", "filter": "q=a", "view": "b"}, "Send one of filter, view and ids"),
        ([1], "object"),
    ],
)
def test_what_is_no_export_is_refused_by_name(api, project, body, said):
    answer = api.post(base(project), body)
    assert answer.status_code == 400 and said in answer.content.decode(), answer.content
    assert not Export.objects.exists() and not Job.objects.exists()


def test_a_view_that_is_private_to_somebody_else_is_not_there(api, client, project):
    other = Api(client, make_user(team=project.team, role="annotator"))
    assert other.post(f"projects/{project.key}/views", {"name": "Mine"}).status_code == 201
    assert api.post(base(project), {"format": "jsonl", "view": "mine"}).status_code == 404
    assert api.post(base(project), {"format": "jsonl", "view": "\x00"}).status_code == 404


def test_not_more_than_five_of_one_person_are_under_way(api, project):
    for _ in range(services.UNDER_WAY):
        told = ask(api, project, format="jsonl")
    answer = api.post(base(project), {"format": "jsonl"})
    assert answer.status_code == 409 and "under way" in answer.json()["error"]
    run(told)
    ask(api, project, format="jsonl")


def test_nor_where_many_are_begun_at_once(transactional_db, api, project):
    codes, start, n = [], threading.Barrier(8), services.UNDER_WAY

    def send():
        other = Api(Client(), api.user)
        start.wait()
        codes.append(other.post(base(project), {"format": "jsonl"}).status_code)
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [202] * n + [409] * (8 - n)
    assert Export.objects.count() == n


def test_who_may_no_longer_read_the_project_exports_nothing(client, project):
    mate = make_user(team=project.team, role="annotator")
    told = ask(Api(client, mate), project, format="jsonl")
    Membership.objects.filter(user=mate).delete()
    run(told)
    assert Job.objects.get().state == "failed" and "no longer read" in Job.objects.get().error


def test_after_seven_days_it_is_gone_with_its_file(api, project, folder):
    make_interaction(project)
    old, _ = export(api, project, format="jsonl")
    young, _ = export(api, project, format="jsonl")
    waiting = ask(api, project, format="jsonl")
    now = timezone.now()
    Export.objects.filter(pk=old["id"]).update(finished_at=now - datetime.timedelta(days=7, minutes=1))
    Export.objects.filter(pk=young["id"]).update(finished_at=now - datetime.timedelta(days=6, hours=23))
    tasks.clear.func(0)
    assert {str(one.pk) for one in Export.objects.all()} == {young["id"], waiting["id"]}
    assert [path.name for path in folder.iterdir()] == [young["id"]]
    assert api.get(f"{base(project)}/{old['id']}/file").status_code == 404


def test_what_was_written_of_a_failed_one_is_gone_within_the_hour(api, ten, folder, monkeypatch):
    told = ask(api, ten, format="jsonl")
    Dies(monkeypatch, writing, "through", 3)
    with pytest.raises(SystemExit):
        run(told)
    tasks.clear.func(0)
    assert (folder / told["id"]).exists()
    Job.objects.update(state="failed", ended_at=timezone.now())
    tasks.clear.func(0)
    assert not (folder / told["id"]).exists() and Export.objects.exists()


def test_with_its_project_it_is_gone_at_once_and_its_file_within_the_hour(api, project, folder):
    make_interaction(project)
    assert api.post(f"projects/{project.key}/views", {"name": "All"}).status_code == 201
    told, _ = export(api, project, format="jsonl")
    delete_project(project=Project.objects.get(pk=project.pk))
    assert api.get(f"{base(project)}/{told['id']}/file").status_code == 404
    tasks.clear.func(0)
    assert not Export.objects.exists() and list(folder.iterdir()) == []
    assert not SavedView.objects.exists()


def test_a_folder_that_nobody_knows_goes_and_a_new_one_stays(project, folder, monkeypatch):
    unknown = folder / "5b0f4cc8-52b1-4c52-a8a9-6f0b3a3b7f9d"
    unknown.mkdir(parents=True)
    tasks.clear.func(0)
    assert unknown.exists()
    monkeypatch.setattr(services, "FRESH", -1)
    tasks.clear.func(0)
    assert not unknown.exists()


def test_an_export_is_asked_for_by_a_form_and_listed_with_its_link(client, project, owner):
    make_interaction(project, labels={"a": "b"})
    client.force_login(owner)
    address = f"/p/{project.key}/exports/new?label=a%3Ab"
    assert "1 interaction" in client.get(address).content.decode()
    assert client.post(address, {"format": "csv", "pictures": "nowhere"}).status_code == 422
    assert client.post(address, {"format": "csv", "pictures": "inside", "more": "a"}).status_code == 422
    form = {"format": "csv", "pictures": "inside", "columns": ["id"], "more": "label:a"}
    assert client.post(address, form).headers["Location"] == f"/p/{project.key}/exports"
    row = Export.objects.get()
    assert (row.query, row.columns, row.corrected) == ("label=a%3Ab", ["id", "label:a"], False)
    waiting = client.get(f"/p/{project.key}/exports", headers={"HX-Request": "true"}).content.decode()
    assert "every 2s" in waiting and "<html" not in waiting
    run_job(WRITE, row.job_id)
    done = client.get(f"/p/{project.key}/exports").content.decode()
    assert "every 2s" not in done and f"/exports/{row.pk}/file" in done
    client.post(f"/p/{project.key}/exports/{row.pk}/delete")
    assert not Export.objects.exists()


def test_a_file_is_fetched_on_from_where_it_broke_off(api, client, project, owner):
    make_interaction(project)
    told, raw = export(api, project, format="jsonl")
    path, tag = f"/p/{project.key}/exports/{told['id']}/file", f'"{told["sha256"]}"'
    client.force_login(owner)

    def get(asked, **more):
        answer = client.get(path, headers={"Range": asked, **more})
        got = b"".join(answer) if answer.streaming else answer.content
        return answer.status_code, got, answer.headers.get("Content-Range")

    n = len(raw)
    assert get("bytes=10-19") == (206, raw[10:20], f"bytes 10-19/{n}")
    assert get("bytes=10-", **{"If-Range": tag}) == (206, raw[10:], f"bytes 10-{n - 1}/{n}")
    assert get("bytes=-5") == (206, raw[-5:], f"bytes {n - 5}-{n - 1}/{n}")
    assert get("bytes=0-99999999") == (206, raw, f"bytes 0-{n - 1}/{n}")
    assert get(f"bytes={n}-") == get("bytes=-0") == (416, b"", f"bytes */{n}")
    for asked in ("bytes=0-1,3-4", "bytes=5-2", "bytes=-", "lines=1-2"):
        assert get(asked)[:2] == (200, raw)
    assert get("bytes=10-", **{"If-Range": '"another"'})[:2] == (200, raw)
    assert client.get(path).headers["Accept-Ranges"] == "bytes"


def test_ticked_rows_alone_are_exported_in_their_order(client, api, project, owner, monkeypatch):
    monkeypatch.setattr("exports.writing.SLICE", 1)
    ticked = [make_interaction(project, completion=text).pk for text in "abcd"][:3]
    stranger = make_interaction(make_project(), completion="x").pk
    client.force_login(owner)
    table = f"/p/{project.key}/interactions?label=a"
    bar = client.get(f"/p/{project.key}/interactions").content.decode()
    assert f'formaction="/p/{project.key}/exports/new"' in bar
    address = f"/p/{project.key}/exports/new?label=a"
    asked = {"table": "1", "next": table, "id": ticked[:2]}
    page = client.post(address, asked).content.decode()
    assert "2 ticked in the table" in page and page.count('name="id"') == 2
    assert client.post(address, {**asked, "all": "1"}).headers["Location"] == address
    form = {"format": "csv", "pictures": "inside", "columns": ["completion"], "id": [*ticked, stranger]}
    assert client.post(address, form).headers["Location"] == f"/p/{project.key}/exports"
    row = Export.objects.get()
    run_job(WRITE, row.job_id)
    assert "4 ticked" in client.get(f"/p/{project.key}/exports").content.decode()
    told = api.get(f"{base(project)}/{row.pk}").json()
    assert (told["chosen"], told["filter"], told["number"], told["total"]) == (4, "", 3, 4)
    assert fetch(api, project, told).split() == [b"completion", b"a", b"b", b"c"]
    told, raw = export(api, project, format="csv", columns=["completion"], ids=[str(ticked[1]), str(ticked[0])])
    assert (told["chosen"], raw.split()) == (2, [b"completion", b"b", b"a"])
    for wrong in ({"ids": ["x"]}, {"ids": []}, {"ids": [str(ticked[0])] * 1_001}):
        assert api.post(base(project), {"format": "csv", **wrong}).json()["fields"].keys() == {"ids"}
    both = {"format": "csv", "ids": [str(ticked[0])], "filter": ""}
    assert api.post(base(project), both).status_code == 400


def test_columns_are_kept_from_formats_that_have_none(client, project, owner):
    client.force_login(owner)
    form = {"format": "openai", "pictures": "inside", "columns": ["id"], "corrected": "on"}
    client.post(f"/p/{project.key}/exports/new", form)
    assert (Export.objects.get().columns, Export.objects.get().corrected) == ([], True)


def test_the_list_takes_as_many_queries_for_one_export_as_for_many(client, api, project, owner):
    export(api, project, format="jsonl")
    client.force_login(owner)
    queries_of(client, project)  # what is remembered from now on
    one = queries_of(client, project)
    for _ in range(5):
        export(api, project, format="jsonl")
    assert queries_of(client, project) == one


def queries_of(client, project):
    with CaptureQueriesContext(connection) as queries:
        assert client.get(f"/p/{project.key}/exports").status_code == 200
    return len(queries.captured_queries)


def test_exports_belong_to_their_project(api, project):
    told = ask(api, project, format="jsonl")
    other = make_project(team=project.team)
    assert api.get(f"{base(other)}/{told['id']}").status_code == 404
    assert api.get(base(other)).json() == {"results": []}
