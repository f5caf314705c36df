"""What is tested on the row `i` of an interaction, beside what drives the search: (SQL, values) of each condition."""

from interactions.search.texts import holding, with_members


def of_row(wanted):
    """The tests of all that is wanted but labels, models, and what lies in the body."""
    return [*_columns(wanted), *_given(wanted), *_noted(wanted), *_near(wanted), *_queued(wanted)]


def of_body(wanted):
    """What the body `b` is opened for, the metadata and words that must not be there: (SQL, values, whether it is to
    hold) of each."""
    tests = [(*with_members(wanted.metadata), True)] if wanted.metadata else []
    return [*tests, *((*holding(words), False) for words in wanted.not_words)]


def _noted(wanted):
    """LIMIT keeps the planner from turning it into a join."""
    if wanted.has_notes is None:
        return []
    found = "SELECT true FROM interactions_note n WHERE n.interaction_id = i.id AND n.superseded_by IS NULL LIMIT 1"
    return [(f"({found}) IS {'' if wanted.has_notes else 'NOT '}TRUE", [])]


def _near(wanted):
    """What is alike has the same words; pictures are not compared, so that what has any is like nothing."""
    return [("i.images = 0 AND i.near_hash = ANY(%s)", [list(wanted.near)])] if wanted.near else []


def _queued(wanted):
    """Of a pair either is in the queue."""
    if not wanted.queues:
        return []
    item = "SELECT true FROM reviews_item q WHERE q.removed_at IS NULL AND q.queue_id = ANY(%s) AND q.{} = i.id LIMIT 1"
    one, other = (f"({item.format(column)}) IS TRUE" for column in ("interaction_id", "other_id"))
    return [(f"({one} OR {other})", [list(wanted.queues)] * 2)]


def _columns(wanted):
    tests = []
    for column, value in (("session", wanted.session), ("user", wanted.user), ("prompt_hash", wanted.prompt)):
        if value is not None:
            tests.append((f'i."{column}" = %s', [value]))
    least, most = wanted.latency or (None, None)
    if least is not None:
        tests.append(("i.latency_ms >= %s", [least]))
    if most is not None:
        tests.append(("i.latency_ms <= %s", [most]))
    for column, flag in (("images", wanted.has_images), ("tools", wanted.has_tools)):
        if flag is not None:
            tests.append((f"i.{column} {'>' if flag else '='} 0", []))
    if wanted.has_error is not None:
        tests.append(("i.failed" if wanted.has_error else "NOT i.failed", []))
    if wanted.api_keys:
        tests.append(("i.api_key_id = ANY(%s)", [list(wanted.api_keys)]))
    if wanted.arms:
        tests.append(("i.arm = ANY(%s)", [list(wanted.arms)]))
    return tests


def _given(wanted):
    """The row's own copy of the latest values tells whether there is any; which, and whose, is looked up."""
    tests = []
    if wanted.has_feedback is not None:
        tests.append((f"i.feedbacks {'<>' if wanted.has_feedback else '='} '{{}}'", []))
    if wanted.reviewed is not None:
        tests.append(_looked_up("f.origin = 'reviewer'", [], not wanted.reviewed))
    if wanted.has_correction is not None:
        current = "c.interaction_id = i.id AND c.superseded_by IS NULL"
        found = f"SELECT true FROM feedback_correction c WHERE {current} LIMIT 1"
        tests.append((f"({found}) IS {'' if wanted.has_correction else 'NOT '}TRUE", []))
    return tests + [_feedback(condition) for condition in wanted.feedback]


def _feedback(condition):
    """One look-up for both ends of a range: two would let the minimum meet one value and the maximum another."""
    tests, values = "f.feedback_key_id = %s", [condition.key_id]
    for sign, bound in ((">=", condition.least), ("<=", condition.most)):
        if bound is not None:
            tests, values = f"{tests} AND f.value {sign} %s", [*values, bound]
    return _looked_up(tests, values, condition.none)


def _looked_up(tests, values, none):
    """LIMIT keeps the planner from turning it into a join over everything."""
    found = (
        "(SELECT true FROM feedback_feedback f WHERE f.interaction_id = i.id AND f.superseded_by IS NULL"
        f" AND {tests} LIMIT 1)"
    )
    if none:
        return f"(i.feedbacks = '{{}}' OR {found} IS NOT TRUE)", values
    return f"(i.feedbacks <> '{{}}' AND {found} IS TRUE)", values
