"""Load areas, organisations and people, and schedule memberships."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.validators import validate_email

from partnerships.kit.dates import known_day
from partnerships.organisations import services as organisations
from partnerships.organisations.models import (
    Area,
    Identifier,
    Organisation,
    Scheme,
    Status,
    SuccessionKind,
    SuccessionStatus,
)
from partnerships.organisations.services.areas import save_area
from partnerships.people.models import User, confirm_address
from partnerships.people.services import person_for_address
from partnerships.transfer.reading.shapes import values_present
from partnerships.transfer.services.network.replaying import Network, UnableToLoad, errors_at


def load_areas(network: Network) -> None:
    """Create the areas that are missing, and then link them, because a parent may come later in the file."""
    for index, item in enumerate(network.file["areas"]):
        with errors_at(f"areas[{index}]"):
            existing_area = Area.objects.filter(code=item["code"]).first()
            area = existing_area or save_area(code=item["code"], name=item["name"], kind=item["kind"])[0]
        network.areas[item["code"]] = area
    for index, item in enumerate(network.file["areas"]):
        area = network.areas[item["code"]]
        links = {
            name: network.areas[item[name]]
            for name in ("parent", "region")
            if item[name] and getattr(area, name) is None
        }
        if links:
            with errors_at(f"areas[{index}]"):
                linked_area = save_area(code=item["code"], **links)[0]  # type: ignore[arg-type]  # parent and region
            network.areas[item["code"]] = linked_area


def load_organisations(network: Network) -> None:
    """Find the organisations by their identifiers, and create those that are not found."""
    for index, item in enumerate(network.file["organisations"]):
        with errors_at(f"organisations[{index}]"):
            network.organisations[item["key"]] = _organisation(network, item)
    # Parents and successors may come later in the file, so they are linked when all organisations exist.
    for index, item in enumerate(network.file["organisations"]):
        organisation = network.organisations[item["key"]]
        with errors_at(f"organisations[{index}]"):
            if item["parent"]:
                organisations.update_organisation(
                    organisation=organisation,
                    parent=network.organisations[item["parent"]],
                    author=network.author,
                    now=network.begins,
                )
            if item["successors"]:
                _record_succession(network, item, organisation)


def _record_succession(network: Network, item: dict[str, Any], organisation: Organisation) -> None:
    """Record that an organisation ended and which organisations succeeded it. Raises `UnableToLoad` without a date."""
    if not item["ended"]:
        raise UnableToLoad("the organisation has successors, but no date on which it ended.", "Add “ended”.")
    organisations.record_succession(
        kind=SuccessionKind.MERGE if len(item["successors"]) == 1 else SuccessionKind.SPLIT,
        status=SuccessionStatus.EFFECTIVE,
        vests_on=known_day(item["ended"]),
        ties=organisations.ties_between([organisation], network.organisations_for(item["successors"])),
        author=network.author,
        now=network.begins,
    )


def _organisation(network: Network, item: dict[str, Any]) -> Organisation:
    """Return the organisation that has one of these identifiers, or a new one.

    Raises `UnableToLoad` if the identifiers belong to several organisations.
    """
    network_identifier = f"{network.file['name']}:{item['key']}"
    schemes_and_values = [(part["scheme"], part["value"]) for part in item["identifiers"]]
    existing_organisations: set[Organisation] = set()
    for scheme, value in schemes_and_values:
        identifiers = Identifier.objects.select_related("organisation").filter(scheme=scheme, value=value)
        existing_organisations.update(identifier.organisation for identifier in identifiers)
    if len(existing_organisations) > 1:
        raise UnableToLoad(
            "the identifiers belong to several organisations in the directory.", "Correct the identifiers."
        )
    if existing_organisations:
        return existing_organisations.pop()

    areas = [network.areas[code] for code in item["areas"]]
    ended_on = item["ended"]
    return organisations.create_organisation(
        name=item["name"],
        kind=item["kind"],
        author=network.author,
        now=network.begins,
        identifiers=[*schemes_and_values, (Scheme.NETWORK, network_identifier)],
        names=[(name, "alternative") for name in item["names"]],
        areas=areas,
        region=network.areas[item["region"]] if item["region"] else _region(areas),
        status=Status.DISSOLVED if ended_on else Status.ACTIVE,
        valid_to=ended_on,
        is_demonstration=network.demo,
        **values_present(item, ("short_name", "council_type", "designation", "legal_form", "website", "valid_from")),
    )


def _region(areas: list[Area]) -> Area | None:
    """Return the region of all these areas, or None if they have several or none."""
    regions = {area.region for area in areas if area.region is not None}
    return regions.pop() if len(regions) == 1 else None


def load_people(network: Network) -> None:
    """Create the people, and schedule their memberships to begin on their dates."""
    for index, item in enumerate(network.file["people"]):
        with errors_at(f"people[{index}]"):
            network.people[item["key"]] = _person(network, item)
    for index, item in enumerate(network.file["memberships"]):
        path = f"memberships[{index}]"
        since = item["since"]
        begins_at = dt.datetime.combine(since, dt.time(), tzinfo=network.now.tzinfo) if since else network.begins

        def add_membership(now: dt.datetime, item: dict[str, Any] = item) -> None:
            organisations.add_membership(
                organisation=network.organisations[item["organisation"]],
                person=network.people[item["person"]],
                role=item["role"],
                job_title=item["job_title"],
                author=network.author,
                now=now,
            )

        network.schedule(begins_at, path, add_membership)


def _person(network: Network, item: dict[str, Any]) -> User:
    """Return the person with this address, who is created if needed. Only a demonstration sets passwords."""
    validate_email(item["email"])
    user = User.objects.filter(email__iexact=item["email"]).first()
    if user is not None:
        return user
    if not (item["account"] or item["administrator"]):
        return person_for_address(email=item["email"], name=item["name"])
    password: str | None = network.file["demo_password"] if network.demo else None
    if password is not None and len(password) < 12:
        raise UnableToLoad("the demonstration password has fewer than twelve characters.", "Set “demo_password”.")
    rights = {"is_staff": True, "is_superuser": True} if item["administrator"] else {}
    person = User.objects.create_user(
        item["email"], password, name=item["name"], account_since=network.begins, **rights
    )
    if password is None:
        confirm_address(person)  # so that they can set a password through “Forgotten your password?”
    return person
