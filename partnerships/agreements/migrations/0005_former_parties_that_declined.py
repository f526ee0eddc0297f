"""Restore what former parties could read before they were invited again.

An invitation cleared the day on which the party had left. That day is still in the row history.
"""

from django.db import migrations

RESTORE = """
UPDATE agreements_party p
   SET left_at = e.left_at, left_on = e.left_on, joined_on = e.joined_on,
       status = CASE p.status WHEN 'declined' THEN 'left' ELSE p.status END
  FROM (SELECT DISTINCT ON (pgh_obj_id) pgh_obj_id, left_at, left_on, joined_on
          FROM agreements_partyevent WHERE status = 'left' AND left_at IS NOT NULL
         ORDER BY pgh_obj_id, pgh_id DESC) e
 WHERE e.pgh_obj_id = p.id AND p.status IN ('declined', 'invited') AND p.left_at IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [
        ("agreements", "0004_contact_days"),
    ]

    operations = [migrations.RunSQL(RESTORE, migrations.RunSQL.noop)]
