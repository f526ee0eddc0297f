"""Record what people decided before we stored their decisions.

People who ended their own digests have refused them. A subscription that was suppressed had been confirmed, or only
asked for.
"""

from django.db import migrations

LEARN = """
UPDATE digests_subscription SET refused_at = ended_at
 WHERE status = 'ended' AND (reason LIKE 'Stopped by the person%' OR reason LIKE 'Declined by the person%');
UPDATE digests_subscription SET stopped_from = CASE WHEN confirmed_at IS NULL THEN 'asked' ELSE 'confirmed' END
 WHERE status = 'suppressed';
"""


class Migration(migrations.Migration):
    dependencies = [("digests", "0005_what_people_decided")]

    operations = [migrations.RunSQL(LEARN, migrations.RunSQL.noop)]
