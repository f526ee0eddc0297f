"""Create the view of who follows which plan, so that one place defines what a subscription covers."""

from django.db import migrations

CREATE = """
CREATE VIEW digests_following AS
SELECT s.id AS subscription_id, s.person_id, s.plan_id, s.how, s.added_for_id, s.frequency, s.confirmed_at, 1::smallint AS rank
  FROM digests_subscription s
 WHERE s.status = 'confirmed' AND s.plan_id IS NOT NULL
UNION ALL
SELECT s.id, s.person_id, p.id, s.how, s.added_for_id, s.frequency, s.confirmed_at, 2::smallint
  FROM digests_subscription s
  JOIN plans_plan p ON p.partnership_id = s.partnership_id
 WHERE s.status = 'confirmed'
UNION ALL
SELECT s.id, s.person_id, o.plan_id, s.how, s.added_for_id, s.frequency, s.confirmed_at, 3::smallint
  FROM digests_subscription s
  JOIN plans_planowner o ON o.organisation_id = s.organisation_id
 WHERE s.status = 'confirmed'
"""


class Migration(migrations.Migration):
    dependencies = [("digests", "0001_initial"), ("plans", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, "DROP VIEW digests_following")]
