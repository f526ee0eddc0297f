"""Replay responses to recommendations, and adoptions of recommendations by partnerships."""

from __future__ import annotations

import datetime as dt
from functools import partial

from django.db.models import Q

from partnerships.recommendations.models import Adoption, Recommendation, Response
from partnerships.recommendations.services import (
    ResponseDetails,
    add_evidence,
    adopt,
    link_outcome,
    load_recommendations,
    propose_adoption,
    respond,
)
from partnerships.transfer.services.network.partnerships import partnership_of
from partnerships.transfer.services.network.replaying import Item, Network, UnableToLoad


def schedule_recommendations(network: Network) -> None:
    """Schedule the events of responses and adoptions.

    Evidence and linked records follow at the end of loading. The recommendations themselves come with Common Ground,
    and are recorded first.
    """
    if network.file["responses"] or network.file["adoptions"]:
        load_recommendations(now=network.now)
    for index, item in enumerate(network.file["responses"]):
        path = f"responses[{index}]"
        network.schedule(item["at"], path, partial(_respond, network, item))
        network.schedule(network.now, path, partial(_add_evidence, network, item))
    for index, item in enumerate(network.file["adoptions"]):
        path = f"adoptions[{index}]"
        network.schedule(item["proposed"], path, partial(_propose, network, item))
        if item["adopted"]:
            network.schedule(item["adopted"], f"{path}.adopted", partial(_adopt, network, item))
        network.schedule(network.now, path, partial(_link, network, item))


def _recommendation(item: Item) -> Recommendation:
    """Return the recommendation of an item, found by its report and its reference or text.

    Raises `UnableToLoad` if there is no such recommendation.
    """
    has_reference_or_text = Q(reference__iexact=item["recommendation"]) | Q(text__iexact=item["recommendation"])
    recommendation = (
        Recommendation.objects.filter(has_reference_or_text, source__title__iexact=item["report"])
        .order_by("pk")
        .first()
    )
    if recommendation is None:
        raise UnableToLoad(
            f"there is no recommendation “{item['recommendation']}” in “{item['report']}”.",
            "Enter the report’s title, and the reference or text of the recommendation, as the site shows them.",
        )
    return recommendation


def _respond(network: Network, item: Item, now: dt.datetime) -> None:
    recommendation, organisation = _recommendation(item), network.organisations[item["organisation"]]
    response = Response.objects.filter(recommendation=recommendation, organisation=organisation).first()
    owner = network.people[item["owner"]] if item["owner"] else None
    respond(
        recommendation=recommendation,
        organisation=organisation,
        new_response=ResponseDetails(
            status=item["status"], reason=item["reason"], owner=owner, review_on=item["review_on"], note=item["note"]
        ),
        author=network.actor(item["by"]),
        now=now,
        revision=response.revision if response else 0,
    )


def _add_evidence(network: Network, item: Item, now: dt.datetime) -> None:
    organisation = network.organisations[item["organisation"]]
    response = Response.objects.get(recommendation=_recommendation(item), organisation=organisation)
    for kind, list_name in (("commitment", "commitments"), ("meeting", "meetings"), ("partnership", "partnerships")):
        for key in item[list_name]:
            record = network.recall(list_name, key)
            add_evidence(response=response, kind=kind, record=record.pk, author=network.actor(item["by"]), now=now)


def _adoption(network: Network, item: Item) -> Adoption:
    partnership = partnership_of(network, item["partnership"])
    return Adoption.objects.get(recommendation=_recommendation(item), partnership=partnership)


def _propose(network: Network, item: Item, now: dt.datetime) -> None:
    partnership = partnership_of(network, item["partnership"])
    assert partnership is not None  # required in the file
    propose_adoption(
        recommendation=_recommendation(item),
        partnership=partnership,
        why=item["why"],
        author=network.actor(item["by"]),
        now=now,
    )


def _adopt(network: Network, item: Item, now: dt.datetime) -> None:
    meeting = network.recall("meetings", item["meeting"])
    adopt(adoption=_adoption(network, item), meeting=meeting, author=network.actor(item["by"]), now=now)


def _link(network: Network, item: Item, now: dt.datetime) -> None:
    for list_name in ("objectives", "commitments"):
        for key in item[list_name]:
            outcome = network.recall(list_name, key)
            link_outcome(adoption=_adoption(network, item), record=outcome, author=network.actor(item["by"]), now=now)
