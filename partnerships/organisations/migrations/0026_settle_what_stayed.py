from django.db import migrations

# What could not pass on was disputed with this reason. Leads have seen what was proposed before on My work.
_SETTLE = """
    UPDATE organisations_handover SET state = 'stayed'
     WHERE state = 'disputed'
       AND dispute = 'It is between the two organisations, or the successor has one of these already.';
    UPDATE organisations_handover SET told_at = proposed_at WHERE told_at IS NULL;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0025_handovers_that_stay"),
    ]

    operations = [
        migrations.RunSQL(_SETTLE, migrations.RunSQL.noop),
    ]
