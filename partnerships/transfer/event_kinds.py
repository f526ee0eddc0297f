"""Codes of the events that imports record, and their labels on timelines."""

from django.db import models


class EventKind(models.TextChoices):
    """Kinds of event. A code never changes, because saved events contain it. A label may change."""

    LIST_IMPORTED = "import.list_imported", "Imported a list"
    LOCAL_PLANS_IMPORTED = "import.local_plans_imported", "Imported local plans"
    DEVELOPER_AGREEMENTS_IMPORTED = "import.developer_agreements_imported", "Imported developer agreements"
    BROWNFIELD_LAND_IMPORTED = "import.brownfield_land_imported", "Imported brownfield land"
    HOUSING_FIGURES_IMPORTED = "import.housing_figures_imported", "Imported housing figures"
    NETWORK_LOADED = "import.network_loaded", "Loaded a network"
    HEADINGS_CONFIRMED = "import.headings_confirmed", "Matched the headings of a list to columns"
    DISCARDED = "import.discarded", "Discarded an import"
    ROW_DECIDED = "import.row_decided", "Decided which organisation a row of a list means"
    MISSING_FROM_FILE = "plan.missing_from_file", "Did not find this plan in the latest file"
    BACK_IN_FILE = "plan.back_in_file", "Found this plan in the file again"
    IN_OLDER_FILE = "plan.in_older_file", "Added what an older file said about this plan"
    PLANS_IN_OLDER_FILE = "organisation.plans_in_older_file", "Added what an older file said about one of its plans"
    CONTRIBUTION_IN_OLDER_FILE = "commitment.in_older_file", "Added what an older file said about this contribution"
