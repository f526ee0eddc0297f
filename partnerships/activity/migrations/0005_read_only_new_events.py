"""Number the events of a transaction without reading all earlier events."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("activity", "0004_number_changes"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="unnumbered",
            name="number",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="unnumbered",
            trigger=pgtrigger.compiler.Trigger(
                name="number",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    constraint="CONSTRAINT",
                    func="\nIF NOT EXISTS (SELECT FROM activity_unnumbered WHERE event_id = NEW.event_id) THEN\n    RETURN NULL;\nEND IF;\nWITH unnumbered AS (\n    DELETE FROM activity_unnumbered\n     WHERE event_id BETWEEN NEW.event_id AND (SELECT max(event_id) FROM activity_unnumbered)\n    RETURNING event_id\n), told AS (\n    SELECT e.id, split_part(s, ':', 1) AS kind, split_part(s, ':', 2)::bigint AS record_id\n      FROM unnumbered u JOIN activity_event e ON e.id = u.event_id, unnest(e.subjects) s\n), counted AS (\n    SELECT kind, record_id, count(*) AS added FROM told GROUP BY kind, record_id\n), locked AS (\n    INSERT INTO activity_subject AS subject (kind, record_id, last_number)\n    SELECT kind, record_id, added FROM counted ORDER BY kind, record_id\n        ON CONFLICT (kind, record_id) DO UPDATE SET last_number = subject.last_number + excluded.last_number\n    RETURNING id, kind, record_id, last_number\n)\nINSERT INTO activity_change (subject_id, number, event_id)\nSELECT l.id, l.last_number - c.added + row_number() OVER (PARTITION BY l.id ORDER BY t.id), t.id\n  FROM told t JOIN counted c USING (kind, record_id) JOIN locked l USING (kind, record_id);\nRETURN NULL;\n",
                    hash="2f07ec46db4df8c9967e0d7f85e9aaa1c81a7673",
                    operation="INSERT",
                    pgid="pgtrigger_number_ffd37",
                    table="activity_unnumbered",
                    timing="DEFERRABLE INITIALLY DEFERRED",
                    when="AFTER",
                ),
            ),
        ),
    ]
