"""Follow frozen reports. Their table is new, so no existing rows need to be queued."""

from django.db import migrations

from partnerships.search.triggers import create_trigger_sql, drop_trigger_sql

COLUMN = "reports_frozenreport.id"


class Migration(migrations.Migration):
    dependencies = [("search", "0006_names_alike"), ("reports", "0001_initial")]

    operations = [migrations.RunSQL(create_trigger_sql(COLUMN), drop_trigger_sql(COLUMN))]
