from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("commitments", "0009_move_lead_times"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="reminderchoiceevent",
            name="pgh_obj",
        ),
        migrations.RemoveField(
            model_name="reminderchoiceevent",
            name="person",
        ),
        migrations.RemoveField(
            model_name="reminderchoiceevent",
            name="pgh_context",
        ),
        migrations.DeleteModel(
            name="ReminderChoice",
        ),
        migrations.DeleteModel(
            name="ReminderChoiceEvent",
        ),
    ]
