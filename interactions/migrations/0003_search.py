from django.db import migrations

# "12 new" goes by the order of arrival, a project at a time; and tool calls are found like pictures, however rare
INDEXES = """
CREATE INDEX interaction_arrived ON interactions_interaction (project_id, received_at);
CREATE INDEX interaction_tools ON interactions_interaction (project_id, id) WHERE tools > 0;
"""
DROP = "DROP INDEX interaction_arrived, interaction_tools"

# The same words as before, found in a third of the time: of the signs of ASCII only these ten mean anything to the
# parser, all others it passes over like a space; and they are replaced one by one, which is quicker than translate().
# The function is what most of the time of storing a record goes to.
SIGNS = "-./@_<&+:~"
REPLACED = "plain"
for sign in SIGNS:
    REPLACED = f"replace({REPLACED}, '{sign}', ' ')"
WORDS = rf"""
CREATE OR REPLACE FUNCTION interactions_words(messages json, completion text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 20000 AS $$
DECLARE plain text;
BEGIN
    SELECT left(concat_ws(' ', string_agg(CASE json_typeof(content)
        WHEN 'string' THEN content #>> '{{}}'
        WHEN 'array' THEN (SELECT string_agg(part->>'text', ' ' ORDER BY place)
            FROM json_array_elements(content) WITH ORDINALITY AS parts(part, place)
            WHERE part->>'type' = 'text')
        END, ' '), completion), 200000) INTO plain
    FROM json_to_recordset(messages) AS message(content json);
    plain := {REPLACED};
    IF octet_length(plain) > length(plain) THEN
        plain := regexp_replace(
            regexp_replace(plain, '[^[:alnum:][:ascii:]]+', ' ', 'g'),
            '([\u0E00-\u0EFF\u1000-\u109F\u1780-\u17FF\u3040-\u30FF\u31F0-\u31FF\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFAFF\U00020000-\U000323AF])',
            ' \1 ', 'g');
    END IF;
    RETURN to_tsvector('simple', plain);
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("interactions", "0002_import_progress")]

    operations = [
        migrations.RunSQL(INDEXES, DROP),
        migrations.RunSQL(WORDS, migrations.RunSQL.noop),
    ]
