from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("digests", "0024_reword_help_texts")]

    operations = [
        migrations.RenameModel("MatchTold", "MatchNotice"),
        migrations.AlterModelOptions("matchnotice", options={}),
    ]
