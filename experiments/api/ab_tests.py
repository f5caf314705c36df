"""REST: the A/B tests of a project, and what is done with one."""

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import MANAGE_TESTS
from experiments import services
from experiments.api.gate import body_of, deployed, managed, read
from experiments.evaluating import evaluate
from experiments.report import report
from experiments.serializers import (
    ABTestListSerializer,
    ABTestReportShape,
    ABTestSerializer,
    CancelShape,
    DecideShape,
    DecisionSerializer,
    EvaluationShape,
    NewABTestShape,
    SplitShape,
    WatchedKeySerializer,
    presented,
    presented_evaluation,
)
from experiments.watched import watch_key
from feedback.services import keys_of
from interactions.rules import RecordError, kind_of
from projects.access import project_or_404
from registry.services import attached

NEEDED = ("key", "name", "feedback_key", "models")
OFFERED = ("judged_by", "weights", "traffic_split", "smallest_effect", "planned_n", "planned_days", "auto_deploy")
OFFERED += ("watched",)


class ABTestList(APIView):
    """The A/B tests of a project."""

    @extend_schema(operation_id="ab_tests_list", responses=ABTestListSerializer)
    def get(self, request, project):
        """All of them, the newest first; and the share of the units that is free."""
        project = project_or_404(request.user, project)
        found = {"results": services.tests_of(project), "free": services.free_share(project)}
        return Response(ABTestListSerializer(found).data)

    @extend_schema(request=NewABTestShape, responses={201: ABTestSerializer})
    def post(self, request, project):
        """Start a test; 409 where its key is taken."""
        project = project_or_404(request.user, project, MANAGE_TESTS)
        sent = body_of(request, (*NEEDED, *OFFERED), NEEDED)
        sent["feedback_key"] = _feedback_key(project, sent["feedback_key"])
        sent["models"] = _models(project, sent["models"])
        sent["watched"] = _watched(project, sent.get("watched", []))
        test = services.create_test(project=project, by=request.user, **sent)
        return Response(ABTestSerializer(test).data, status=201)


def _feedback_key(project, name, field="feedback_key"):
    keys = keys_of(project)
    if not isinstance(name, str) or name not in keys:
        raise RecordError({field: [f"Send one of the project's: {', '.join(keys) or 'it has none yet'}."]})
    return keys[name]


def _watched(project, sent):
    """[(FeedbackKey, margin or None)]"""
    if not isinstance(sent, list):
        raise RecordError({"watched": [f"Send a list of objects with a feedback_key, not {kind_of(sent)}."]})
    found = []
    for place, one in enumerate(sent):
        if not isinstance(one, dict) or not {"feedback_key"} <= one.keys() <= {"feedback_key", "margin"}:
            told = "Send an object with a feedback_key, and a margin where you want one."
            raise RecordError({f"watched[{place}]": [told]})
        key = _feedback_key(project, one["feedback_key"], f"watched[{place}].feedback_key")
        found.append((key, one.get("margin")))
    return found


def _models(project, names):
    if not isinstance(names, list) or any(not isinstance(name, str) for name in names):
        raise RecordError({"models": [f"Send a list of models' keys, not {kind_of(names)}."]})
    known = {one.model.key: one.model for one in attached(project)}
    if missing := [name for name in names if name not in known]:
        raise RecordError({"models": [f"{missing[0][:200]} is not attached to {project.key}; attach it first."]})
    return [known[name] for name in names]


class ABTestDetail(APIView):
    """One A/B test."""

    @extend_schema(responses=ABTestReportShape)
    def get(self, request, project, ab_test):
        """What its figures say at this moment: arms, gates, verdict, series, decision."""
        return Response(presented(report(read(request, project, ab_test))))


class ABTestPause(APIView):
    """Stop giving units to a test."""

    @extend_schema(request=None, responses=ABTestSerializer)
    def post(self, request, project, ab_test):
        """All traffic goes to the default until it is resumed; 409 where it is paused or over."""
        return _changed(request, services.pause, managed(request, project, ab_test))


class ABTestResume(APIView):
    """Go on with a test."""

    @extend_schema(request=None, responses=ABTestSerializer)
    def post(self, request, project, ab_test):
        """409 where it is not paused, or over."""
        return _changed(request, services.resume, managed(request, project, ab_test))


class ABTestCancel(APIView):
    """End a test without a decision."""

    @extend_schema(request=CancelShape, responses=ABTestSerializer)
    def post(self, request, project, ab_test):
        """409 where it is over."""
        return _changed(request, services.cancel, managed(request, project, ab_test), "reason")


class ABTestSplit(APIView):
    """Change the split of a test."""

    @extend_schema(request=SplitShape, responses=ABTestSerializer)
    def post(self, request, project, ab_test):
        """Another share of the units: who met an arm keeps it, and the figures go on. Other weights: a new sequence
        begins, for figures never mix two."""
        return _changed(request, services.change_split, managed(request, project, ab_test), "weights", "traffic_split")


def _changed(request, change, test, *known):
    """Carry out the change that was sent, and tell of the test as it is then."""
    change(test=test, by=request.user, **body_of(request, known))
    return Response(ABTestSerializer(services.test_or_404(test.project, test.key)).data)


class ABTestWatch(APIView):
    """Watch another feedback key of a test."""

    @extend_schema(request=WatchedKeySerializer, responses=ABTestSerializer)
    def post(self, request, project, ab_test):
        """From the beginning of its sequence on; none is ever left out again. 409 where the test is over."""
        test = managed(request, project, ab_test)
        sent = body_of(request, ("feedback_key", "margin"), ("feedback_key",))
        sent["feedback_key"] = _feedback_key(test.project, sent["feedback_key"])
        watch_key(test=test, by=request.user, **sent)
        return Response(ABTestSerializer(services.test_or_404(test.project, test.key)).data)


class ABTestEvaluate(APIView):
    """Look at the figures, and keep what they say."""

    @extend_schema(request=None, responses={201: EvaluationShape})
    def post(self, request, project, ab_test):
        """The worker does so every minute in which something changed; 409 where the test is over."""
        test = managed(request, project, ab_test)
        body_of(request, ())
        return Response(presented_evaluation(evaluate(test)), status=201)


class ABTestDecide(APIView):
    """End a test with a decision."""

    @extend_schema(request=DecideShape, responses={201: DecisionSerializer})
    def post(self, request, project, ab_test):
        """The winner's model becomes the project's default. Needs model.deploy; 409 where the test is over."""
        test = deployed(request, project, ab_test)
        if isinstance(request.data, dict) and "winner" not in request.data:
            raise RecordError({"winner": ["Send an arm's letter or its model's key; null for none."]})
        sent = body_of(request, ("winner", "reason"))
        winner = _winner(test, sent.get("winner"))
        decision = services.decide(test=test, winner=winner, reason=sent.get("reason", ""), by=request.user)
        return Response(DecisionSerializer(decision).data, status=201)


def _winner(test, name):
    arms = list(test.arms.all())
    for arm in arms:
        if name in (arm.letter, arm.model.key):
            return arm
    if name is None:
        return None
    raise RecordError({"winner": [f"Send {', '.join(arm.letter for arm in arms)} or null."]})


class ABTestRollBack(APIView):
    """Undo what a decision deployed."""

    @extend_schema(request=None, responses=DecisionSerializer)
    def post(self, request, project, ab_test):
        """The former default is the default again. Needs model.deploy; 409 where there is nothing to undo."""
        test = deployed(request, project, ab_test)
        body_of(request, ())
        return Response(DecisionSerializer(services.roll_back(test=test, by=request.user)).data)
