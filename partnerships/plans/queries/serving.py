"""Figures of plans that people can link to an objective of a partnership.

A figure is the homes of a plan, its milestones, or the homes of one site. Its key is "12:homes", "12:milestones" or
"12:site:north-quay", where 12 is the id of the plan.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from django.db.models import Count, Q, Sum
from django.urls import reverse

from partnerships.agreements.models import Partnership
from partnerships.agreements.serving import Provider, ServingRecord
from partnerships.kit.text import counted
from partnerships.people.models import User
from partnerships.plans.models import Milestone, Plan, Site

#: The most sites of one plan that a form offers.
MAX_SITES = 100


def _choices(user: User, partnership: Partnership) -> list[tuple[str, str]]:
    """Return the keys and labels of the figures from which a person can choose, for plans of the partnership."""
    plans = Plan.objects.visible_to(user).filter(partnership=partnership).order_by("title", "pk")
    sites_by_plan: dict[int, list[Site]] = defaultdict(list)
    for site in Site.objects.visible_to(user).filter(plan__in=plans.values("pk")).order_by("name", "pk"):
        sites_by_plan[site.plan_id].append(site)

    choices = []
    for plan in plans:
        choices.append((f"{plan.pk}:homes", f"{plan.title}: homes"))
        choices.append((f"{plan.pk}:milestones", f"{plan.title}: milestones"))
        choices += [
            (f"{plan.pk}:site:{site.key}", f"{plan.title}: homes of {site.name}")
            for site in sites_by_plan[plan.pk][:MAX_SITES]
        ]
    return choices


def _figures_by_key(user: User, keys: Collection[str]) -> dict[str, ServingRecord]:
    """Return the figures with these keys, from the newest versions that the person may read.

    Unknown keys are left out, and keys of plans or sites that the person may not see.
    """
    plan_id_by_key = {key: _plan_id(key) for key in keys}
    plan_by_id = Plan.objects.visible_to(user).in_bulk(set(plan_id_by_key.values()) - {None})
    sites = Site.objects.visible_to(user).filter(plan__in=plan_by_id)
    site_by_key = {f"{site.plan_id}:site:{site.key}": site for site in sites}
    homes_by_plan = dict(sites.values_list("plan").annotate(count=Sum("homes")).order_by())
    progress_by_plan = _milestone_progress(user, plan_by_id)

    figures = {}
    for key, plan_id in plan_id_by_key.items():
        if plan_id is None or plan_id not in plan_by_id:
            continue
        plan = plan_by_id[plan_id]
        path = reverse("plans:detail", kwargs={"pk": plan.pk})
        figure = key.partition(":")[2]
        if figure == "homes":
            homes = counted(homes_by_plan.get(plan.pk, 0), "home")
            figures[key] = ServingRecord(f"{plan.title}: homes", path, homes)
        elif figure == "milestones":
            progress = progress_by_plan.get(plan.pk, "0 of 0 milestones achieved")
            figures[key] = ServingRecord(f"{plan.title}: milestones", path, progress)
        elif key in site_by_key:
            site = site_by_key[key]
            homes = f"{counted(site.homes, 'home')}, {site.name}"
            figures[key] = ServingRecord(f"{plan.title}: homes of {site.name}", path, homes)
    return figures


def _plan_id(key: str) -> int | None:
    """Return the id of the plan in a key, or None if the key does not begin with a number."""
    plan_id = key.partition(":")[0]
    return int(plan_id) if plan_id.isdecimal() else None


def _milestone_progress(user: User, plan_ids: Collection[int]) -> dict[int, str]:
    """Return the progress of each plan, for example "3 of 5 milestones achieved", by plan id.

    Cancelled milestones are left out.
    """
    milestones = Milestone.objects.visible_to(user).filter(plan__in=plan_ids).exclude(status="cancelled")
    counts_of_plans = (
        milestones.values("plan")
        .annotate(achieved=Count("pk", filter=Q(status="achieved")), total=Count("pk"))
        .order_by()
    )
    return {
        counts["plan"]: f"{counts['achieved']} of {counts['total']} milestones achieved" for counts in counts_of_plans
    }


SERVING = Provider(
    code="plan", label="plan figure", plural_label="Plan figures", choices=_choices, read=_figures_by_key
)
