"""Turn saved filters of the board into saved views of the list of asks and offers.

A filter that sent emails becomes a followed view. Matches of the last hour that no email has reported yet are not
reported: a followed view starts with the rows of its first check.
"""

from urllib.parse import parse_qs

from django.db import migrations

#: The length of `SavedFilter.query`: a longer one was cut, and its last parameter with it.
MAX_QUERY = 1000
MAX_NAME = 100


def become_views(apps, schema_editor):
    view, follow = apps.get_model("lists", "SavedView"), apps.get_model("lists", "Follow")
    for saved in apps.get_model("exchange", "SavedFilter").objects.order_by("pk"):
        query = saved.query.rpartition("&")[0] if len(saved.query) >= MAX_QUERY else saved.query
        state = {"filters": parse_qs(query), "columns": [], "sort": "", "group": "", "look": ""}
        name = _free_name(
            saved.name, set(view.objects.filter(owner_id=saved.person_id, kind="asks").values_list("name", flat=True))
        )
        made = view.objects.create(
            owner_id=saved.person_id, kind="asks", name=name, state=state, created_at=saved.created_at
        )
        if saved.tells:  # without members: what it finds now is not told as new
            follow.objects.create(person_id=saved.person_id, view=made, since=saved.created_at)


def _free_name(name, taken):
    """Return the name, with a number if the person already has a view of this name."""
    wanted, number = name, 2
    while wanted in taken:
        ending = f" ({number})"
        wanted, number = name[: MAX_NAME - len(ending)] + ending, number + 1
    return wanted


class Migration(migrations.Migration):
    dependencies = [("lists", "0001_saved_views"), ("exchange", "0017_units_of_todays_themes")]
    run_before = [("exchange", "0018_views_replace_saved_filters")]
    operations = [migrations.RunPython(become_views, migrations.RunPython.noop)]
