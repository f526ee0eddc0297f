"""Follow frozen reports; the table is new, so there is none to queue."""

from django.db import migrations

from partnerships.search.triggers import follow, unfollow

COLUMN = "reports_frozenreport.id"


class Migration(migrations.Migration):
    dependencies = [("search", "0006_names_alike"), ("reports", "0001_initial")]

    operations = [migrations.RunSQL(follow(COLUMN), unfollow(COLUMN))]
