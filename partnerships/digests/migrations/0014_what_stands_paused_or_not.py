"""Create a second view of who follows which plan, which includes paused subscriptions.

A paused subscription sends no digests, but its person may still read what they received. The first view is not replaced
by a filter on this one, because PostgreSQL planned its queries differently.
"""

from importlib import import_module

from django.db import migrations

CREATE = (
    import_module("partnerships.digests.migrations.0002_following")
    .CREATE.replace("digests_following", "digests_standing")
    .replace("s.status = 'confirmed'", "s.status IN ('confirmed', 'paused')")
)


class Migration(migrations.Migration):
    dependencies = [("digests", "0013_who_stopped_everything_before")]

    operations = [migrations.RunSQL(CREATE, "DROP VIEW digests_standing")]
