"""Follow recommendations and their addressees, and queue existing ones."""

from django.db import migrations

from partnerships.search.triggers import create_trigger_sql, drop_trigger_sql

COLUMNS = (
    "recommendations_recommendation.id",
    "recommendations_source.id",
    "recommendations_addressee.recommendation_id",
)


class Migration(migrations.Migration):
    dependencies = [
        ("search", "0008_drafts_and_comments"),
        ("recommendations", "0001_initial"),
    ]

    operations = [migrations.RunSQL(create_trigger_sql(column), drop_trigger_sql(column)) for column in COLUMNS]
