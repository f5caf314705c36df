"""Queues, items and reviews on the wire."""

from rest_framework import serializers

from reviews.models import Kind, Queue, Sample, State


class QuestionShape(serializers.Serializer):
    key = serializers.SlugField()
    kind = serializers.ChoiceField(["single", "several", "scale", "yes_no", "text", "correction", "pair"])
    text = serializers.CharField()
    hint = serializers.CharField(required=False)
    required = serializers.BooleanField(required=False, help_text="true unless said")
    options = serializers.ListField(
        child=serializers.DictField(), required=False, help_text="value, name, hint each; single and several alone"
    )
    least = serializers.IntegerField(required=False, allow_null=True, help_text="of a scale; 1 unless said")
    most = serializers.IntegerField(required=False, allow_null=True, help_text="of a scale; 5 unless said")
    writes = serializers.DictField(
        required=False,
        allow_null=True,
        help_text='{"label": key}, {"feedback": key}, {"preference": key}, {"correction": true} or null',
    )
    defect = serializers.ListField(required=False, help_text="the answers that tell of a defect")


class QueueSerializer(serializers.ModelSerializer):
    """A queue without what is in it."""

    created_by = serializers.EmailField(source="created_by.email")
    kind = serializers.ChoiceField(Kind.choices)
    rule = serializers.DictField(allow_null=True, help_text="query, share, seed; fault where it can no longer be read")

    class Meta:
        model = Queue
        fields = [
            "key", "name", "kind", "reviewers", "blind", "open_to_all", "rule", "rule_reached", "created_by",
            "created_at", "closed_at",
        ]  # fmt: skip
        read_only_fields = fields


class ListedQueueSerializer(QueueSerializer):
    """A queue of the list, with how much is in it."""

    items = serializers.IntegerField(source="n_items")
    open = serializers.IntegerField(source="n_open", help_text="that still ask for answers, gold items aside")
    conflicts = serializers.IntegerField(source="n_conflicts")
    asks_lead = serializers.IntegerField(source="n_asks_lead", help_text="items of which a lead is asked something")

    class Meta(QueueSerializer.Meta):
        fields = [*QueueSerializer.Meta.fields, "items", "open", "conflicts", "asks_lead"]


class QueueListSerializer(serializers.Serializer):
    results = ListedQueueSerializer(many=True)


class WholeQueueSerializer(QueueSerializer):
    """A queue with what it asks, and of whom."""

    guideline = serializers.DictField(allow_null=True, help_text="version and text")
    questions = serializers.DictField(help_text="version and questions")
    members = serializers.ListField(child=serializers.EmailField(), source="addresses")
    people = serializers.IntegerField(
        help_text="who may review in it by now; where they are fewer than `reviewers`, no item can be complete"
    )

    class Meta(QueueSerializer.Meta):
        fields = [*QueueSerializer.Meta.fields, "guideline", "questions", "members", "people"]


class NewQueueShape(serializers.Serializer):
    key = serializers.SlugField(required=False, help_text="made of the name unless said")
    name = serializers.CharField()
    kind = serializers.ChoiceField(Kind.choices, required=False)
    reviewers = serializers.IntegerField(required=False, help_text="answers that each item asks for, 1 to 10")
    blind = serializers.BooleanField(required=False)
    open_to_all = serializers.BooleanField(required=False)
    guideline = serializers.CharField(required=False, help_text="Markdown")
    questions = QuestionShape(many=True)


class QueueChangeShape(serializers.Serializer):
    name = serializers.CharField(required=False)
    kind = serializers.ChoiceField(Kind.choices, required=False)
    reviewers = serializers.IntegerField(required=False)
    blind = serializers.BooleanField(required=False)
    open_to_all = serializers.BooleanField(required=False)
    closed = serializers.BooleanField(required=False)
    guideline = serializers.CharField(required=False, help_text="a new version")
    questions = QuestionShape(many=True, required=False, help_text="a new version")
    members = serializers.ListField(child=serializers.EmailField(), required=False)


class SampleSerializer(serializers.ModelSerializer):
    """One filling: what was drawn from what."""

    by = serializers.EmailField(source="by.email")
    job = serializers.UUIDField(source="job_id", allow_null=True)
    method = serializers.ChoiceField(Sample.Method.choices)
    strata_sizes = serializers.DictField(
        allow_null=True, help_text="of a stratified one, by value: [how many there were, how many were drawn]"
    )

    class Meta:
        model = Sample
        fields = [
            "id", "query", "method", "strata", "strata_sizes", "size", "seed", "drawn_at", "population", "drawn", "by",
            "job",
        ]  # fmt: skip
        read_only_fields = fields


class SampleListSerializer(serializers.Serializer):
    results = SampleSerializer(many=True)


class NewSampleShape(serializers.Serializer):
    query = serializers.CharField(required=False, help_text="a query string as the table has it; empty: everything")
    method = serializers.ChoiceField(Sample.Method.choices, required=False)
    strata = serializers.CharField(required=False, help_text="a label key")
    size = serializers.IntegerField(required=False, allow_null=True)
    seed = serializers.IntegerField(required=False)


class ByHandShape(serializers.Serializer):
    ids = serializers.ListField(child=serializers.UUIDField(), help_text="up to 1,000 interactions")


class PutShape(serializers.Serializer):
    new = serializers.IntegerField(help_text="items")
    already = serializers.IntegerField(help_text="in it before, or taken out of it by hand")
    left_out = serializers.IntegerField(help_text="interactions that are gone, or of pairs without another's answer")


class AgainShape(serializers.Serializer):
    same = serializers.BooleanField(
        help_text="whether it is what was drawn then; of what took all, whether it is as many"
    )
    ids = serializers.ListField(help_text="an id each, of pairs two")


class RuleShape(serializers.Serializer):
    query = serializers.CharField()
    share = serializers.FloatField(required=False)
    seed = serializers.IntegerField(required=False)


class SaidShape(serializers.Serializer):
    """What a person did with an item, as who manages the queue sees it."""

    id = serializers.UUIDField()
    by = serializers.EmailField()
    state = serializers.ChoiceField(State.choices)
    decides = serializers.BooleanField()
    asks_lead = serializers.BooleanField()
    swapped = serializers.BooleanField(help_text="of a pair, the other one was A to this person")
    answers = serializers.DictField(allow_null=True, help_text="null while the queue is blind to them")
    comment = serializers.CharField(allow_null=True)
    reply = serializers.DictField(allow_null=True, help_text="text, by and at of what a lead answered")


class ItemShape(serializers.Serializer):
    """An item as who manages the queue sees it."""

    id = serializers.IntegerField()
    interaction_id = serializers.UUIDField()
    other_id = serializers.UUIDField(allow_null=True)
    submitted = serializers.IntegerField()
    open = serializers.BooleanField()
    conflict = serializers.BooleanField()
    decided = serializers.BooleanField()
    gold = serializers.DictField(allow_null=True)
    assigned_to = serializers.ListField(child=serializers.EmailField())
    added_at = serializers.DateTimeField()
    removed_at = serializers.DateTimeField(allow_null=True)
    removed_by = serializers.EmailField(allow_null=True)
    put_in_by = serializers.EmailField(allow_null=True, help_text="who chose it by hand; null: a filling or a rule did")
    reviews = SaidShape(many=True)


class ItemListShape(serializers.Serializer):
    results = ItemShape(many=True)
    next = serializers.CharField(allow_null=True)


class ItemChangeShape(serializers.Serializer):
    assigned_to = serializers.ListField(child=serializers.EmailField(), required=False)
    gold = serializers.DictField(required=False, allow_null=True)
    removed = serializers.BooleanField(required=False)


class ReplyShape(serializers.Serializer):
    text = serializers.CharField(required=False, help_text="empty: it is settled without a word")


class ReviewShape(serializers.Serializer):
    """One person's review. `interaction_ids` in the order she sees them: of a pair, the first is A."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(State.choices)
    item = serializers.IntegerField()
    interaction_ids = serializers.ListField(child=serializers.UUIDField())
    questions = QuestionShape(many=True)
    form_version = serializers.IntegerField()
    guideline = serializers.CharField()
    answers = serializers.DictField()
    comment = serializers.CharField()
    asks_lead = serializers.BooleanField()
    decides = serializers.BooleanField()
    locked_until = serializers.DateTimeField(allow_null=True)
    seconds = serializers.FloatField(allow_null=True)
    stamp = serializers.CharField(help_text="which submitted answers these are; empty while none are")
    reply = serializers.DictField(allow_null=True, help_text="text, by and at of what a lead answered")
    not_written = serializers.DictField(help_text="questions whose answer could not be written, and why")
    others = serializers.ListField(child=serializers.DictField(), help_text="what others said, once it may be seen")


class ProgressShape(serializers.Serializer):
    done = serializers.IntegerField()
    skipped = serializers.IntegerField()
    total = serializers.IntegerField()
    drafts = serializers.IntegerField()
    waiting = serializers.IntegerField(help_text="items that others hold at this moment")
    people = serializers.IntegerField()
    seconds_each = serializers.FloatField(allow_null=True)
    seconds_left = serializers.FloatField(allow_null=True)


class NextShape(serializers.Serializer):
    review = ReviewShape(allow_null=True)
    progress = ProgressShape()


class AnswerShape(serializers.Serializer):
    answers = serializers.DictField(help_text="by question key")
    comment = serializers.CharField(required=False)
    seconds = serializers.FloatField(required=False, allow_null=True, help_text="all your time on it so far")
    asks_lead = serializers.BooleanField(required=False)
    stamp = serializers.CharField(
        required=False, help_text="on submit: of the review that these answers were made from"
    )


class GivenAnswerShape(serializers.Serializer):
    id = serializers.UUIDField()
    item = serializers.IntegerField()
    interaction_id = serializers.UUIDField()
    other_id = serializers.UUIDField(allow_null=True)
    by = serializers.EmailField()
    form_version = serializers.IntegerField()
    decides = serializers.BooleanField()
    gold = serializers.DictField(allow_null=True, help_text="what is known to be right of the item")
    asks_lead = serializers.BooleanField()
    comment = serializers.CharField()
    seconds = serializers.FloatField(allow_null=True)
    ended_at = serializers.DateTimeField()
    answers = serializers.DictField(help_text="of a pair, a is the item's first interaction")


class AnswerListShape(serializers.Serializer):
    results = GivenAnswerShape(many=True)
    next = serializers.CharField(allow_null=True)


class ConflictShape(serializers.Serializer):
    item = serializers.IntegerField()
    interaction_ids = serializers.ListField(child=serializers.UUIDField())
    given = serializers.ListField(child=serializers.DictField())
    mine = serializers.BooleanField(help_text="you are one of those who differ, and cannot decide")
    held_by = serializers.EmailField(allow_null=True)


class ConflictListShape(serializers.Serializer):
    results = ConflictShape(many=True)


class ReportShape(serializers.Serializer):
    totals = serializers.DictField()
    people = serializers.ListField(child=serializers.DictField())
    questions = serializers.ListField(child=serializers.DictField())
    samples = SampleSerializer(many=True)
    rule = serializers.DictField(allow_null=True)
    at = serializers.DateTimeField()


class ShareShape(serializers.Serializer):
    name = serializers.CharField(allow_null=True)
    seen = serializers.IntegerField()
    n = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class ProjectCoverageShape(serializers.Serializer):
    after = serializers.DateTimeField(allow_null=True)
    before = serializers.DateTimeField(allow_null=True)
    all = ShareShape()
    models = ShareShape(many=True)
    labels = ShareShape(many=True)
