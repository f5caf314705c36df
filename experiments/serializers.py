"""A/B tests on the wire."""

from dataclasses import asdict

from rest_framework import serializers

from experiments.figures import gates_told
from experiments.models import ABTest, Decision, Event, JudgedBy, State, WatchedKey


class ArmShape(serializers.Serializer):
    id = serializers.IntegerField(help_text="what ?arm= of the interactions takes")
    letter = serializers.CharField()
    model = serializers.CharField(source="model.key")
    weight = serializers.FloatField()


class WatchedKeySerializer(serializers.ModelSerializer):
    """A feedback key that a test watches beside the one it is judged by."""

    feedback_key = serializers.CharField(source="feedback_key.key")
    margin = serializers.FloatField(
        required=False, help_text="how much worse is no worse still, in the key's unit; 2 % of its range"
    )

    class Meta:
        model = WatchedKey
        fields = ["feedback_key", "margin"]


class ABTestSerializer(serializers.ModelSerializer):
    """A test as it was planned, and where it stands."""

    feedback_key = serializers.CharField(source="feedback_key.key")
    created_by = serializers.EmailField(source="created_by.email")
    state = serializers.CharField(help_text=", ".join(State.values))
    judged_by = serializers.ChoiceField(JudgedBy.choices)
    arms = ArmShape(many=True, source="arms.all")
    watched = WatchedKeySerializer(many=True, source="watched_keys.all")

    class Meta:
        model = ABTest
        fields = [
            "key",
            "name",
            "state",
            "paused_at",
            "feedback_key",
            "judged_by",
            "traffic_split",
            "smallest_effect",
            "planned_n",
            "planned_days",
            "auto_deploy",
            "watched",
            "arms",
            "sequence",
            "sequence_started_at",
            "created_by",
            "created_at",
            "ended_at",
        ]
        read_only_fields = fields


class ABTestListSerializer(serializers.Serializer):
    results = ABTestSerializer(many=True)
    free = serializers.FloatField(help_text="the share of all units that no running test has")


class NewABTestShape(serializers.Serializer):
    key = serializers.SlugField(max_length=64)
    name = serializers.CharField(max_length=100)
    feedback_key = serializers.CharField()
    models = serializers.ListField(child=serializers.CharField(), help_text="attached models' keys, the control first")
    judged_by = serializers.ChoiceField(JudgedBy.choices, required=False)
    weights = serializers.ListField(child=serializers.FloatField(), required=False, help_text="one a model; equal")
    traffic_split = serializers.FloatField(required=False, help_text="share of all units, above 0, at most 1; 1")
    smallest_effect = serializers.FloatField(required=False, help_text="that a winner must surpass; 0")
    planned_n = serializers.IntegerField(required=False, help_text="units with a value in each arm, at least; 200")
    planned_days = serializers.FloatField(required=False, help_text="at least; 3")
    auto_deploy = serializers.BooleanField(required=False, help_text="needs model.deploy")
    watched = WatchedKeySerializer(many=True, required=False, help_text="other feedback keys, up to five")


class SplitShape(serializers.Serializer):
    weights = serializers.ListField(child=serializers.FloatField(), required=False)
    traffic_split = serializers.FloatField(required=False)


class CancelShape(serializers.Serializer):
    reason = serializers.CharField(required=False)


class DecideShape(serializers.Serializer):
    winner = serializers.CharField(allow_null=True, help_text="an arm's letter or its model's key; null for none")
    reason = serializers.CharField()


class EventSerializer(serializers.ModelSerializer):
    """A line of a test's log; by nobody where the product itself did it."""

    by = serializers.EmailField(source="by.email", allow_null=True, default=None)

    class Meta:
        model = Event
        fields = ["at", "by", "text"]


class LogSerializer(serializers.Serializer):
    results = EventSerializer(many=True)


class DecisionSerializer(serializers.ModelSerializer):
    """How a test ended, with the numbers and the rule that it went by."""

    test = serializers.CharField(source="test.key")
    project = serializers.CharField(source="test.project.key")
    winner = serializers.CharField(source="winner.letter", allow_null=True, default=None)
    model = serializers.CharField(source="winner.model.key", allow_null=True, default=None)
    by = serializers.EmailField(source="by.email", allow_null=True, default=None)
    former = serializers.CharField(source="former.key", allow_null=True, default=None)
    rolled_back_by = serializers.EmailField(source="rolled_back_by.email", allow_null=True, default=None)

    class Meta:
        model = Decision
        fields = [
            "project",
            "test",
            "at",
            "winner",
            "model",
            "by",
            "reason",
            "rule",
            "figures",
            "gates",
            "deployed",
            "former",
            "rolled_back_at",
            "rolled_back_by",
        ]


class EvaluationShape(serializers.Serializer):
    at = serializers.DateTimeField()
    sequence = serializers.IntegerField()
    leader = serializers.CharField(allow_null=True, help_text="the arm for which all gates but the last hold")
    gates = serializers.ListField(child=serializers.DictField())
    figures = serializers.DictField()


class ABTestReportShape(ABTestSerializer):
    """What `presented` yields; arms with their figures."""

    as_of = serializers.DateTimeField()
    day_number = serializers.IntegerField()
    verdict = serializers.DictField(help_text="headline and text")
    gates = serializers.ListField(child=serializers.DictField(), help_text="key, name, holds, shown, applies")
    leader = serializers.CharField(allow_null=True)
    judgement = serializers.DictField(help_text="arms, pairs, ratio, coverage, strengths: all that was computed")
    watched_figures = serializers.ListField(
        child=serializers.DictField(), help_text="each figure that is watched: its values, and arms against the control"
    )
    series = serializers.ListField(child=serializers.DictField(), help_text="cumulative by day")
    decision = DecisionSerializer(allow_null=True)

    class Meta(ABTestSerializer.Meta):
        fields = [
            *ABTestSerializer.Meta.fields,
            "as_of",
            "day_number",
            "verdict",
            "gates",
            "leader",
            "judgement",
            "watched_figures",
            "series",
            "decision",
        ]
        read_only_fields = fields


class ByLabelShape(serializers.Serializer):
    key = serializers.CharField()
    rows = serializers.ListField(
        child=serializers.DictField(), help_text="value, n, arms (units with a value and mean), difference, interval"
    )
    exploratory = serializers.BooleanField()
    approximate = serializers.BooleanField(help_text="only the newest interactions were looked at")
    timed_out = serializers.BooleanField()


class CrossedShape(serializers.Serializer):
    user = serializers.CharField(help_text="empty where it is known by its session")
    session = serializers.CharField()
    arms = serializers.ListField(child=serializers.DictField(), help_text="letter, model, interactions, first_at")


class CrossedListShape(serializers.Serializer):
    results = CrossedShape(many=True)
    timed_out = serializers.BooleanField()


def presented_crossed(unit):
    """A Crossed unit for the wire."""
    arms = [
        {
            "letter": one.arm.letter,
            "model": one.arm.model.key,
            "interactions": one.interactions,
            "first_at": one.first_at,
        }
        for one in unit.met
    ]
    return {"user": unit.user, "session": unit.session, "arms": arms}


def presented(report):
    """A Report for the wire: the test with what its figures say."""
    letters = [arm.letter for arm in report.arms]
    return {
        **ABTestSerializer(report.test).data,
        "arms": [_arm(one) for one in report.arms],
        "as_of": report.as_of,
        "day_number": report.day_number,
        "verdict": report.verdict._asdict(),
        "gates": gates_told(report.gates),
        "leader": None if report.leader is None else letters[report.leader],
        "judgement": asdict(report.judgement),
        "watched_figures": [asdict(one) for one in report.watched],
        "series": [{"day": day, "arms": [_point(one) for one in points]} for day, points in report.series],
        "decision": DecisionSerializer(report.decision).data if report.decision else None,
    }


def _arm(one):
    return {
        "id": one.arm.pk, "letter": one.letter, "model": one.model.key, "weight": one.arm.weight, "off": one.off,
        "units": one.units, "answered": one.answered, "crossed": one.crossed, "interactions": one.interactions,
        "coverage": one.coverage, "value": one.value, "interval": one.interval, "chance": one.chance,
        "latency_ms": one.latency_ms, "timed": one.timed, "failed": one.failed, "refused": one.refused,
        "difference": asdict(one.difference) if one.difference else None,
    }  # fmt: skip


def _point(one):
    return dict(zip(("value", "low", "high"), one, strict=True)) if one else None


def presented_evaluation(evaluation):
    """An Evaluation for the wire."""
    return {
        "at": evaluation.at,
        "sequence": evaluation.sequence,
        "leader": evaluation.leader.letter if evaluation.leader else None,
        "gates": evaluation.gates,
        "figures": evaluation.figures,
    }
