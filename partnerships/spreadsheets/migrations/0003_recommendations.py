"""Let people import recommendations from spreadsheets."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("spreadsheets", "0002_commitments_contacts_and_stakeholders"),
    ]

    operations = [
        migrations.AlterField(
            model_name="ownheading",
            name="kind",
            field=models.CharField(
                choices=[
                    ("sites", "Sites"),
                    ("homes", "Homes"),
                    ("milestones", "Milestones"),
                    ("stakeholders", "Stakeholders"),
                    ("commitments", "Commitments"),
                    ("entries", "Asks and offers"),
                    ("contacts", "Contacts"),
                    ("recommendations", "Recommendations"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="ownheadingevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("sites", "Sites"),
                    ("homes", "Homes"),
                    ("milestones", "Milestones"),
                    ("stakeholders", "Stakeholders"),
                    ("commitments", "Commitments"),
                    ("entries", "Asks and offers"),
                    ("contacts", "Contacts"),
                    ("recommendations", "Recommendations"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="upload",
            name="kind",
            field=models.CharField(
                choices=[
                    ("sites", "Sites"),
                    ("homes", "Homes"),
                    ("milestones", "Milestones"),
                    ("stakeholders", "Stakeholders"),
                    ("commitments", "Commitments"),
                    ("entries", "Asks and offers"),
                    ("contacts", "Contacts"),
                    ("recommendations", "Recommendations"),
                ],
                max_length=16,
            ),
        ),
    ]
