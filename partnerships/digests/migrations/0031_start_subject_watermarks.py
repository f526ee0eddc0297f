"""Start the watermarks of all followers at the newest change, so that nobody gets old news."""

from django.db import migrations

# Paused and suppressed ones too: what they missed before was never to be told.
START = """
INSERT INTO activity_subject (kind, record_id, last_number)
SELECT kind, record_id, 0 FROM (
    SELECT f.kind, f.record_id
      FROM digests_subscription s,
           LATERAL (VALUES ('plan', s.plan_id), ('partnership', s.partnership_id),
                           ('organisation', s.organisation_id)) AS f(kind, record_id)
     WHERE s.status <> 'ended'
    UNION
    SELECT 'partnership', a.partnership_id
      FROM digests_subscription s
      JOIN agreements_party a ON a.organisation_id = s.organisation_id AND a.status = 'accepted'
     WHERE s.status <> 'ended') followed
 WHERE record_id IS NOT NULL
 ORDER BY kind, record_id
ON CONFLICT DO NOTHING;
INSERT INTO digests_subjectwatermark (recipient_id, subject_id, number, told_at, slotted)
SELECT DISTINCT followed.person_id, x.id, x.last_number, now(), false
  FROM (SELECT s.person_id, f.kind, f.record_id
          FROM digests_subscription s,
               LATERAL (VALUES ('plan', s.plan_id), ('partnership', s.partnership_id),
                               ('organisation', s.organisation_id)) AS f(kind, record_id)
         WHERE s.status IN ('confirmed', 'paused', 'suppressed')
        UNION
        SELECT s.person_id, 'partnership', a.partnership_id
          FROM digests_subscription s
          JOIN agreements_party a ON a.organisation_id = s.organisation_id AND a.status = 'accepted'
         WHERE s.status IN ('confirmed', 'paused', 'suppressed')) followed
  JOIN activity_subject x ON x.kind = followed.kind AND x.record_id = followed.record_id
ON CONFLICT (recipient_id, subject_id) DO UPDATE
   SET number = EXCLUDED.number, due_at = NULL, waiting_since = NULL, slotted = false;
DELETE FROM digests_subjectnews;
"""


class Migration(migrations.Migration):
    dependencies = [("digests", "0030_follow_subjects")]

    operations = [migrations.RunSQL(START, migrations.RunSQL.noop)]
