"""Fill in what the newest version of each plan says about its documents."""

from django.db import migrations

FILL = """
UPDATE plans_document
   SET title = left(item->>'title', 500),
       restricted = coalesce((item->>'restricted')::boolean, FALSE),
       in_newest = TRUE
  FROM plans_plan plan
  JOIN plans_version version ON version.plan_id = plan.id AND version.number = plan.current_number,
       jsonb_array_elements(version.content->'documents') item
 WHERE plans_document.plan_id = plan.id AND plans_document.key = item->>'key'
"""


class Migration(migrations.Migration):
    dependencies = [("plans", "0022_documents_of_newest_versions")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
