"""Saved views: who sees which, and what makes, changes and ends them."""

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from accounts.names import name_fault
from accounts.permissions import LABEL, MANAGE_PROJECT
from exports.columns import read_columns
from exports.models import SavedView
from interactions.rules import Conflict, RecordError, text_fault
from projects.access import EntityNotFound
from projects.models import Project

MOST = 100  # of one person in one project
LONGEST = 4_000  # characters of a query string
TAKEN = {"new", "counts"}  # pages beside those of the views
_UNIQUE = "saved_view_key_unique"


def views_of(project, user):
    """The views of a project that this person sees, by name: her own, and those that are shared."""
    seen = SavedView.objects.visible_to(user).filter(project=project)
    return seen.select_related("owner").order_by("name", "pk")


def view_or_404(project, user, key):
    """One of `views_of`; EntityNotFound else, so that nobody learns of somebody else's private one."""
    view = None if text_fault(key) else views_of(project, user).filter(key=key).first()
    if view is None:
        raise EntityNotFound("View", key)
    return view


def may_change(view, project, user):
    """Its owner may, and of a shared one who manages the project."""
    return view.owner_id == user.pk or (view.is_shared and MANAGE_PROJECT in project.permissions)


def may_share(project):
    """Whether this person may put a view over everybody's table: reading alone is not enough."""
    return LABEL in project.permissions


def changeable_or_404(project, user, key):
    """The view; PermissionDenied where this person sees it but may not change it."""
    view = view_or_404(project, user, key)
    if not may_change(view, project, user):
        raise PermissionDenied(
            f"The view {view.key} is {view.owner}'s: she, and who manages the project, may change it."
        )
    return view


@transaction.atomic
def create_view(*, project, by, name, query, columns=(), is_shared=False, key=None):
    """A new view of `query`, a query string in its one form. Without a key it takes one after its name. RecordError
    names what is wrong, Conflict that the key is taken, be it by a view that is private to somebody else, or the name
    by one that she sees."""
    checked = _checked(name=name, query=query, columns=columns)
    Project.objects.lock(project)  # two who give one name at once do it one after the other
    _refuse_twin(SavedView(project=project, owner=by, is_shared=is_shared, name=checked["name"]))
    if SavedView.objects.filter(project=project, owner=by).count() >= MOST:
        raise Conflict(f"You have {MOST} views here, the most there can be. Delete one first.")
    if key is not None and (not key or slugify(key) != key or len(key) > 64 or key in TAKEN):
        raise RecordError({"key": ["Send 1 to 64 small letters, digits and hyphens, but not new or counts."]})
    for candidate in [key] if key else _keys(name):
        try:
            with transaction.atomic():
                return SavedView.objects.create(
                    project=project, owner=by, key=candidate, is_shared=is_shared, **checked
                )
        except IntegrityError as error:
            if _UNIQUE not in str(error):
                raise
    raise Conflict(f"The key {key or slugify(name)} is taken. Send another.")


def _keys(name):
    """The name's own key, and with numbers behind it."""
    base = slugify(name)[:58].strip("-_") or "view"
    base = f"{base}-view" if base in TAKEN else base
    return [base, *(f"{base}-{number}" for number in range(2, 2 * MOST))]


@transaction.atomic
def change_view(*, view, **changes):
    """Change name, query, columns or is_shared; RecordError names what is wrong, Conflict that the name is taken."""
    checked = _checked(**{name: value for name, value in changes.items() if name != "is_shared"})
    checked |= {"is_shared": changes["is_shared"]} if "is_shared" in changes else {}
    changed = {name for name, value in checked.items() if getattr(view, name) != value}
    for name, value in checked.items():
        setattr(view, name, value)
    if changed & {"name", "is_shared"}:
        Project.objects.lock(view.project)  # as for a new one
        _refuse_twin(view)
    view.changed_at = timezone.now()
    view.save(update_fields=[*checked, "changed_at"])
    return view


def _refuse_twin(view):
    """Conflict where its owner sees another view of this name: one of hers, or one that is shared."""
    others = SavedView.objects.visible_to(view.owner).filter(project=view.project, name__iexact=view.name)
    if other := others.exclude(pk=view.pk).select_related("owner").first():
        raise Conflict(f"A view is named {other.name} already, {other.owner}'s: choose another name.")


def delete_view(*, view):
    """It is gone; exports that were made of it stay."""
    view.delete()


def _checked(**given):
    if "name" in given:
        given["name"] = " ".join(given["name"].split())
        if not 1 <= len(given["name"]) <= 100 or text_fault(given["name"]):
            raise RecordError({"name": ["Send 1 to 100 characters."]})
        if fault := name_fault(given["name"]):
            raise RecordError({"name": [fault]})
    if len(given.get("query", "")) > LONGEST:
        raise RecordError({"filter": [f"A view's filter has at most {LONGEST:,} characters."]})
    if "columns" in given:
        given["columns"] = read_columns(list(given["columns"]))
    return given
