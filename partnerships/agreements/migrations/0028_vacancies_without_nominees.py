"""Say in first terms that a vacancy without a nominee in time does not count, as in returns."""

from django.db import migrations

WAS = "The provider may let the home from its own list. It still counts as offered to the council."
NOW = "The provider may let the home from its own list. The vacancy then does not count towards the agreed share."


def reword(old_text, new_text):
    """Return a function that replaces the text, unless an administrator has changed it."""

    def change(apps, schema_editor):
        kind = apps.get_model("agreements", "PartnershipKind").objects.filter(code="nominations").first()
        fields = apps.get_model("agreements", "KindField").objects
        fields.filter(kind=kind, code="no_nominee", starter=old_text).update(starter=new_text)

    return change


class Migration(migrations.Migration):
    dependencies = [("agreements", "0027_terms_of_nominations")]

    operations = [migrations.RunPython(reword(WAS, NOW), reword(NOW, WAS))]
