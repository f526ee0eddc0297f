"""Configuration of the app."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "partnerships.web"
    label = "web"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from partnerships.agreements.sections import ON_PARTNERSHIPS  # noqa: PLC0415 - rooms register at start-up
        from partnerships.web.overview import (  # noqa: PLC0415 - models must be loaded first
            figures_lookups,
            figures_section,
            milestones_lookups,
            milestones_section,
            open_milestones_of,
            plans_lookups,
            plans_of,
            plans_section,
            points_lookups,
            points_section,
        )

        ON_PARTNERSHIPS.register("10 figures", figures_section, lookups=figures_lookups)
        ON_PARTNERSHIPS.register_with_rows(
            "20 milestones", milestones_section, open_milestones_of, lookups=milestones_lookups
        )
        ON_PARTNERSHIPS.register_with_rows("25 plans", plans_section, plans_of, lookups=plans_lookups)
        ON_PARTNERSHIPS.register("30 points", points_section, lookups=points_lookups)
