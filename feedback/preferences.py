"""Comparisons of two completions: one row a side, each with its interaction, both in one transaction."""


def forget_preferences(*, project, rows):
    """Delete and uncount the comparisons of these interactions, on both sides; their external ids are free again."""
