"""A queue's own page: its items with their states, taking out and assigning, conflicts, and gold items. Who audits
reads it."""

from dataclasses import dataclass, field

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import Q
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import MANAGE_REVIEWS, REVIEW
from interactions.models import Interaction
from interactions.rules import Conflict, RecordError, in_words
from reviews import desk, slots
from reviews.contents import assign, by_hand_of, item_or_404, put_back, remove_items, set_gold
from reviews.decisions import conflicts
from reviews.lists import NAMES, listed
from reviews.models import Assignment, Item, Review, State
from reviews.sayings import said_of
from reviews.services import may_review, queues_of, who_reviews
from reviews.versions import form_of
from reviews.views.asking import asked, read_answers
from reviews.views.gate import audited_queue, managed_queue
from reviews.views.showing import chat_context, completion_of, pair_context

ROWS = 50
FEW = 5  # conflicts above all items
MOST = 1_000


@dataclass
class ItemRow:
    """An item as the list shows it; `text` is None where the interaction was deleted."""

    item: Item
    text: str | None
    reviews: list = field(default_factory=list)
    assigned: list = field(default_factory=list)
    able: int = 0

    @property
    def too_few(self):
        """Whether it is assigned to fewer people than it asks for; `able` are those who answered or still may."""
        waits = self.item.open and self.item.gold is None and self.assigned
        return bool(waits) and self.able < self.item.queue.reviewers


@require_safe
def queue_detail(request, project, queue):
    """The items, 50 a page in the order of the queue."""
    project, queue = audited_queue(request, project, queue)
    shown = request.GET.get("show", "")
    shown = shown if shown in NAMES else ""
    after = request.GET.get("cursor", "")
    items = listed(queue, shown).order_by("place", "pk")
    if after:
        items = items.filter(_behind(after))
    page = list(items[: ROWS + 1])
    here = reverse("queue_detail", kwargs={"project": project.ref, "queue": queue.key})
    last = page[ROWS - 1] if len(page) > ROWS else None
    people, whole = list(who_reviews(queue)), queues_of(project).get(pk=queue.pk)
    too_few = listed(queue, "too_few").count()
    counts = {"conflict": whole.n_conflicts, "asks_lead": whole.n_asks_lead, "too_few": too_few}
    context = {
        "project": project,
        "nav": "review",
        "queue": whole,
        "tab": "items",
        "shown": shown,
        "lists": [
            (word, name, f"{here}?show={word}" if word else here, counts.get(word)) for word, name in NAMES.items()
        ],
        "rows": _rows(queue, page[:ROWS], people),
        "conflicts": _conflicts(project, queue, request.user, shown),
        "newest": f"{here}?show={shown}" if after else "",
        "older": f"{here}?show={shown}&cursor={last.place}.{last.pk}" if last else "",
        "people": people,
        "may_desk": REVIEW in project.permissions and may_review(queue, request.user),
        "may_manage": MANAGE_REVIEWS in project.permissions,
        "form": form_of(queue),
    }
    return render(request, "reviews/queue_detail.html", context)


def _conflicts(project, queue, user, shown):
    """[(Item, the beginning of its prompt or None)] that wait for a decision."""
    if shown not in {"", "conflict"}:
        return []
    found = conflicts(queue, user, ROWS if shown else FEW)
    texts = _texts(project, found)
    return [(item, texts.get(item.interaction_id)) for item in found]


def _texts(project, items):
    """{interaction id: the beginning of its prompt}"""
    ids = [item.interaction_id for item in items]
    return dict(Interaction.objects.filter(project=project, pk__in=ids).values_list("pk", "prompt_preview"))


def _behind(cursor):
    place, _, pk = cursor.partition(".")
    if not (place.isdecimal() and pk.isdecimal() and len(cursor) < 40):
        raise BadRequest("This page's cursor cannot be read; go back to the first page.")
    return Q(place__gt=int(place)) | Q(place=int(place), pk__gt=int(pk))


def _rows(queue, items, people):
    """[ItemRow]; `people` are the Users who may review in the queue."""
    texts, may = _texts(queue.project, items), {person.pk for person in people}
    rows = {item.pk: ItemRow(item, texts.get(item.interaction_id)) for item in items}
    for review in Review.objects.filter(item__in=rows).select_related("by").order_by("opened_at", "pk"):
        rows[review.item_id].reviews.append(review)
    for one in Assignment.objects.filter(item__in=rows).select_related("user").order_by("pk"):
        rows[one.item_id].assigned.append(one.user)
    for row in rows.values():
        row.item.queue = queue
        answered = {review.by_id for review in row.reviews if review.state == State.SUBMITTED and not review.decides}
        row.able = len(answered | {person.pk for person in row.assigned if person.pk in may})
    return list(rows.values())


@require_POST
def queue_items(request, project, queue):
    """What is done with the ticked items: remove, back (into the queue), assign, again (into one's own order)."""
    project, queue = managed_queue(request, project, queue)
    ids, what = _ids(request), request.POST.get("do", "")
    try:
        text = _done(request, project, queue, ids, what)
    except (RecordError, Conflict) as error:
        messages.error(request, in_words(error))
    else:
        messages.success(request, text)
    word = request.POST.get("show", "")
    address = reverse("queue_detail", kwargs={"project": project.ref, "queue": queue.key})
    return redirect(f"{address}?show={word}" if word in NAMES and word else address)


def _done(request, project, queue, ids, what):
    if what == "remove":
        n = remove_items(queue=queue, item_ids=ids, by=request.user)
        return f"{n:,} taken out of the queue; no rule puts them back."
    if what == "back":
        return f"{put_back(queue=queue, item_ids=ids):,} put back into the queue."
    if what == "again":
        return f"{_again(queue, request.user, ids):,} put back to the end of your own order."
    if what == "assign":
        return _assign(queue, ids, _ids(request, "user"))
    raise BadRequest("Send remove, back, assign or again as 'do'.")


def _assign(queue, ids, people):
    """To these people, or to everybody where none is chosen."""
    users = list(who_reviews(queue).filter(pk__in=people))
    n, at_them = assign(queue=queue, item_ids=ids, users=users)
    if not users:
        return f"{n:,} go to everybody again."
    text = f"{n:,} assigned to {', '.join(map(str, users))}."
    if at_them:
        text += f" {', '.join(map(str, at_them))} had begun: what was typed stays a draft, and can no longer be sent."
    few = len(users) < queue.reviewers
    return f"{text} Each asks for {queue.reviewers} people: choose as many, or it is never complete." if few else text


def _again(queue, user, ids):
    """What this person skipped of these comes to her again, at the end."""
    hers = Review.objects.filter(queue=queue, by=user, item__in=ids, state=State.SKIPPED)
    skipped = list(hers.values_list("pk", flat=True))
    for review_id in skipped:
        desk.later(review=slots.review_or_404(queue, user, review_id))
    return len(skipped)


def _ids(request, name="item"):
    texts = [text for text in request.POST.getlist(name) if text]
    if len(texts) > MOST or not all(text.isdecimal() and len(text) < 19 for text in texts):
        raise BadRequest(f"Send up to {MOST:,} ids as '{name}'.")
    return [int(text) for text in texts]


# -- one item -------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def queue_item(request, project, queue, item_id):
    """What was said of an item; and the answers that are known to be right, which make it a gold item: reviewers
    are measured by them without knowing."""
    gate = managed_queue if request.method == "POST" else audited_queue
    project, queue = gate(request, project, queue)
    item = item_or_404(queue, item_id)
    questions, faults = form_of(queue).questions, {}
    answers = item.gold or {}
    if request.method == "POST":
        answers = read_answers(questions, request.POST, completion_of(project, item))
        try:
            set_gold(item=item, answers=None if "ordinary" in request.POST else answers)
        except RecordError as error:
            faults = {path.removeprefix("gold").removeprefix("."): texts[0] for path, texts in error.fields.items()}
        except Conflict as error:
            faults = {"": str(error)}
        else:
            is_ordinary = "ordinary" in request.POST
            messages.success(request, "An ordinary item again." if is_ordinary else "A gold item now.")
            return redirect("queue_detail", project=project.ref, queue=queue.key)
    context = _item_context(project, queue, item) | {
        "by_hand": by_hand_of(item),
        "said": said_of(item, request.user),
        "asked": asked(questions, answers, faults=faults),
        "fault": faults.get(""),
        "may_manage": MANAGE_REVIEWS in project.permissions,
    }
    return render(request, "reviews/queue_item.html", context, status=422 if faults else 200)


def _item_context(project, queue, item):
    ids = [one for one in (item.interaction_id, item.other_id) if one]
    rows = Interaction.objects.filter(project=project).select_related("model", "body").in_bulk(ids)
    found = [rows.get(one) for one in ids]
    plain = Review(pk=None, item=item, swapped=False)  # as the queue has the pair
    context = {"project": project, "nav": "review", "queue": queue, "item": item, "review": {"pk": "gold"}}
    if not all(found):
        return context | {"is_whole": False}
    shown = pair_context(project, plain, found, False) if item.other_id else chat_context(project, found[0], False)
    return context | shown | {"is_whole": True, "is_pair": bool(item.other_id)}
