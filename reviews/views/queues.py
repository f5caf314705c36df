"""The queues of a project: how they are doing, a new one, changing and closing one."""

from dataclasses import dataclass

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import MANAGE_REVIEWS, REVIEW
from interactions.rendering import markdown
from interactions.rules import Conflict, RecordError
from projects.access import project_or_404
from reviews.leading import unread_replies
from reviews.lists import listed
from reviews.models import Member, Queue
from reviews.services import (
    change_queue,
    close_queue,
    create_queue,
    open_queue,
    people_who_review,
    queues_of,
    set_members,
)
from reviews.versions import guideline_of, write_guideline
from reviews.views.forms import QueueForm
from reviews.views.gate import managed_queue
from reviews.waiting import waiting

SHOWN = 200
MOST_WAITING = 1_000
# what a new queue asks until its questions are written
FIRST = {
    "single": [{"key": "good", "kind": "yes_no", "text": "Is this a good answer?", "defect": [False]}],
    "pair": [{"key": "better", "kind": "pair", "text": "Which answer is better?"}],
}


@dataclass
class Row:
    """A queue as the list shows it; `mine` is what waits for the reader, None where she does not review in it; `reply`
    the id of a review of hers that a lead answered and she has not read, or None."""

    queue: Queue
    mine: int | None
    people: list
    reply: object = None

    @property
    def done(self):
        return self.queue.n_items - self.queue.n_open


@require_safe
def queue_list(request, project):
    """All queues, those that are open first."""
    project = project_or_404(request.user, project)
    may_review = REVIEW in project.permissions
    queues = list(queues_of(project)[:SHOWN])
    mine = waiting(project, request.user, MOST_WAITING) if may_review else {}
    members = _members(queues)
    replies = unread_replies(queues, request.user) if may_review else {}
    context = {
        "project": project,
        "nav": "review",
        "rows": [Row(queue, mine.get(queue.pk), members.get(queue.pk, []), replies.get(queue.pk)) for queue in queues],
        "may_review": may_review,
        "may_manage": MANAGE_REVIEWS in project.permissions,
        "most": MOST_WAITING,
    }
    return render(request, "reviews/queue_list.html", context)


def _members(queues):
    """{queue id: [User]} of those that are not open to all."""
    closed = [queue.pk for queue in queues if not queue.open_to_all]
    found = {}
    for member in Member.objects.filter(queue__in=closed).select_related("user").order_by("pk"):
        found.setdefault(member.queue_id, []).append(member.user)
    return found


@require_http_methods(["GET", "HEAD", "POST"])
def queue_create(request, project):
    """A new queue; its questions are written next."""
    project = project_or_404(request.user, project, MANAGE_REVIEWS)
    form = QueueForm(request.POST or None, people=people_who_review(project))
    if request.POST.get("do") != "preview" and form.is_valid():
        given = dict(form.cleaned_data)
        members = given.pop("members")
        try:
            queue = create_queue(project=project, by=request.user, questions=FIRST[given["kind"]], **given)
            set_members(queue=queue, users=[] if given["open_to_all"] else list(members))
        except Conflict as error:
            form.add_error("key", str(error))
        except RecordError as error:
            _tell(form, error)
        else:
            messages.success(request, f"{queue.name} is made. Write what it asks, then fill it.")
            return redirect("queue_questions", project=project.ref, queue=queue.key)
    return _page(request, project, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
def queue_edit(request, project, queue):
    """Name, guideline, who reviews and how many of them."""
    project, queue = managed_queue(request, project, queue)
    form = QueueForm(request.POST or None, people=people_who_review(project), instance=queue, initial=_initial(queue))
    if request.POST.get("do") != "preview" and form.is_valid():
        given = dict(form.cleaned_data)
        members, guideline = given.pop("members"), given.pop("guideline").replace("\r\n", "\n")
        try:
            change_queue(queue=queue, **given)
            set_members(queue=queue, users=[] if given["open_to_all"] else list(members))
            write_guideline(queue=queue, text=guideline, by=request.user)
        except Conflict as error:
            form.add_error(None, str(error))
        except RecordError as error:
            _tell(form, error)
        else:
            messages.success(request, "Saved.")
            if n := listed(queue, "too_few").count():
                messages.warning(
                    request, f"Assigned to too few people of those who review here now: {n:,}. See the list."
                )
            return redirect("queue_detail", project=project.ref, queue=queue.key)
    return _page(request, project, form, queue)


@require_POST
def queue_close(request, project, queue):
    """Close it, or with `open` take that back."""
    project, queue = managed_queue(request, project, queue)
    if "open" in request.POST:
        open_queue(queue=queue)
        messages.success(request, f"{queue.name} is open again.")
    else:
        close_queue(queue=queue)
        messages.success(request, f"{queue.name} is closed: nothing more is given out. What was answered stays.")
    return redirect("queue_detail", project=project.ref, queue=queue.key)


def _page(request, project, form, queue):
    preview = None
    if request.POST.get("do") == "preview":
        preview = markdown(request.POST.get("guideline", "")).html
        form.errors.clear()
    context = {"project": project, "nav": "review", "form": form, "queue": queue, "preview": preview}
    return render(request, "reviews/queue_form.html", context, status=422 if form.errors else 200)


def _initial(queue):
    guideline = guideline_of(queue)
    return {
        "name": queue.name,
        "reviewers": queue.reviewers,
        "blind": "yes" if queue.blind else "no",
        "open_to_all": "yes" if queue.open_to_all else "no",
        "members": Member.objects.filter(queue=queue).values_list("user_id", flat=True),
        "guideline": guideline.text if guideline else "",
    }


def _tell(form, error):
    for path, texts in error.fields.items():
        name = path if path in form.fields else None
        for text in texts:
            form.add_error(name, text if name else f"{path}: {text}".removeprefix(": "))
