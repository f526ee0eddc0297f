"""Record who had stopped everything before we stored this.

These people get no more questions and no news of matches: all their subscriptions have ended, at least one of them by
themselves.
"""

from django.db import migrations

LEARN = """
UPDATE digests_preference p SET refused_at = s.refused_at
  FROM (SELECT person_id, max(refused_at) AS refused_at FROM digests_subscription
         GROUP BY person_id HAVING bool_and(status = 'ended') AND max(refused_at) IS NOT NULL) s
 WHERE s.person_id = p.person_id AND p.refused_at IS NULL AND NOT p.tells_matches;
"""


class Migration(migrations.Migration):
    dependencies = [("digests", "0012_what_strangers_type")]

    operations = [migrations.RunSQL(LEARN, migrations.RunSQL.noop)]
