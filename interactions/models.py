"""What was said, and the labels on it. The heavy tables are partitioned by the interaction's id (see partitions.py)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from accounts.models import ApiKey, User
from interactions import ids
from projects.models import Project
from registry.models import Model


def small(model, **options):
    """A reference from a heavy table to a small one: no constraint and no index of its own, both cost every insert."""
    return models.ForeignKey(
        model, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+", **options
    )


class JSONText(models.JSONField):
    """PostgreSQL's `json`: keeps members, their order and numbers as they were sent, which jsonb does not."""

    def db_type(self, connection):
        return "json"

    def get_internal_type(self):
        return "JSONField"

    def from_db_value(self, value, expression, connection):
        return value  # the driver has read it already


class Source(models.TextChoices):
    LIVE = "live", "Live"
    LOGGED = "logged", "Logged"
    PLAYGROUND = "playground", "Playground"
    DATASET = "dataset", "Dataset"
    EVALUATION = "evaluation", "Evaluation"
    AUTOMATION = "automation", "Automation"
    SIMULATION = "simulation", "Simulation"


class Label(models.Model):
    """A dictionary entry: one key with one value in one project."""

    id = models.AutoField(primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="labels")
    key = models.CharField(max_length=100)
    value = models.CharField(max_length=500)
    uses = models.BigIntegerField(default=0)
    last_used_at = models.DateTimeField(db_default=Now())
    hue = models.SmallIntegerField(null=True)  # its key's, so that no list has to ask for keys

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "key", "value"], name="label_unique")]

    def __str__(self):
        return f"{self.key}:{self.value}"


HUES = 10  # colours that a key may have; without one it has that of its name


class LabelKey(models.Model):
    """What a project has agreed about the labels of one key: what they mean, which values people may set (null: any),
    and their colour (null: the one that follows from the name). Keys without a row are free."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="label_keys")
    key = models.CharField(max_length=100)
    description = models.CharField(max_length=2_000, blank=True)
    values = ArrayField(models.CharField(max_length=500), null=True)
    hue = models.SmallIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "key"], name="label_key_unique"),
            models.CheckConstraint(
                condition=models.Q(hue=None) | models.Q(hue__gte=0, hue__lt=HUES), name="label_key_hue"
            ),
        ]

    def __str__(self):
        return self.key


class LabelAlias(models.Model):
    """A name that was given up: the key, or where `value` is set that value of the key, is now called `to`.

    `settled` once all that carried the old name was brought to the new one; until then filters find both.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="label_aliases")
    key = models.CharField(max_length=100)
    value = models.CharField(max_length=500, blank=True)
    to = models.CharField(max_length=500)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())
    settled = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "key", "value"], name="label_alias_unique")]


class LabelName(models.Model):
    """A label was called so until it was renamed where it stands, by whom; the id's time is when. Kept for good: what
    people said is told by the name that they gave it."""

    id = models.UUIDField(primary_key=True)
    label = models.ForeignKey(Label, on_delete=models.CASCADE, related_name="former_names")
    key = models.CharField(max_length=100)
    value = models.CharField(max_length=500)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")


class ChosenColumns(models.Model):
    """The columns that a person chose for a project's table; who has no row sees the usual ones (see columns.py)."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    columns = ArrayField(models.CharField(max_length=20))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="chosen_columns_unique")]


class InteractionQuerySet(models.QuerySet):
    def for_table(self):
        """Rows as the table shows them; bodies live elsewhere and are not read."""
        return self.select_related("model")

    def in_order(self, wanted_ids):
        """These ids' rows, in the order of the ids; what is gone meanwhile is left out."""
        rows = {row.id: row for row in self.filter(id__in=wanted_ids)}
        return [rows[one] for one in wanted_ids if one in rows]


class Interaction(models.Model):
    """One exchange, as the table shows it. The id is a UUIDv7 whose time is `created_at`."""

    id = models.UUIDField(primary_key=True)
    project = small(Project)
    model = small(Model, null=True)
    session = models.CharField(max_length=200)
    user = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=10, choices=Source)
    logged_by = small(User, null=True)
    api_key = small(ApiKey, null=True)  # by which it was logged; null: in the browser, or by a command
    arm = models.IntegerField(null=True)
    prompt_tokens = models.IntegerField(null=True)
    completion_tokens = models.IntegerField(null=True)
    latency_ms = models.IntegerField(null=True)
    prompt_preview = models.TextField()
    completion_preview = models.TextField()
    images = models.SmallIntegerField()
    tools = models.SmallIntegerField()
    received_at = models.DateTimeField(db_default=Now())
    prompt_hash = models.UUIDField()
    content_hash = models.UUIDField()
    near_hash = models.UUIDField()
    label_ids = ArrayField(models.IntegerField())
    feedbacks = models.JSONField(default=dict)
    failed = models.BooleanField(db_default=False)

    objects = InteractionQuerySet.as_manager()

    @property
    def created_at(self):
        return ids.time_of(self.id)


class InteractionBody(models.Model):
    """The whole of what was said: `messages` and the rest of the record as sent, pictures replaced by references."""

    interaction = models.OneToOneField(
        Interaction,
        primary_key=True,
        db_column="id",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="body",
    )
    messages = JSONText()
    completion = models.TextField()
    envelope = JSONText()
    payload_sha256 = models.BinaryField()


class LabelPosting(models.Model):
    """The interaction carries this label now. Answers "which have it, newest first" by its key alone."""

    pk = models.CompositePrimaryKey("label_id", "interaction_id")
    label_id = models.IntegerField()
    interaction_id = models.UUIDField()


class LabelEvent(models.Model):
    """Somebody set, replaced or removed a label, or background work (`job_id`) did for her. What came with the record
    makes none."""

    pk = models.CompositePrimaryKey("interaction_id", "id")
    interaction_id = models.UUIDField()
    id = models.UUIDField()
    label = small(Label, null=True)
    former = small(Label, null=True)
    by = small(User)
    job_id = models.UUIDField(null=True)

    @property
    def created_at(self):
        return ids.time_of(self.id)


class Note(models.Model):
    """What somebody wrote to others about the interaction, as it was said at a time: `note_id` is the id of its first
    row, and stays. `superseded_by` names the row that took this one's place; a row that names itself deleted the note.
    `author` wrote it, `by` made this row."""

    pk = models.CompositePrimaryKey("interaction_id", "id")
    interaction_id = models.UUIDField()
    id = models.UUIDField()
    note_id = models.UUIDField()
    project = small(Project)
    author = small(User)
    by = small(User)
    text = models.TextField()
    edited_at = models.DateTimeField(null=True)
    superseded_by = models.UUIDField(null=True)

    @property
    def created_at(self):
        return ids.time_of(self.note_id)

    @property
    def is_deletion(self):
        return self.superseded_by == self.id


class Claim(models.Model):
    """An external id is taken. The digest is the first 16 bytes of SHA-256 over project, kind and text."""

    digest = models.UUIDField(primary_key=True)
    interaction_id = models.UUIDField()
    payload_sha256 = models.BinaryField()


class ImportProgress(models.Model):
    """How far a file was imported into a project: all up to `line` is stored but the lines that were `refused`.

    Written in the transactions that store the records, so that neither can be without the other.
    """

    project = small(Project)
    sha256 = models.BinaryField()
    line = models.BigIntegerField(default=0)
    refused = ArrayField(models.BigIntegerField(), default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "sha256"], name="import_progress_unique")]


class Dimension(models.IntegerChoices):
    ALL = 0
    LABEL = 1
    MODEL = 2


class Count(models.Model):
    """How many interactions of a project fell into an hour (UTC), by label or model."""

    project = small(Project)
    hour = models.DateTimeField()
    dimension = models.SmallIntegerField(choices=Dimension)
    value = models.IntegerField()
    n = models.BigIntegerField()

    class Meta:
        abstract = True


class Rollup(Count):
    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "dimension", "value", "hour"], name="rollup_unique")]


class RollupDelta(Count):
    """Not yet folded into the roll-up. Appended in the transaction that it counts; read as the sum of both."""

    class Meta:
        indexes = [models.Index(fields=["project", "dimension"], name="rollup_delta_project")]


class ArmTouch(models.Model):
    """Something about an interaction of an A/B test's arm changed: it came, went, was given something, or took part in
    a comparison. Not yet in the test's figures; appended in the transaction of the change (see touches.py)."""

    arm = models.IntegerField()
    interaction_id = models.UUIDField()
    comparison_id = models.UUIDField(null=True)


class BlobContent(models.Model):
    """Bytes, once for all projects."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    content = models.BinaryField()


class Blob(models.Model):
    """A picture of a project."""

    project = small(Project)
    content = models.ForeignKey(BlobContent, on_delete=models.PROTECT, db_column="sha256", related_name="+")
    media_type = models.CharField(max_length=20)
    size = models.IntegerField()
    width = models.IntegerField()
    height = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "content"], name="blob_unique")]


class Hold(models.Model):
    """A legal hold: while it stands, nobody and no rule deletes the interaction, or what it is compared with."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="holds")
    interaction_id = models.UUIDField()
    reason = models.CharField(max_length=500)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())
    released_because = models.CharField(max_length=500, blank=True)
    released_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["interaction_id"], condition=models.Q(released_at=None), name="hold_stands_once"
            )
        ]
        indexes = [
            models.Index(fields=["interaction_id"], name="hold_interaction"),
            models.Index(fields=["project", "-at"], condition=models.Q(released_at=None), name="hold_standing"),
        ]


class Departure(models.Model):
    """What the rule of retention took of a project: `n` interactions of a time, `held` ones left behind."""

    class Way(models.TextChoices):
        MONTH = "month", "Whole"
        SLICE = "slice", "In slices"

    project = small(Project)
    at = models.DateTimeField(db_default=Now())
    start = models.DateTimeField()
    end = models.DateTimeField()
    n = models.BigIntegerField()
    held = models.BigIntegerField()
    way = models.CharField(max_length=10, choices=Way)
    claims_left = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["project", "-at"], name="departure_project"),
            models.Index(fields=["id"], condition=models.Q(claims_left=True), name="departure_claims_left"),
        ]
