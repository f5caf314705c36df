"""What goes of A/B tests when their project is deleted."""

from django.db import connection, transaction

from experiments import folding
from experiments.models import ABTest, Arm, Decision


@transaction.atomic
def forget_tests(project):
    """Delete the tests of a deleted project, with all that was counted."""
    tests = ABTest.objects.filter(project=project)
    arms = list(Arm.objects.filter(test__in=tests).values_list("pk", flat=True))
    if not arms:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [folding.LOCK])  # no folding while its figures go
        for statement in (
            "DELETE FROM interactions_armtouch WHERE arm = ANY(%(arms)s)",
            "DELETE FROM experiments_counted WHERE arm = ANY(%(arms)s)",
            "DELETE FROM experiments_countedunder WHERE arm = ANY(%(arms)s)",
            "DELETE FROM experiments_countedvote WHERE test_id = ANY(%(tests)s)",
            "DELETE FROM experiments_seenunder WHERE test_id = ANY(%(tests)s)",
            "DELETE FROM experiments_seen WHERE test_id = ANY(%(tests)s)",
        ):
            cursor.execute(statement, {"arms": arms, "tests": list(tests.values_list("pk", flat=True))})
    Decision.objects.filter(test__in=tests).delete()  # it protects its arm
    tests.delete()
