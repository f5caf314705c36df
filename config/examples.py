"""What a first call may send, in its description: one after the other they can be sent as they stand (docs/api.md)."""

_PROJECT = "/api/v1/projects/{project}/"
EXAMPLES = {  # path of a POST: its body
    "/api/v1/projects": {"key": "helpdesk", "name": "Helpdesk"},
    "/api/v1/feedback-keys": {"project": "helpdesk", "key": "helpful", "kind": "bool", "name": "Helpful"},
    "/api/v1/interactions": {
        "project": "helpdesk",
        "model": "harbor-8b",
        "messages": [{"role": "user", "content": "Am I covered to drive a hire car?"}],
        "completion": "Yes, third party only, for up to 30 days.",
        "labels": {"channel": "app"},
        "user": "customer-4711",
        "session_id": "ticket-4711",
        "external_id": "ticket-4711-1",
        "usage": {"prompt_tokens": 15, "completion_tokens": 11, "total_tokens": 26},
        "latency_ms": 840,
    },
    "/api/v1/feedback": {
        "project": "helpdesk",
        "completion_external_id": "ticket-4711-1",
        "feedback_key": "helpful",
        "value": True,
        "user": "customer-4711",
        "external_id": "vote-17",
    },
    "/api/v1/interactions/{interaction_id}/notes": {"text": "Is this the plan that was sold before May?"},
    "/api/v1/comparison": {
        "project": "helpdesk",
        "feedback_key": "helpful",
        "prompt": "Am I covered to drive a hire car?",
        "preferred_completion": {"model": "harbor-8b", "text": "Yes, third party only, for up to 30 days."},
        "other_completion": {"model": "harbor-70b", "text": "Yes."},
    },
    f"{_PROJECT}queues": {
        "name": "Tone of answers",
        "reviewers": 2,
        "guideline": "Read the whole chat first.",
        "questions": [
            {
                "key": "tone",
                "kind": "single",
                "text": "How does it sound?",
                "writes": {"label": "tone"},
                "options": [{"value": "kind"}, {"value": "dry", "name": "Dry", "hint": "to the point"}],
            },
            {"key": "right", "kind": "yes_no", "text": "Is it right?", "writes": {"feedback": "helpful"}},
        ],
    },
    f"{_PROJECT}ab-tests": {
        "key": "larger-model",
        "name": "Is the larger model worth it?",
        "feedback_key": "helpful",
        "models": ["harbor-8b", "harbor-70b"],
        "traffic_split": 0.5,
    },
    f"{_PROJECT}label-renames": {"key": "channel", "to": "medium"},
    f"{_PROJECT}exports": {"format": "csv", "filter": "label=medium:app&feedback=helpful:true"},
}
