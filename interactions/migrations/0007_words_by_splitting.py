from django.db import migrations

# The words as before, found in two thirds of the time: the text is split at its blanks, once all else is one. What
# follows each other is only known to the function that takes the parser's way, which phrases are looked for by.
#
# The commonest signs are replaced first; the rest, and other scripts, only where there are any.
COMMON, OTHERS = ".,'\"-:?!()\n", "#$%&*+/;<=>@[\\]^_`{|}~\r\t"
SPACELESS = r"[\u0E00-\u0EFF\u1000-\u109F\u1780-\u17FF\u3040-\u30FF\u31F0-\u31FF\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFAFF\U00020000-\U000323AF]"


def _replaced(signs):
    written = {"'": "''", "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    text = "plain"
    for sign in signs:
        text = f"replace({text}, E'{written.get(sign, sign)}', ' ')"
    return text


TEXT = """
    SELECT left(concat_ws(' ', string_agg(CASE json_typeof(content)
        WHEN 'string' THEN content #>> '{}'
        WHEN 'array' THEN (SELECT string_agg(part->>'text', ' ' ORDER BY place)
            FROM json_array_elements(content) WITH ORDINALITY AS parts(part, place)
            WHERE part->>'type' = 'text')
        END, ' '), completion), 200000) INTO plain
    FROM json_to_recordset(messages) AS message(content json);
"""
FUNCTION = "RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 20000 AS"
IN_ORDER = rf"""
CREATE FUNCTION interactions_words_in_order(messages json, completion text) {FUNCTION} $$
DECLARE plain text;
BEGIN
    {TEXT}
    plain := {_replaced("-./@_<&+:~")};
    IF octet_length(plain) > length(plain) THEN
        plain := regexp_replace(
            regexp_replace(plain, '[^[:alnum:][:ascii:]]+', ' ', 'g'), '({SPACELESS})', ' \1 ', 'g');
    END IF;
    RETURN to_tsvector('simple', plain);
END $$;
"""
WORDS = rf"""
CREATE OR REPLACE FUNCTION interactions_words(messages json, completion text) {FUNCTION} $$
DECLARE plain text; words text[];
BEGIN
    {TEXT}
    plain := lower({_replaced(COMMON)});
    IF plain ~ '[^ a-z0-9]|[^ ]{{255}}' THEN
        plain := {_replaced(OTHERS)};
        IF plain ~ '[^ [:alnum:]]' THEN
            plain := regexp_replace(plain, '[^[:alnum:]]+', ' ', 'g');
        END IF;
        IF plain ~ '{SPACELESS}' THEN
            plain := regexp_replace(plain, '({SPACELESS})', ' \1 ', 'g');
        END IF;
        words := array_remove(string_to_array(plain, ' '), '');
        IF plain ~ '[^ ]{{255}}' THEN
            words := ARRAY(SELECT word FROM unnest(words) AS word WHERE octet_length(word) < 2047);
        END IF;
    ELSE
        words := array_remove(string_to_array(plain, ' '), '');
    END IF;
    RETURN array_to_tsvector(coalesce(words, '{{}}'));
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("interactions", "0006_arm_touches")]

    operations = [
        migrations.RunSQL(IN_ORDER, "DROP FUNCTION interactions_words_in_order(json, text)"),
        migrations.RunSQL(WORDS, migrations.RunSQL.noop),
    ]
