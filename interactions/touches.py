"""What changed for A/B tests: appended in the transaction that changes it, folded into their figures by the worker."""

from interactions import bulk


def insert_touches(touched):
    """Remember (arm, interaction id, comparison id or None) each: the interaction came, went or was given something,
    or the comparison, whose one side it is, came or went. The caller has the transaction."""
    bulk.insert(
        "interactions_armtouch",
        {
            "arm": ("integer", [arm for arm, *_ in touched]),
            "interaction_id": ("uuid", [interaction_id for _, interaction_id, _ in touched]),
            "comparison_id": ("uuid", [comparison_id for *_, comparison_id in touched]),
        },
        arrays=True,
    )
