"""Loading a network from one file.

Its events are replayed in order of date through the rooms' own services.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import PurePath
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import DataError, IntegrityError, connection, transaction
from django.utils import timezone

from partnerships.activity.services import record
from partnerships.kit.dates import long_date
from partnerships.kit.rights import require
from partnerships.organisations import services as organisations
from partnerships.organisations.models import Area, Identifier, Organisation, Scheme, Status, SuccessionKind
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services.areas import keep_area
from partnerships.outbox.services import without_emails
from partnerships.people.models import User, confirm_address
from partnerships.people.services import person_for_address
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportRun, Register, RunStatus
from partnerships.transfer.network_format import read_network
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.reading.shapes import every
from partnerships.transfer.services.locking import wait_for_turn


@dataclass(order=True)
class Step:
    """An event at a moment; events of one moment keep the file's order."""

    at: dt.datetime
    order: int
    path: str = field(compare=False)
    play: Callable[[dt.datetime], None] = field(compare=False)


@dataclass
class Network:
    """What is loaded, by the file's keys, and the steps still to replay."""

    file: dict[str, Any]
    now: dt.datetime
    author: User | None
    demo: bool
    areas: dict[str, Area] = field(default_factory=dict)
    organisations: dict[str, Organisation] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    _orders: Iterator[int] = field(default_factory=count)

    @property
    def begins(self) -> dt.datetime:
        """When the network began: the age of its organisations and people."""
        begins: dt.datetime | None = self.file["begins"]
        return begins or self.now

    def by(self, key: str) -> User:
        """The person who acts; services check their rights.

        Raises `UnableToLoad` if the file names nobody.
        """
        if not key:
            raise UnableToLoad("it names nobody who did this.", "Add “by” with the key of a person.")
        return self.people[key]

    def bodies(self, keys: list[str]) -> list[Organisation]:
        """Organisations of the file."""
        return [self.organisations[key] for key in keys]

    def keep(self, kind: str, key: str, made: Any) -> None:
        """Store the object that a key of the file became."""
        self.made.setdefault(kind, {})[key] = made

    def found(self, kind: str, key: str, *, state: str = "there") -> Any:
        """The object that a key of the file became.

        Raises `UnableToLoad` if it is not in that state yet at this moment.
        """
        try:
            return self.made[kind][key]
        except KeyError:
            raise UnableToLoad(
                f"“{key.partition('/')[0]}” of “{kind}” is not {state} yet at this moment.", "Give it a later date."
            ) from None

    def then(self, at: dt.datetime, path: str, play: Callable[[dt.datetime], None]) -> None:
        """Replay this at its moment."""
        heapq.heappush(self.steps, Step(at, next(self._orders), path, play))


class UnableToLoad(Exception):
    """An entry in the file is not possible; says the problem and remedy."""

    def __init__(self, found: str, remedy: str) -> None:
        self.found, self.remedy = found, remedy
        super().__init__(f"{found} {remedy}")


Part = Callable[[Network], None]


def load_network(
    *,
    data: bytes,
    file_name: str,
    author: User | None,
    now: dt.datetime,
    parts: tuple[Part, ...],
    dry_run: bool = False,
    demo: bool = False,
) -> tuple[ImportRun, bool]:
    """Load all of a network file or nothing; the run, and whether it is new.

    Loading the same file again does nothing. With `demo`, every account gets the file's demonstration password. No
    emails are sent. Raises `UnableToRead` with every problem and its path.
    """
    file = read_network(data, now)
    digest = hashlib.sha256(data).hexdigest()
    with transaction.atomic():
        wait_for_turn()
        require(roles_of(author, now).keeps_directory)
        earlier = _earlier(file["name"])
        if earlier is not None and earlier.sha256 == digest:
            return earlier, False
        if earlier is not None:
            raise UnableToRead(
                [
                    Problem(
                        None,
                        "",
                        f"a network “{file['name']}” was loaded on {long_date(timezone.localdate(earlier.started_at))} "
                        "from another file.",
                        "A network is loaded once: change it in the program, or give the file another name.",
                        path="name",
                    )
                ]
            )
        network = Network(file, now, author, demo)
        waiting = list(connection.run_on_commit)
        with without_emails():
            counts = _play(network, parts)
        # Nudges would be about events of long ago.
        connection.run_on_commit = waiting
        run = ImportRun(
            register=Register.NETWORK,
            file_name=PurePath(file_name).name[:300],
            sha256=digest,
            as_of=timezone.localdate(now),
            created=sum(counts.values()),
            report={"network": file["name"], "counts": counts, "lines": {}, "remarks": []},
            started_at=now,
            finished_at=timezone.now(),
            by=author,
            status=RunStatus.APPLIED,
        )
        if dry_run:
            transaction.set_rollback(True)
        else:
            run.save(force_insert=True)
            record(
                actor_id=author.pk if author else None,
                kind=EventKind.NETWORK_LOADED,
                target_kind="import",
                target_id=run.pk,
                now=now,
                data={"title": str(run), "counts": counts},
            )
    return run, True


def _earlier(name: str) -> ImportRun | None:
    runs = ImportRun.objects.filter(register=Register.NETWORK, status=RunStatus.APPLIED, report__network=name)
    return runs.order_by("-started_at", "-pk").first()


def _play(network: Network, parts: tuple[Part, ...]) -> dict[str, int]:
    """Collect all steps, then replay them in order of date."""
    _areas(network)
    _organisations(network)
    _people(network)
    for part in parts:
        part(network)
    while network.steps:
        step = heapq.heappop(network.steps)
        with at(step.path):
            if step.at > network.now:
                raise UnableToLoad(
                    f"it happens on {long_date(step.at.date())}, after the loading.", "Give it a date that is past."
                )
            step.play(step.at)
    counts = {kind: len(network.file[kind]) for kind in LISTS if network.file[kind]}
    versions = sum(len(plan["versions"]) for plan in network.file["plans"])
    return {**counts, "versions": versions} if versions else counts


#: The lists of a file, in the order of the last line.
LISTS = (
    "organisations",
    "people",
    "memberships",
    "partnerships",
    "entries",
    "commitments",
    "conversations",
    "plans",
    "subscriptions",
)


@contextmanager
def at(path: str) -> Iterator[None]:
    """Add the place in the file to what a service refuses."""
    try:
        yield
    except UnableToLoad as error:
        raise UnableToRead([Problem(None, "", error.found, error.remedy, path=path)]) from error
    except UnableToRead:
        raise
    except ValidationError as error:
        raise UnableToRead([Problem(None, "", " ".join(error.messages), "Correct it.", path=path)]) from error
    except (DataError, IntegrityError) as error:
        found = str(error).splitlines()[0]
        raise UnableToRead([Problem(None, "", f"it cannot be stored: {found}.", "Correct it.", path=path)]) from error
    except Exception as error:
        # Services refuse with exceptions named UnableTo…; anything else is a bug.
        if not type(error).__name__.startswith("Unable"):
            raise
        raise UnableToRead([Problem(None, "", str(error), "Correct it, or its date.", path=path)]) from error


def _areas(network: Network) -> None:
    for place, item in enumerate(network.file["areas"]):
        with at(f"areas[{place}]"):
            known = Area.objects.filter(code=item["code"]).first()
            area = known or keep_area(code=item["code"], name=item["name"], kind=item["kind"])[0]
        network.areas[item["code"]] = area
    for place, item in enumerate(network.file["areas"]):
        area = network.areas[item["code"]]
        links = {
            name: network.areas[item[name]]
            for name in ("parent", "region")
            if item[name] and getattr(area, name) is None
        }
        if links:
            with at(f"areas[{place}]"):
                linked = keep_area(code=item["code"], **links)[0]  # type: ignore[arg-type]  # parent and region
            network.areas[item["code"]] = linked


def _organisations(network: Network) -> None:
    """Organisations are found by identifier, otherwise created."""
    for place, item in enumerate(network.file["organisations"]):
        with at(f"organisations[{place}]"):
            network.organisations[item["key"]] = _organisation(network, item)
    for place, item in enumerate(network.file["organisations"]):
        body = network.organisations[item["key"]]
        with at(f"organisations[{place}]"):
            if item["parent"]:
                organisations.update_organisation(
                    organisation=body,
                    parent=network.organisations[item["parent"]],
                    author=network.author,
                    now=network.begins,
                )
            if item["successors"] and not item["ended"]:
                raise UnableToLoad("it has successors, and no day on which it ended.", "Add “ended”.")
            if item["successors"]:
                organisations.record_succession(
                    kind=SuccessionKind.MERGE if len(item["successors"]) == 1 else SuccessionKind.SPLIT,
                    on=item["ended"],
                    predecessors=[body],
                    successors=network.bodies(item["successors"]),
                    author=network.author,
                    now=network.begins,
                )


def _organisation(network: Network, item: dict[str, Any]) -> Organisation:
    own = f"{network.file['name']}:{item['key']}"
    given = [(part["scheme"], part["value"]) for part in item["identifiers"]]
    held = {
        row.organisation
        for scheme, value in given
        for row in Identifier.objects.select_related("organisation").filter(scheme=scheme, value=value)
    }
    if len(held) > 1:
        raise UnableToLoad("its identifiers stand for several organisations in the directory.", "Correct them.")
    if held:
        return held.pop()
    areas = [network.areas[code] for code in item["areas"]]
    ended = item["ended"]
    return organisations.create_organisation(
        name=item["name"],
        kind=item["kind"],
        author=network.author,
        now=network.begins,
        identifiers=[*given, (Scheme.NETWORK, own)],
        names=[(name, "alternative") for name in item["names"]],
        areas=areas,
        region=network.areas[item["region"]] if item["region"] else _region(areas),
        status=Status.DISSOLVED if ended else Status.ACTIVE,
        valid_to=ended,
        **every(item, ("short_name", "council_type", "designation", "legal_form", "website", "valid_from")),
    )


def _region(areas: list[Area]) -> Area | None:
    regions = {area.region for area in areas if area.region is not None}
    return regions.pop() if len(regions) == 1 else None


def _people(network: Network) -> None:
    for place, item in enumerate(network.file["people"]):
        with at(f"people[{place}]"):
            network.people[item["key"]] = _person(network, item)
    for place, item in enumerate(network.file["memberships"]):
        path = f"memberships[{place}]"
        since = item["since"]
        begun = dt.datetime.combine(since, dt.time(), tzinfo=network.now.tzinfo) if since else network.begins

        def add(now: dt.datetime, item: dict[str, Any] = item) -> None:
            organisations.add_membership(
                organisation=network.organisations[item["organisation"]],
                person=network.people[item["person"]],
                role=item["role"],
                job_title=item["job_title"],
                author=network.author,
                now=now,
            )

        network.then(begun, path, add)


def _person(network: Network, item: dict[str, Any]) -> User:
    validate_email(item["email"])
    known = User.objects.filter(email__iexact=item["email"]).first()
    if known is not None:
        return known
    if not (item["account"] or item["administrator"]):
        return person_for_address(email=item["email"], name=item["name"])
    password: str | None = network.file["demo_password"] if network.demo else None
    if password is not None and len(password) < 12:
        raise UnableToLoad("there is no demonstration password of twelve characters.", "Set “demo_password”.")
    rights = {"is_staff": True, "is_superuser": True} if item["administrator"] else {}
    person = User.objects.create_user(
        item["email"], password, name=item["name"], account_since=network.begins, **rights
    )
    if password is None:
        confirm_address(person)  # so that they can set a password through “Forgotten your password?”
    return person
