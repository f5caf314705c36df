"""A project in which everything that is counted has happened, through the API."""

import itertools

from feedback.services import create_feedback_key

MODELS = ("harbor-8b", "harbor-70b", None)
DAYS = ("2024-01-31T23:59:59.999Z", "2024-02-01T00:00:00Z", "2021-06-05T04:03:02Z", None)


def live(api, project):
    """Log, label, judge, correct, note, compare and delete; the ids that are left, oldest logged first."""
    for key, kind in (("good", "bool"), ("stars", "scalar")):
        create_feedback_key(team=project.team, key=key, kind=kind, projects=[project])
    logged = [_log(api, project, number, *given) for number, given in enumerate(itertools.product(MODELS, DAYS))]
    for number, pk in enumerate(logged):
        api.put(f"interactions/{pk}/labels/topic", {"value": f"changed {number % 2}"})
        api.post(f"interactions/{pk}/notes", {"text": f"Number {number}"})
        value = {"completion_id": pk, "metric": "stars", "value": 1 + number / 7, "external_id": f"f{number}"}
        given = api.post("feedback", value)
        if number % 3 == 0:
            address = f"interactions/{pk}/feedback/{given.json()['feedback_id']}"
            api.put(address, {"value": 4}) if number % 2 else api.delete(address)
    _compare(api, project, logged)
    for pk in logged[::5]:
        api.delete(f"interactions/{pk}")
    return [pk for pk in logged if pk not in logged[::5]]


def _log(api, project, number, model, day):
    record = {"labels": {"topic": "new", "n": str(number)}, "feedbacks": [{"metric": "good", "value": number % 2}]}
    record |= {"model": model} if model else {}
    record |= {"created_at": day} if day else {}
    record |= {"source": "simulation"} if number == 7 else {}
    record |= {"external_id": f"e{number}"}
    return api.log(project, **record).json()["completion_id"]


def _compare(api, project, logged):
    tied = itertools.cycle([None, "good", "bad", True])
    for number, (one, other) in enumerate(itertools.pairwise([*logged, *logged[::2], logged[3], logged[11]])):
        sent = {"feedback_key": "good", "preferred_completion": one, "other_completion": other, "tied": next(tied)}
        sent["external_id"] = f"c{number}"
        assert api.post("comparison", sent).status_code == 201
