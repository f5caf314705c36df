"""The label keys of a project: what is in use, what is agreed about each, and other names for them."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import AUDIT, LABEL, MANAGE_PROJECT
from interactions.filters import write_label
from interactions.forms import LabelKeyForm
from interactions.labels.keys import MOST_KEYS, MOST_VALUES, describe_key, key_or_404, keys_in_use, old_names
from interactions.labels.renames import begin_rename
from interactions.models import Label
from interactions.rules import Conflict, RecordError
from interactions.views.address import Address
from projects.access import project_or_404

SAMPLE = 500  # characters of a name that is told back


@require_safe
def label_key_list(request, project):
    """All keys with their uses, the most used first or the latest used."""
    project = project_or_404(request.user, project, LABEL, AUDIT)
    newest = request.GET.get("order") == "newest"
    rows = keys_in_use(project, newest)
    table = Address(project, [])
    for row in rows:
        row.dot = Label(key=row.key, value="", hue=row.agreed.hue)
        row.table = table.changed(("label", write_label(row.key)))
    context = {
        **_frame(project),
        "rows": rows,
        "newest": newest,
        "most": MOST_KEYS if len(rows) == MOST_KEYS else None,
    }
    return render(request, "interactions/label_key_list.html", context)


@require_safe
def label_key_detail(request, project, key):
    """One key: its values with their uses, each leading to the table, and its other names."""
    project = project_or_404(request.user, project, LABEL, AUDIT)
    use, values = key_or_404(project, key)
    if use.key != key:
        return redirect("label_key_detail", project=project.ref, key=use.key)
    return _detail(request, project, use, values)


def _detail(request, project, use, values, **told):
    table = Address(project, [])
    for one in values:
        one.table = table.changed(("label", write_label(use.key, one.value)))
    keys, aliases = old_names(project, use.key)
    context = {
        **_frame(project),
        "use": use,
        "dot": Label(key=use.key, value="", hue=use.agreed.hue),
        "table": table.changed(("label", write_label(use.key))),
        "values": values,
        "most": MOST_VALUES if len(values) == MOST_VALUES else None,
        "old_keys": keys,
        "old_values": aliases,
        "unfinished": [one for one in (*keys, *aliases) if not one.settled],
        **told,
    }
    return render(request, "interactions/label_key_detail.html", context, status=422 if told else 200)


@require_http_methods(["GET", "POST"])
def label_key_create(request, project):
    """Agree on a key, whether it is used already or not."""
    project = project_or_404(request.user, project, MANAGE_PROJECT)
    return _form(request, project, LabelKeyForm(request.POST or None))


@require_http_methods(["GET", "POST"])
def label_key_edit(request, project, key):
    """Change what is agreed about a key."""
    project = project_or_404(request.user, project, MANAGE_PROJECT)
    use, _ = key_or_404(project, key)
    return _form(request, project, LabelKeyForm(request.POST or None, agreed=use.agreed), use)


def _form(request, project, form, use=None):
    if form.is_valid():
        agreed = dict(form.cleaned_data)
        key = use.key if use else agreed.pop("key")
        try:
            row = describe_key(project=project, key=key, **agreed)
        except RecordError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"Saved: this is how {row.key} is used.")
            return redirect("label_key_detail", project=project.ref, key=row.key)
    context = {**_frame(project), "form": form, "use": use}
    return render(request, "interactions/label_key_form.html", context, status=422 if form.errors else 200)


@require_POST
def label_rename(request, project, key):
    """Call the key, or one of its values, something else; where there is such a one already the two are merged. By an
    old name, what did not come to its end goes on."""
    project = project_or_404(request.user, project, MANAGE_PROJECT)
    use, values = key_or_404(project, key)
    value, to = request.POST.get("value", ""), request.POST.get("to", "").strip()
    try:
        job = begin_rename(project=project, by=request.user, key=key, value=value, to=to)
    except (ValueError, Conflict) as error:
        fault = "value_fault" if "value" in request.POST else "key_fault"
        return _detail(request, project, use, values, **{fault: str(error), "to": to[:SAMPLE], "renamed": value})
    return redirect("job_detail", project=project.ref, job_id=job.pk)


def _frame(project):
    return {"project": project, "nav": "interactions", "may_manage": MANAGE_PROJECT in project.permissions}
