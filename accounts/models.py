"""People, their teams and roles, and the keys their programs use."""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower, Now

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
        """Members by name, with person, role and how many `.keys` of hers work, as the team page lists them."""
        keys = models.Count("user__api_keys", filter=models.Q(user__api_keys__revoked_at=None))
        return self.select_related("user", "role").annotate(keys=keys).order_by(Lower("user__name"), "pk")


class Membership(models.Model):
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="memberships")
    created_at = models.DateTimeField(db_default=Now())

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="membership_team_user_unique")]


class ApiKeyQuerySet(models.QuerySet):
    def of(self, user):
        """A person's keys that were not revoked, newest first."""
        return self.filter(user=user, revoked_at=None).order_by("-created_at", "-pk")


class ApiKey(models.Model):
    """A program's key; it acts as its user. Only its digest is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    hint = models.CharField(max_length=16)
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(db_default=Now())
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = ApiKeyQuerySet.as_manager()

    def __str__(self):
        return f"{self.name} ({self.hint}…)"
