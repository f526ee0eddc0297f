"""Store the text of documents' files."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("search", "0002_follow_changes")]

    operations = [
        migrations.CreateModel(
            name="FileText",
            fields=[
                ("sha256", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("text", models.TextField(blank=True)),
                ("problem", models.CharField(blank=True, max_length=40)),
                ("read_at", models.DateTimeField()),
            ],
        ),
    ]
