"""Records on their way into the store, as the rows that they become; the caller has the transaction."""

from interactions import bulk
from interactions.jsontext import dumps


def insert_interactions(project, entries, by):
    """The rows of the table, with all that it shows."""
    records = [entry.record for entry in entries]
    hashes = [record.hashes() for record in records]
    arms = [entry.arm for entry in entries]
    failed = [record.failed for record in records]
    bulk.insert(
        "interactions_interaction",
        {
            "id": ("uuid", [entry.outcome.id for entry in entries]),
            "project_id": ("integer", [project.pk] * len(entries)),
            "model_id": ("integer", [entry.model_id for entry in entries]),
            "session": ("text", [record.session for record in records]),
            "user": ("text", [record.user for record in records]),
            "source": ("text", [record.source for record in records]),
            "logged_by_id": ("bigint", [by.pk if by else None] * len(entries)),
            # what none has costs nothing
            **({"api_key_id": ("bigint", [by.by_key.pk] * len(entries))} if by and by.by_key else {}),
            **({"arm": ("integer", arms)} if any(arms) else {}),
            **({"failed": ("boolean", failed)} if any(failed) else {}),
            "prompt_tokens": ("integer", [record.prompt_tokens for record in records]),
            "completion_tokens": ("integer", [record.completion_tokens for record in records]),
            "latency_ms": ("integer", [record.latency_ms for record in records]),
            "prompt_preview": ("text", [record.prompt_preview for record in records]),
            "completion_preview": ("text", [record.completion_preview for record in records]),
            "images": ("smallint", [min(record.images, 32_767) for record in records]),
            "tools": ("smallint", [min(record.tools, 32_767) for record in records]),
            "prompt_hash": ("uuid", [each[0] for each in hashes]),
            "content_hash": ("uuid", [each[1] for each in hashes]),
            "near_hash": ("uuid", [each[2] for each in hashes]),
            "label_ids": ("text", [bulk.array(entry.label_ids) for entry in entries]),
            "feedbacks": ("text", [dumps({key.key: value for key, value, *_ in e.feedbacks}) for e in entries]),
        },
        cast={"label_ids": "integer[]", "feedbacks": "jsonb"},
    )


def insert_bodies(entries):
    """What was said, whole."""
    bulk.insert(
        "interactions_interactionbody",
        {
            "id": ("uuid", [entry.outcome.id for entry in entries]),
            "messages": ("text", [dumps(entry.record.messages) for entry in entries]),
            "completion": ("text", [entry.record.completion for entry in entries]),
            "envelope": ("text", [dumps(entry.record.envelope) for entry in entries]),
            "payload_sha256": ("bytea", [entry.record.payload_sha256 for entry in entries]),
        },
        cast={"messages": "json", "envelope": "json"},
    )


def insert_postings(entries):
    """The labels that came along."""
    postings = [(label_id, entry.outcome.id) for entry in entries for label_id in entry.label_ids]
    bulk.insert(
        "interactions_labelposting",
        {
            "label_id": ("integer", [label_id for label_id, _ in postings]),
            "interaction_id": ("uuid", [interaction_id for _, interaction_id in postings]),
        },
        arrays=True,
    )
