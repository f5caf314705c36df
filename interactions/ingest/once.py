"""Completions that a comparison brings as text: they point to the newest equal interaction, or make one, once."""

from interactions.claims import claim_digest


def completion_claims(project, rows):
    """The claims that these interactions (with `.model`, `.content_hash` and `.arm`) may hold as completions made
    once."""
    return [
        completion_claim(project, row.model.key if row.model_id else None, row.content_hash, row.arm) for row in rows
    ]


def completion_claim(project, model, content_hash, arm=None):
    """The digest under which a completion of this model to these messages is made only once, in an arm of an A/B test
    once more."""
    own = f"\0{arm}" if arm else ""
    return claim_digest(project.pk, "completion", f"{model or ''}\0{content_hash}{own}")
