"""People, their teams and roles, and the keys their programs use."""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils import timezone

from accounts.permissions import MANAGE_TEAM


class UserManager(BaseUserManager):
    def at(self, address):
        """Whoever has this address, whatever its case."""
        # in small letters, as failed logins are counted and as the address is unique: in capitals a dotless i is an i,
        # and every such spelling would have tries of its own
        return self.alias(spelt=Lower("email")).filter(spelt=address.lower())

    def in_hands_of(self, by):
        """Those to whom this person may give a new password: she manages every team of theirs, as it opens all of them.
        Not herself: that takes the old one, lest a session left open be enough."""
        memberships = Membership.objects.filter(user=models.OuterRef("pk"))
        beyond = memberships.exclude(team__in=Team.objects.where(by, MANAGE_TEAM))
        return self.exclude(pk=by.pk).filter(models.Exists(memberships), ~models.Exists(beyond))

    def get_by_natural_key(self, username):
        """Who logs in with it."""
        return self.at(username).get()


class User(AbstractBaseUser):
    """A person. What she may do follows from her memberships, never from the person."""

    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=100)
    timezone = models.CharField(max_length=64, blank=True)
    is_active = models.BooleanField(default=True)
    password_is_temporary = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())

    objects = UserManager()
    by_key = None  # the ApiKey that this request came with; the gate of keys sets it

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_unique")]

    def __str__(self):
        return self.name or self.email

    @property
    def initials(self):
        words = self.name.split() or [self.email]
        return "".join(word[0] for word in words[:2]).upper()


class TeamQuerySet(models.QuerySet):
    def where(self, user, permission):
        """Teams in which this person's role has the permission."""
        return self.filter(memberships__user=user, memberships__role__permissions__contains=[permission])


class Team(models.Model):
    key = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=100)
    members = models.ManyToManyField(User, through="Membership", related_name="teams")
    created_at = models.DateTimeField(db_default=Now())

    objects = TeamQuerySet.as_manager()

    def __str__(self):
        return self.name


class Role(models.Model):
    """A named set of permissions within a team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="roles")
    key = models.SlugField(max_length=64)
    name = models.CharField(max_length=100)
    permissions = ArrayField(models.CharField(max_length=40), default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "key"], name="role_team_key_unique")]

    def __str__(self):
        return self.name


class MembershipQuerySet(models.QuerySet):
    def with_people(self):
        """Members by name, with person, role and her keys that were not revoked, as the team page lists them."""
        rows = self.select_related("user", "role").order_by(Lower("user__name"), "pk")
        return rows.prefetch_related(models.Prefetch("user__api_keys", ApiKey.objects.standing(), to_attr="keys"))


class Membership(models.Model):
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="memberships")
    created_at = models.DateTimeField(db_default=Now())

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="membership_team_user_unique")]


class Invitation(models.Model):
    """Somebody who has an account already is asked into a team; she takes the role once she accepts."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="invitations")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="+")
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="invitation_team_user_unique")]


class ApiKeyQuerySet(models.QuerySet):
    def standing(self):
        """Those that were not revoked, newest first."""
        return self.filter(revoked_at=None).order_by("-created_at", "-pk")

    def of(self, user):
        """A person's keys that were not revoked, newest first."""
        return self.standing().filter(user=user)


HINT = 8  # characters of a key that are kept as they are, to know it by


class ApiKey(models.Model):
    """A program's key; it acts as its user. Only its digest is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    hint = models.CharField(max_length=16)
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(db_default=Now())
    last_used_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)  # null: never
    revoked_at = models.DateTimeField(null=True)

    objects = ApiKeyQuerySet.as_manager()

    def __str__(self):
        return f"{self.name} ({self.hint}…)"

    @property
    def has_ended(self):
        return self.ends_at is not None and self.ends_at <= timezone.now()


class AuditEntry(models.Model):
    """Something that a person did. The database refuses to change a line, and to delete one."""

    at = models.DateTimeField(db_default=Now())
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+", db_index=False)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)
    key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)
    project_id = models.IntegerField(null=True)
    project_key = models.CharField(max_length=64)
    verb = models.CharField(max_length=40)
    object = models.CharField(max_length=200)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        indexes = [models.Index(fields=["team", "-id"], name="auditentry_team_newest")]

    @property
    def changes(self):
        """(what, its value before, its value now) of each thing that changed, as words; None where there was none."""
        before, after = self.before or {}, self.after or {}
        return [(name, _worded(before.get(name)), _worded(after.get(name))) for name in {**before, **after}]


def _worded(value):
    """A value that the log keeps as people read it: a yes or no, a list without brackets; None stays None."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(_worded(one)) for one in value) or "none"
    return None if value is None else str(value) or "none"
