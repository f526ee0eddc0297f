"""Follow frozen reports. Their table is new, so no existing rows need to be queued."""

from django.db import migrations

from partnerships.search.triggers import follow, unfollow

COLUMN = "reports_frozenreport.id"


class Migration(migrations.Migration):
    dependencies = [("search", "0006_names_alike"), ("reports", "0001_initial")]

    operations = [migrations.RunSQL(follow(COLUMN), unfollow(COLUMN))]
