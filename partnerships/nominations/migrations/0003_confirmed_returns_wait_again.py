"""Ask the council again about returns that were confirmed before we kept records.

A record has masked figures for the other parties. It is written when the council confirms a return.
"""

from django.db import migrations


def let_them_wait(apps, schema_editor):
    returns = apps.get_model("nominations", "NominationsReturn").objects
    settled_ids = list(returns.filter(status="settled").values_list("pk", flat=True))
    lines = apps.get_model("nominations", "ReturnLine").objects.filter(nominations_return__in=settled_ids)
    lines.update(decision="", decided_at=None, decided_by=None)
    returns.filter(pk__in=settled_ids).update(status="sent", settled_at=None)


class Migration(migrations.Migration):
    dependencies = [("nominations", "0002_returns_of_lettings")]

    operations = [migrations.RunPython(let_them_wait, migrations.RunPython.noop)]
