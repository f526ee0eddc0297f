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
    SavedView, Follow = apps.get_model("lists", "SavedView"), apps.get_model("lists", "Follow")
    for saved_filter in apps.get_model("exchange", "SavedFilter").objects.order_by("pk"):
        query = saved_filter.query
        if len(query) >= MAX_QUERY:
            query = query.rpartition("&")[0]
        state = {"filters": parse_qs(query), "columns": [], "sort": "", "group": "", "look": ""}
        own_views = SavedView.objects.filter(owner_id=saved_filter.person_id, kind="asks")
        name = _free_name(saved_filter.name, set(own_views.values_list("name", flat=True)))
        view = SavedView.objects.create(
            owner_id=saved_filter.person_id, kind="asks", name=name, state=state, created_at=saved_filter.created_at
        )
        if saved_filter.tells:  # without members, so that the rows of today are not reported as new
            Follow.objects.create(person_id=saved_filter.person_id, view=view, since=saved_filter.created_at)


def _free_name(name, used_names):
    """Return the name, with a number if the person already has a view of this name."""
    free_name, number = name, 2
    while free_name in used_names:
        ending = f" ({number})"
        free_name, number = name[: MAX_NAME - len(ending)] + ending, number + 1
    return free_name


class Migration(migrations.Migration):
    dependencies = [("lists", "0001_saved_views"), ("exchange", "0017_units_of_todays_themes")]
    run_before = [("exchange", "0018_views_replace_saved_filters")]
    operations = [migrations.RunPython(become_views, migrations.RunPython.noop)]
