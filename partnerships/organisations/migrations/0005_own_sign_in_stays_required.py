from django.db import migrations

# A provider that was set was required. It stays so; its leads get their password back for a day from now, because no
# browser that holds redirects to `form-action` could sign in through it until this release.
_REQUIRED = """
    UPDATE organisations_organisation SET own_sign_in_required_at = now() WHERE sign_in_provider <> '';
"""


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0004_own_sign_in_required"),
    ]

    operations = [
        migrations.RunSQL(_REQUIRED, migrations.RunSQL.noop),
    ]
