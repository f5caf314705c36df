"""What the counting of tests asks of rows, as SQL. `{0}` is the column."""

# the moment of a UUIDv7
MOMENT = "to_timestamp(('x' || left({0}::text, 8) || substr({0}::text, 10, 4))::bit(48)::bigint / 1000.0)"
DAY = "({0} AT TIME ZONE 'UTC')::date"
UNIT = """md5(CASE WHEN i."user" <> '' THEN 'user:' || i."user" ELSE 'session:' || i.session END)::uuid"""
# of judges, by their hash, 1,024: so few are drawn from
GROUP = "(get_byte(uuid_send({0}), 0) * 4 + get_byte(uuid_send({0}), 1) / 64)::smallint"
JUDGE = """md5(CASE WHEN p."user" <> '' THEN 'user:' || p."user" ELSE 'comparison:' || p.id END)::uuid"""
# a double as the shortest decimal that reads back as it
EXACT = "({0})::float8::text::numeric"
VALUES = f"""
    SELECT f.interaction_id, f.feedback_key_id, {EXACT.format("avg(f.value::text::numeric)")} AS value
    FROM feedback_feedback f WHERE {{0}} AND f.superseded_by IS NULL GROUP BY 1, 2
"""
