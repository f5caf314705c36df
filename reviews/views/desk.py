"""The desk: one item at a time. Pages for people, the item alone for scripts; the same forms serve both."""

import json
import math
import uuid

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import MANAGE_REVIEWS
from interactions.rules import Conflict
from projects.access import EntityNotFound
from reviews import back, slots
from reviews import desk as work
from reviews.checks import stamp_of
from reviews.decisions import next_decision
from reviews.leading import read_reply
from reviews.models import State
from reviews.pace import progress as progress_of
from reviews.questions import CORRECTION
from reviews.views import unsent
from reviews.views.asking import read_answers
from reviews.views.gate import desk_queue
from reviews.views.keys import keys_of
from reviews.views.showing import completion_of, item_context
from reviews.views.telling import told

MOST_BESIDES = 100
NONE_BEFORE = "There is none before this one."
WITHOUT_ANSWER = {"skip": work.skip, "later": work.later}


@require_safe
def desk(request, project, queue):
    """The next item of this person, with all that belongs around it."""
    project, queue = desk_queue(request, project, queue)
    return _page(request, project, queue, work.next_review(queue, request.user))


@require_safe
def desk_next(request, project, queue):
    """The item alone that comes after those in hand (`besides`, ids of reviews)."""
    project, queue = desk_queue(request, project, queue)
    besides = [one for text in request.GET.get("besides", "").split(",")[:MOST_BESIDES] if (one := _uuid(text))]
    decides = "decide" in request.GET and MANAGE_REVIEWS in project.permissions
    next_one = next_decision(queue, request.user) if decides else work.next_review(queue, request.user, besides)
    return _alone(request, item_context(project, queue, next_one))


@unsent.is_kept
@require_http_methods(["GET", "HEAD", "POST"])
def desk_review(request, project, queue, review_id):
    """One review again; or its answers, which `do` says what to do with: submit, skip, later."""
    project, queue = desk_queue(request, project, queue)
    try:
        review = slots.review_or_404(queue, request.user, review_id)
    except EntityNotFound:
        if request.method == "POST":
            raise
        return redirect("desk", project=project.ref, queue=queue.key)  # another person's
    if request.method == "POST":
        return _take(request, project, queue, review)
    read_reply(review)
    if _for_scripts(request):
        return _alone(request, item_context(project, queue, review, raw="raw" in request.GET))
    if sent := unsent.taken(request, review):
        given = _given(sent, project, review, complete=True)
        return _page(request, project, queue, _as_sent(review, given), answers=given["answers"], came_back=True)
    return _page(request, project, queue, review)


@require_POST
def desk_draft(request, project, queue, review_id):
    """Keep what is answered so far."""
    project, queue = desk_queue(request, project, queue)
    review = slots.review_or_404(queue, request.user, review_id)
    try:
        work.save_draft(review=review, seconds=_seconds(request), **_given(request.POST, project, review))
    except work.Refused:  # half typed; what fits is kept
        pass
    except Conflict as error:
        return JsonResponse({"text": str(error)}, status=409)
    return HttpResponse(status=204)


@require_POST
def desk_hold(request, project, queue, review_id):
    """Five more minutes for the item that is on the screen."""
    project, queue = desk_queue(request, project, queue)
    work.hold(review=slots.review_or_404(queue, request.user, review_id))
    return HttpResponse(status=204)


@require_POST
def desk_undo(request, project, queue):
    """The last thing taken back: its item, open again."""
    project, queue = desk_queue(request, project, queue)
    try:
        review = back.undo(queue, request.user)
    except Conflict as error:
        return _tell(request, project, queue, str(error), 409)
    return _back(request, project, queue, review, "There is nothing left to undo.")


@require_safe
def desk_last(request, project, queue):
    """The one that she ended last: at the end of a queue there is none that it came before."""
    project, queue = desk_queue(request, project, queue)
    return _back(request, project, queue, back.newest(queue, request.user), NONE_BEFORE)


@require_safe
def desk_before(request, project, queue, review_id):
    """The one that was ended before this one."""
    project, queue = desk_queue(request, project, queue)
    try:
        review = back.before(slots.review_or_404(queue, request.user, review_id))
    except EntityNotFound:
        review = None
    return _back(request, project, queue, review, NONE_BEFORE)


# -- answers --------------------------------------------------------------------------------------
def _take(request, project, queue, review):
    """Do what was asked; scripts are told how far it is now, a page goes on to the next."""
    what = request.POST.get("do", "submit")
    given = _given(request.POST, project, review, complete=what not in WITHOUT_ANSWER)
    try:
        if what in WITHOUT_ANSWER:
            _keep_typed(review, given)
            WITHOUT_ANSWER[what](review=review)
        else:
            stamp = request.POST.get("stamp")
            review = work.submit(review=review, seconds=_seconds(request), stamp=stamp, **given)
    except work.Refused as error:
        return _refuse(request, project, queue, review, given, error.faults)
    except work.Stale as error:
        return _show_both(request, project, queue, review, given, str(error))
    except Conflict as error:
        return _tell(request, project, queue, str(error), 409, review)
    unwritten = _not_written(review) if what == "submit" else ""
    if _for_scripts(request):
        return JsonResponse({"progress": told(progress_of(queue, request.user)), "text": unwritten})
    if unwritten:
        messages.warning(request, unwritten)
    return redirect("desk", project=project.ref, queue=queue.key)


def _keep_typed(review, given):
    """What stands in the form stays as a draft, though she goes on without an answer. What was never begun is not."""
    if review.state == State.PENDING and not any(given.values()):
        return
    try:
        work.save_draft(review=review, **given)
    except work.Refused:  # half typed; what fits is kept
        pass


def _not_written(review):
    """What of a kept answer could not become what it should, in words; "" where all did."""
    texts = {question["key"]: question["text"] for question in review.form.questions}
    failed = [one for part in review.written.values() for one in part if "failed" in one]
    if not failed:
        return ""
    return "Kept, but not written: " + "; ".join(f"{texts.get(one['failed'])}: {one['why']}" for one in failed)


def _given(sent, project, review, complete=False):
    """What the form says: answers, comment, whether a lead is asked."""
    questions = review.form.questions
    corrects = any(question["kind"] == CORRECTION for question in questions)
    original = completion_of(project, review.item) if corrects else ""
    return {
        "answers": read_answers(questions, sent, original, complete),
        "comment": sent.get("comment", "").replace("\r\n", "\n"),
        "asks_lead": "asks_lead" in sent,
    }


def _seconds(request):
    """Her time on it: what was known when the form was made, and what the browser measured since; None where it did
    not."""
    try:
        times = [float(request.POST.get("spent") or 0), float(request.POST.get("seconds", ""))]
    except ValueError:
        return None
    return sum(times) if all(math.isfinite(one) and one >= 0 for one in times) else None


def _refuse(request, project, queue, review, given, faults):
    if _for_scripts(request):
        names = {question["key"]: question["text"] for question in review.form.questions}
        text = "; ".join(f"{names.get(key, key)}: {fault}" for key, fault in faults.items())
        refusal = {"text": f"An answer was not taken. {text}", "open": _address(project, queue, review)}
        return JsonResponse(refusal, status=422)
    return _page(request, project, queue, _as_sent(review, given), answers=given["answers"], faults=faults, status=422)


def _as_sent(review, given):
    """The review with what a form says of it, to be shown again; its stamp is of what is in."""
    review.stamp = stamp_of(review)
    review.comment, review.asks_lead = given["comment"], given["asks_lead"]
    return review


def _show_both(request, project, queue, review, given, text):
    """That it was answered meanwhile; without scripts with what was sent in the form, to send it again or leave it."""
    if _for_scripts(request):
        return _tell(request, project, queue, text, 409, review)
    messages.error(request, text)
    review = _as_sent(slots.review_or_404(queue, request.user, review.pk), given)
    return _page(request, project, queue, review, answers=given["answers"], status=409)


def _tell(request, project, queue, text, status, review=None):
    if _for_scripts(request):
        more = {"open": _address(project, queue, review)} if review else {}
        return JsonResponse({"text": text, **more}, status=status)
    messages.error(request, text)
    return redirect("desk", project=project.ref, queue=queue.key)


def _back(request, project, queue, review, nothing):
    """To an earlier review; None where there is none."""
    if _for_scripts(request):
        if review is None:
            return HttpResponse(status=204)
        context = item_context(project, queue, review)
        return _alone(request, context | {"told": told(progress_of(queue, request.user))})
    if review is None:
        messages.info(request, nothing)
        return redirect("desk", project=project.ref, queue=queue.key)
    return redirect(_address(project, queue, review))


# -- what is shown --------------------------------------------------------------------------------
def _page(request, project, queue, review, *, status=200, came_back=False, **more):
    keys, letters = keys_of(request.user)
    progress = progress_of(queue, request.user)
    context = item_context(project, queue, review, raw="raw" in request.GET, **more)
    context |= {
        "nav": "review",
        "keys": keys,
        "keys_json": json.dumps(keys),
        "letters": letters,
        "told": told(progress),
        "progress": progress,
        "at": min(progress.total, progress.done + progress.skipped + (1 if review else 0)),
        "diff": request.GET.get("diff") == "1",
        "came_back": came_back,
    }
    return _fresh(render(request, "reviews/desk.html", context, status=status))


def _alone(request, context):
    keys, _ = keys_of(request.user)
    return _fresh(render(request, "reviews/_item.html", context | {"keys": keys}))


def _fresh(response):
    """Never shown again from a cache: after Back an item would stand there as it was before it was answered."""
    patch_vary_headers(response, ["HX-Request", "HX-History-Restore-Request"])
    response.headers["Cache-Control"] = "no-store"
    return response


def _for_scripts(request):
    return request.htmx and not request.htmx.history_restore_request


def _address(project, queue, review):
    return reverse("desk_review", kwargs={"project": project.ref, "queue": queue.key, "review_id": review.pk})


def _uuid(text):
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
