"""The desk's keys: what each does, each person's own, and whether plain letters and digits work at all."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from projects.access import project_or_404
from reviews.models import Remap

# action: (key, what it does); the arrows, j and k, digits and Tab stay what they are
ACTIONS = {
    "submit": ("Enter", "Submit and go on to the next"),
    "skip": ("s", "Skip"),
    "later": ("l", "Put off to the end"),
    "undo": ("u", "Undo what was done last, up to twenty times"),
    "comment": ("c", "Write a comment"),
    "lead": ("f", "Flag it for a lead"),
    "guide": ("g", "Fold the guideline away, or open it"),
    "diff": ("d", "Of a pair: show what differs"),
    "a": ("a", "Of a pair: A is better"),
    "b": ("b", "Of a pair: B is better"),
    "tie": ("e", "Of a pair: tie"),
    "both_bad": ("x", "Of a pair: both bad"),
}
NAMED = ("Enter", "Space", "Backspace", "Delete", "Home", "End", *(f"F{n}" for n in range(2, 11)))
FIXED = set("0123456789jk?")


def keys_of(user):
    """({action: key}, whether plain letters and digits work) of a person."""
    own = Remap.objects.filter(user=user).first()
    given = own.keys if own else {}
    keys = {action: given.get(action, key) for action, (key, _) in ACTIONS.items()}
    return keys, own.letters if own else True


@require_http_methods(["GET", "HEAD", "POST"])
def desk_keys(request, project):
    """A person's own keys, the same in all projects."""
    project = project_or_404(request.user, project)
    keys, letters = keys_of(request.user)
    faults = {}
    if request.method == "POST":
        letters = "letters" in request.POST
        usual = {action: key for action, (key, _) in ACTIONS.items()}
        keys = usual if "usual" in request.POST else _read(request.POST, usual)
        faults = _faults(keys)
        if not faults:
            own = {action: key for action, key in keys.items() if key != usual[action]}
            Remap.objects.update_or_create(user=request.user, defaults={"letters": letters, "keys": own})
            messages.success(request, "Your keys are kept.")
            return redirect("desk_keys", project=project.ref)
    rows = [(action, text, keys[action], faults.get(action)) for action, (_, text) in ACTIONS.items()]
    context = {"project": project, "nav": "review", "rows": rows, "letters": letters, "named": NAMED}
    context |= {"first_fault": next(iter(faults), None)}
    return render(request, "reviews/desk_keys.html", context, status=422 if faults else 200)


def _read(post, usual):
    """{action: key} as it was typed; an empty field means the usual key."""
    named = {name.lower(): name for name in NAMED}
    typed = {action: post.get(action, "").strip() for action in usual}
    return {action: named.get(text.lower(), text) or usual[action] for action, text in typed.items()}


def _faults(keys):
    faults, taken = {}, {}
    for action, key in keys.items():
        if key in FIXED:
            faults[action] = f"{key} has its own meaning at the desk; choose another."
        elif key not in NAMED and (len(key) != 1 or not key.isprintable()):
            faults[action] = f"Type one character, or the name of a key: {', '.join(NAMED)}."
        elif key in taken:
            faults[action] = f"{key} is taken: {ACTIONS[taken[key]][1].lower()}."
        taken.setdefault(key, action)
    return faults
