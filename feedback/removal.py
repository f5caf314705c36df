"""What goes when interactions are deleted: their feedback and comparisons are uncounted and unclaimed."""

from django.db import connection

from feedback import rollups
from feedback.giving import current_values
from feedback.models import Feedback, GivenDelta, GivenRollup, PairDelta, PairRollup
from feedback.preferences import forget_preferences
from interactions import claims
from interactions.models import Source


def forget(*, project, rows, touch=True):
    """Uncount and unclaim what was given to these interactions, whose rows are locked; the rows of feedback itself
    go with their interaction, those of comparisons on both sides. Running A/B tests are to `touch` comparisons that
    went. The caller has the transaction."""
    deltas, values = rollups.Deltas(project.pk), current_values([row.pk for row in rows])
    for row in rows:
        if row.source != Source.SIMULATION:
            deltas.went(row.created_at, row.model_id, values[row.pk])
    deltas.append()
    named = Feedback.objects.filter(interaction_id__in=[row.pk for row in rows]).exclude(external_id=None)
    claims.release(project, "feedback", list(named.values_list("external_id", flat=True)))
    forget_preferences(project=project, rows=rows, touch=touch)


def forget_project(project):
    """Delete what is counted of a project that is empty; the caller has the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [rollups.LOCK])  # no folding while its counts go
    for model in (GivenDelta, GivenRollup, PairDelta, PairRollup):
        model.objects.filter(project=project).delete()
