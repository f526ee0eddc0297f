"""The view of who follows which plan once more, with what is paused too: that tells nothing, and lets what was received
be read. The first stays as it is: made of a wider one, its statements were planned otherwise."""

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
