"""Fetches the record or the upload that a page is about.

The functions raise Http404 if the person may not see it, and PermissionDenied if they may not import.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone

from partnerships.agreements.models import Partnership, Party
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.plans.models import Plan
from partnerships.plans.queries import draft_content, newest_version_for
from partnerships.spreadsheets.models import Upload
from partnerships.spreadsheets.services.kinds import KINDS, SheetKind, Target, kinds_of
from partnerships.spreadsheets.services.reading import upload_target


@dataclass(frozen=True, slots=True)
class Subject:
    """The record that spreadsheets are about, as one person sees the record."""

    #: The kind of record in URLs, which is plan, partnership or organisation.
    record: str
    target: Target
    person: User
    #: The parties of the partnership that the person can act for, if there are several.
    parties: tuple[Organisation, ...] = ()

    @property
    def query(self) -> str:
        """The query string of links to this record, with the party that the person acts for if they can choose one."""
        party = self.target.organisation
        return f"?party={party.pk}" if self.parties and party is not None else ""

    @property
    def pk(self) -> int:
        """The primary key of the record."""
        return int(self._record.pk)

    @property
    def back(self) -> str:
        """The URL of the record's own page."""
        return str(self._record.get_absolute_url())

    @property
    def _record(self) -> Plan | Partnership | Organisation:
        """Return the plan, partnership or organisation. The target of a partnership also has an organisation."""
        record = self.target.plan or self.target.partnership or self.target.organisation
        assert record is not None  # a target always has a record
        return record

    def may_import(self, kind: SheetKind) -> bool:
        """Return whether the person may import rows of this kind."""
        return kind.may_import(self.target, self.person, timezone.now())


def find_subject(request: HttpRequest, record: str, pk: str) -> Subject:
    """Return the plan, partnership or organisation if the person may read it. Otherwise raises Http404."""
    person = signed_in(request)
    if record == "partnership":
        return _find_partnership(person, pk, party=request.GET.get("party", ""))
    if record == "organisation":
        organisation = get_object_or_404(Organisation.objects.of_person(person), pk=pk)
        return Subject(record=record, target=Target(organisation=organisation), person=person)
    return _find_plan(person, pk)


def _find_partnership(person: User, pk: str, *, party: str) -> Subject:
    """Return the partnership, and the party with this id as the one that the person acts for.

    Without an id, it is the first party that the person can act for.
    """
    partnership = get_object_or_404(Partnership.objects.visible_to(person), pk=pk)
    organisations = _organisations_to_act_for(person, partnership)
    matching_organisations = [organisation for organisation in organisations if party in ("", str(organisation.pk))]
    if not matching_organisations:
        raise Http404
    return Subject(
        record="partnership",
        target=Target(partnership=partnership, organisation=matching_organisations[0]),
        person=person,
        parties=tuple(organisations) if len(organisations) > 1 else (),
    )


def _find_plan(person: User, pk: str) -> Subject:
    """Return the plan, if the person may read its published content or edit its draft."""
    readable = Plan.objects.for_listing().visible_to(person) | Plan.objects.for_listing().draft_visible_to(person)
    plan = readable.filter(pk=pk).first()
    if plan is None or not _has_content(person, plan):
        raise Http404
    return Subject(record="plan", target=Target(plan=plan), person=person)


def _organisations_to_act_for(person: User, partnership: Partnership) -> list[Organisation]:
    """Return the present parties that the person can edit for, a leading party first.

    If the person can edit for none of their parties, return one of these. Raises Http404 if they have none.
    """
    own_parties = Party.objects.accepted().filter(
        partnership=partnership, organisation__in=Organisation.objects.of_person(person)
    )
    parties = list(own_parties.select_related("organisation").order_by("organisation__name", "pk"))
    if not parties:
        raise Http404
    role_by_organisation = Membership.objects.roles_of(person)
    editable = [party for party in parties if role_by_organisation.get(party.organisation_id) in EDITING_ROLES]
    first = min(editable or parties, key=lambda party: (not party.is_leading, party.pk))
    return [first.organisation, *(party.organisation for party in editable if party != first)]


def _has_content(person: User, plan: Plan) -> bool:
    """Return whether the person may read a version of the plan, or edit its draft."""
    return Plan.objects.editable_by(person).filter(pk=plan.pk).exists() or newest_version_for(person, plan) is not None


def find_kind(subject: Subject, code: str) -> SheetKind:
    """Return the kind of spreadsheet if the record has it. Otherwise raises Http404."""
    kind = KINDS.get(code)
    if kind is None or kind not in kinds_of(subject.target):
        raise Http404
    return kind


def find_to_import(request: HttpRequest, record: str, pk: str, code: str) -> tuple[Subject, SheetKind]:
    """Return the record and the kind of spreadsheet if the person may import it.

    Otherwise raises Http404 or PermissionDenied. The parameter `site` of the URL is the key of the site that all rows
    are about.
    """
    subject = find_subject(request, record, pk)
    kind = find_kind(subject, code)
    if not subject.may_import(kind):
        raise PermissionDenied

    site = request.GET.get("site", "")
    plan = subject.target.plan
    if not site or plan is None:
        return subject, kind
    if site not in {item["key"] for item in draft_content(plan)["sites"]}:
        raise Http404
    return replace(subject, target=replace(subject.target, site=site)), kind


def find_upload(request: HttpRequest, pk: int) -> tuple[Upload, SheetKind]:
    """Return the person's own upload and its kind if they may still import into its record.

    Otherwise raises Http404 or PermissionDenied.
    """
    person = signed_in(request)
    upload = get_object_or_404(Upload.objects.visible_to(person).for_listing(), pk=pk)
    kind = KINDS[upload.kind]
    if not kind.may_import(upload_target(upload), person, timezone.now()):
        raise PermissionDenied
    return upload, kind
