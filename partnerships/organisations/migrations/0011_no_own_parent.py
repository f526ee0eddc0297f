"""Prevent an organisation from being its own parent.

Organisations whose parent an administrator set to themselves lose this parent.
"""

from django.db import migrations, models

#: Checks that wait for the end of the transaction would keep the table from being changed.
FREE = ["UPDATE organisations_organisation SET parent_id = NULL WHERE parent_id = id", "SET CONSTRAINTS ALL IMMEDIATE"]


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0010_mutuals_register"),
    ]

    operations = [
        migrations.RunSQL(FREE, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="organisation",
            constraint=models.CheckConstraint(
                condition=models.Q(("parent", models.F("id")), _negated=True), name="organisation_is_not_its_own_parent"
            ),
        ),
    ]
