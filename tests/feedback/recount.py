"""What the roll-ups must say, counted anew from the rows themselves, in plain Python."""

from collections import defaultdict

from feedback import rollups
from feedback.models import Feedback, Given, Preference
from feedback.moments import Moments
from feedback.rollups import Totals
from interactions.models import Interaction
from interactions.rollups import hour_of


def recounted(project):
    """{(hour, key id, model id): Totals} by a loop over all current feedback."""
    found = defaultdict(Totals)
    for row in Interaction.objects.filter(project=project).exclude(source="simulation"):
        hour, model = hour_of(row.created_at), row.model_id or 0
        current = list(Feedback.objects.filter(interaction_id=row.pk, superseded_by=None))
        if current:
            found[hour, Given.ANY, model] += Totals(interactions=1)
        if any(one.origin == "reviewer" for one in current):
            found[hour, Given.REVIEWED, model] += Totals(interactions=1)
        for key_id in {one.feedback_key_id for one in current}:
            values = [one.value for one in current if one.feedback_key_id == key_id]
            found[hour, key_id, model] += Totals(Moments.of(values), 1, int(1 in values), int(0 in values))
    return dict(found)


def rolled_up(project):
    """The same as the roll-up has it, zeros left out."""
    keys = [Given.ANY, Given.REVIEWED, *project.team.feedback_keys.values_list("pk", flat=True)]
    return rollups.given(project, by=("hour", "key_id", "model_id"), keys=keys)


def pairs_recounted(project, key):
    """{(model id, other model id, outcome of the first): n}, the smaller model first; within one model the winner."""
    found = defaultdict(int)
    real = set(Interaction.objects.filter(project=project).exclude(source="simulation").values_list("pk", flat=True))
    seen = set()
    for row in Preference.objects.filter(project=project, feedback_key=key).order_by("id", "interaction_id"):
        a, b = row.model_id or 0, row.other_model_id or 0
        if a > b or {row.interaction_id, row.other_id} - real or (a == b and row.id in seen):
            continue
        seen.add(row.id)
        found[a, b, "won" if a == b and row.outcome == "lost" else row.outcome] += 1
    return dict(found)
