"""What is shown of the legal holds on an interaction."""

from accounts.permissions import MANAGE_PROJECT
from interactions.retention.holds import history, kept_among


def held_context(project, interaction):
    """What the panel's template asks for: the hold that stands, all there were, and whether another's keeps it."""
    holds = history(interaction.pk)
    hold = next((one for one in holds if one.released_at is None), None)
    return {
        "hold": hold,
        "holds": [one for one in holds if one is not hold],
        "kept": hold is None and interaction.pk in kept_among([interaction.pk]),
        "may_hold": MANAGE_PROJECT in project.permissions,
    }
