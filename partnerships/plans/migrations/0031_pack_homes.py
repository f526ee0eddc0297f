"""Pack the existing lines of homes, a thousand plans at a time."""

from django.db import migrations, transaction

BATCH = 1_000


def pack(apps, schema_editor):
    """Pack the lines of all plans, each batch in a transaction. This may run again."""
    last = 0
    while True:
        with transaction.atomic(using=schema_editor.connection.alias), schema_editor.connection.cursor() as cursor:
            # Waits for a publication under way, and packs what it has written.
            cursor.execute(
                "SELECT id FROM plans_plan WHERE id > %s ORDER BY id LIMIT %s FOR NO KEY UPDATE", [last, BATCH]
            )
            plans = [pk for (pk,) in cursor.fetchall()]
            if not plans:
                return
            cursor.execute("SELECT plans_pack_homes(%s)", [plans])
            last = plans[-1]


class Migration(migrations.Migration):
    atomic = False  # a transaction for each batch
    dependencies = [("plans", "0030_packed_homes")]

    operations = [migrations.RunPython(pack, migrations.RunPython.noop)]
