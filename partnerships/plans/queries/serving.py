"""Figures of plans that serve an objective.

They are the homes of a plan or a site, and milestones achieved.

A key is the plan's number with `homes`, `milestones` or `site` and the site's key.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from django.db.models import Count, Q, Sum
from django.urls import reverse

from partnerships.agreements.models import Partnership
from partnerships.agreements.serving import Provider, Served
from partnerships.kit.text import counted
from partnerships.people.models import User
from partnerships.plans.models import Milestone, Plan, Site

#: Sites of one plan that a form offers.
OFFERED = 100


def _choices(user: User, partnership: Partnership) -> list[tuple[str, str]]:
    plans = Plan.objects.visible_to(user).filter(partnership=partnership).order_by("title", "pk")
    sites: dict[int, list[Site]] = defaultdict(list)
    for site in Site.objects.visible_to(user).filter(plan__in=plans.values("pk")).order_by("name", "pk"):
        sites[site.plan_id].append(site)
    choices = []
    for plan in plans:
        choices += [
            (f"{plan.pk}:homes", f"{plan.title}: homes"),
            (f"{plan.pk}:milestones", f"{plan.title}: milestones"),
        ]
        choices += [
            (f"{plan.pk}:site:{site.key}", f"{plan.title}: homes of {site.name}") for site in sites[plan.pk][:OFFERED]
        ]
    return choices


def _read(user: User, keys: Collection[str]) -> dict[str, Served]:
    """The figures of newest versions, as the person may read them."""
    parts = {key: key.split(":", 2) for key in keys}
    numbers = {int(part[0]) for part in parts.values() if part[0].isdecimal()}
    plans = Plan.objects.visible_to(user).in_bulk(numbers)
    sites = list(Site.objects.visible_to(user).filter(plan__in=plans).values("plan", "key", "name", "homes"))
    homes = dict(
        Site.objects.visible_to(user).filter(plan__in=plans).values_list("plan").annotate(count=Sum("homes")).order_by()
    )
    achieved = {
        row["plan"]: (row["done"], row["all"])
        for row in Milestone.objects.visible_to(user)
        .filter(plan__in=plans)
        .exclude(status="cancelled")
        .values("plan")
        .annotate(done=Count("pk", filter=Q(status="achieved")), all=Count("pk"))
        .order_by()
    }
    of_site = {(site["plan"], site["key"]): site for site in sites}
    read = {}
    for key, part in parts.items():
        plan = plans.get(int(part[0])) if part[0].isdecimal() else None
        if plan is None or len(part) < 2:
            continue
        path = reverse("plans:detail", kwargs={"pk": plan.pk})
        site = of_site.get((plan.pk, part[2])) if len(part) == 3 else None
        if part[1] == "homes":
            read[key] = Served(f"{plan.title}: homes", path, counted(homes.get(plan.pk, 0), "home"))
        elif part[1] == "milestones":
            done, every = achieved.get(plan.pk, (0, 0))
            read[key] = Served(f"{plan.title}: milestones", path, f"{done} of {every} milestones achieved")
        elif site is not None:
            read[key] = Served(
                f"{plan.title}: homes of {site['name']}", path, f"{counted(site['homes'], 'home')}, {site['name']}"
            )
    return read


SERVING = Provider(code="plan", label="plan figure", many="Plan figures", choices=_choices, read=_read)
