"""Stored interactions of a project as people read them."""

from django.urls import reverse

from interactions.messages import blobs_of, calls_of
from interactions.transcript import BUDGET, Transcript


def transcripts_of(project, rows, *, raw=False):
    """The Transcript of each of these interactions with bodies, the pictures of all looked up in one go; together they
    render as much as one page may."""
    blobs = blobs_of(project, [message for row in rows for message in row.body.messages])
    shared = {"address": picture_address(project), "blobs": blobs, "raw": raw, "budget": BUDGET // len(rows)}
    return [Transcript(row.body.messages, row.body.completion, calls=calls_of(row.body), **shared) for row in rows]


def picture_address(project):
    """What makes a picture's SHA-256 its address."""
    return lambda sha256: reverse("blob", kwargs={"project_id": project.uid, "sha256": sha256})
