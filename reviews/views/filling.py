"""Filling a queue: from a filter or a sample of it now, by a rule as interactions arrive."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from interactions.rules import Conflict, RecordError
from reviews.filling import fill
from reviews.models import Sample
from reviews.rules import set_rule
from reviews.views.forms import FillForm, RuleForm, query_of
from reviews.views.gate import managed_queue


@require_http_methods(["GET", "HEAD", "POST"])
def queue_fill(request, project, queue):
    """The two forms, and what was filled in before; filling goes on in the background."""
    project, queue = managed_queue(request, project, queue)
    asked = request.GET.get("query", "")
    form = FillForm(request.POST or None, initial={"query": query_of(asked)})
    if form.is_valid():
        try:
            _, job = fill(queue=queue, by=request.user, **form.cleaned_data)
        except RecordError as error:
            _tell(form, error)
        except Conflict as error:
            form.add_error(None, str(error))
        else:
            return redirect("job_detail", project=project.ref, job_id=job.pk)
    return _page(request, project, queue, form, RuleForm(initial=_rule_of(queue)))


@require_POST
def queue_rule(request, project, queue):
    """A rule on new arrivals; with `end` it ends."""
    project, queue = managed_queue(request, project, queue)
    if "end" in request.POST:
        set_rule(queue=queue, query=None)
        messages.success(request, "The rule has ended. What came in by it stays.")
        return redirect("queue_fill", project=project.ref, queue=queue.key)
    form = RuleForm(request.POST)
    if form.is_valid():
        try:
            set_rule(queue=queue, query=form.cleaned_data["query"], share=form.cleaned_data["share"] / 100)
        except RecordError as error:
            _tell(form, error)
        except Conflict as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "New arrivals that match come in from now on.")
            return redirect("queue_fill", project=project.ref, queue=queue.key)
    return _page(request, project, queue, FillForm(), form)


def _page(request, project, queue, form, rule_form):
    context = {
        "project": project,
        "nav": "review",
        "queue": queue,
        "tab": "fill",
        "form": form,
        "rule_form": rule_form,
        "samples": Sample.objects.filter(queue=queue).select_related("by", "job").order_by("-pk")[:20],
    }
    is_wrong = form.errors or rule_form.errors
    return render(request, "reviews/queue_fill.html", context, status=422 if is_wrong else 200)


def _rule_of(queue):
    rule = queue.rule or {}
    return {"query": rule.get("query", ""), "share": round(100 * rule.get("share", 1), 6)}


def _tell(form, error):
    for path, texts in error.fields.items():
        name = path if path in form.fields else "query" if "query" in form.fields else None
        for text in texts:
            form.add_error(name, text if path == name else f"{path}: {text}".removeprefix(": "))
