"""Let the security log record what administrators do to an account."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0002_history_of_deletions")]

    operations = [
        migrations.AlterField(
            model_name="securityevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("signed_in", "Signed in"),
                    ("new_place", "Signed in from a new place"),
                    ("refused", "Sign-in refused"),
                    ("password_changed", "Password changed"),
                    ("second_factor_changed", "Second factor changed"),
                    ("address_changed", "Email address changed"),
                    ("administration", "Administration given or withdrawn"),
                    ("sessions_ended", "Sessions ended"),
                    ("access_ended", "Access ended"),
                    ("data_exported", "Personal data exported"),
                    ("viewed_as", "Seen by an administrator as this person"),
                    ("digest_seen", "Digest seen by an administrator"),
                ],
                max_length=24,
            ),
        ),
    ]
