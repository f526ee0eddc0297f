"""The names and identifiers by which people find organisations."""

from __future__ import annotations

import datetime as dt
import re

import pghistory
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F

from partnerships.organisations.models.organisation import Kind, Organisation


class NameKind(models.TextChoices):
    """The kinds of name that an organisation can have."""

    OFFICIAL = "official", "Official"
    SHORT = "short", "Short"
    ALTERNATIVE = "alternative", "Alternative"
    FORMER = "former", "Former"
    FORMER_SHORT = "former_short", "Former short name"


@pghistory.track()
class OrganisationName(models.Model):
    """A name by which people find an organisation."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="names")
    name = models.CharField(max_length=300)
    #: The normalised form that matching compares.
    folded = models.CharField(max_length=300)
    kind = models.CharField(max_length=12, choices=NameKind)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="unique_name_per_organisation")]
        indexes = [
            GinIndex(OpClass(F("folded"), name="gin_trgm_ops"), name="organisation_name_trgm"),
            models.Index(fields=["folded"], name="organisation_name_folded"),
        ]

    def __str__(self) -> str:
        return self.name


class Scheme(models.TextChoices):
    """The schemes of identifiers, each with one issuing body."""

    GSS = "gss", "GSS code"
    LOCAL_AUTHORITY = "local-authority", "Local authority key"
    RSH = "rsh", "Regulator of Social Housing registration number"
    PLANNING_DATA = "planning-data", "Planning data entity"
    PLANNING_AREA = "planning-area", "Code of its area as planning authority"
    LEP = "lep", "LEP code"
    COMPANY = "company", "Company number"
    CHARITY = "charity", "Charity number"
    MUTUALS = "mutuals", "Mutuals register number"
    ODS = "ods", "NHS organisation code"
    NETWORK = "network", "Key in a loaded network file"
    LOCAL_AUTHORITY_FORMER = "former-key", "Former or other key"


#: The body or register that allocates the identifiers of each scheme.
ALLOCATORS = {
    Scheme.GSS: "Office for National Statistics",
    Scheme.LOCAL_AUTHORITY: "register of local authorities in England",
    Scheme.RSH: "Regulator of Social Housing",
    Scheme.PLANNING_DATA: "Ministry of Housing, Communities and Local Government",
    Scheme.PLANNING_AREA: "Office for National Statistics",
    Scheme.LEP: "Office for National Statistics",
    Scheme.COMPANY: "Companies House",
    Scheme.CHARITY: "Charity Commission for England and Wales",
    Scheme.MUTUALS: "Financial Conduct Authority",
    Scheme.ODS: "NHS England",
}
#: The codes that org-id.guide lists for our schemes. It lists no code for LEPs and combined authorities.
ORG_ID_LISTS = {
    Scheme.LOCAL_AUTHORITY: "GB-LAE",
    Scheme.RSH: "GB-SHPE",
    Scheme.COMPANY: "GB-COH",
    Scheme.CHARITY: "GB-CHC",
    Scheme.MUTUALS: "GB-MPR",
    Scheme.ODS: "GB-NHS",
}


#: Patterns that recognise the scheme of a typed identifier. Each row has the scheme, the kinds of organisation with
#: such identifiers (empty for all kinds), and the pattern.
_PATTERNS: tuple[tuple[Scheme, frozenset[str], str], ...] = (
    (Scheme.GSS, frozenset({Kind.COUNCIL, Kind.STRATEGIC_AUTHORITY}), r"E(06|07|08|09|10|47)\d{6}"),
    (Scheme.LEP, frozenset({Kind.LEP}), r"E37\d{6}"),
    (Scheme.RSH, frozenset({Kind.REGISTERED_PROVIDER}), r"(LH|SL|L|H|C|A)?\d{4}"),
    (Scheme.MUTUALS, frozenset(), r"(IP|SP|RS)\d{5,6}R?|\d{4,5}R"),
    (Scheme.COMPANY, frozenset(), r"(\d{2}|OC|SC|NI|SO)\d{6}"),
    (Scheme.CHARITY, frozenset({Kind.CHARITY}), r"\d{6,7}"),
)


def scheme_of(value: str, *, kind: str) -> str:
    """Return the scheme of an identifier that a person typed; "" if no scheme or more than one matches."""
    matching_schemes = [
        scheme for scheme, kinds, pattern in _PATTERNS if (not kinds or kind in kinds) and re.fullmatch(pattern, value)
    ]
    return matching_schemes[0] if len(matching_schemes) == 1 else ""


def parse_org_id(text: str) -> tuple[str, str]:
    """Return the scheme and value of an org-id such as `GB-COH-01234567`; two empty strings if it is not valid."""
    org_id = text.strip().upper()
    for scheme, code in ORG_ID_LISTS.items():
        if org_id.startswith(f"{code}-"):
            return str(scheme), org_id.removeprefix(f"{code}-")
    return "", ""


@pghistory.track()
class Identifier(models.Model):
    """An organisation's code in one scheme, always stored as text, for example `45UB` or `5069`."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="identifiers")
    scheme = models.CharField(max_length=20, choices=Scheme)
    value = models.CharField(max_length=80)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scheme", "value"],
                name="unique_identifier_per_scheme",
                violation_error_message="Another organisation already has this identifier. Check the number. If both "
                "records are the same organisation, merge them.",
            )
        ]
        indexes = [GinIndex(OpClass(F("value"), name="gin_trgm_ops"), name="identifier_value_trgm")]

    def __str__(self) -> str:
        return f"{self.get_scheme_display()} {self.value}"

    def is_valid_on(self, day: dt.date) -> bool:
        """Return True if the identifier belongs to the organisation on a day.

        `valid_to` is the first day on which it no longer does.
        """
        has_started = self.valid_from is None or self.valid_from <= day
        has_ended = self.valid_to is not None and self.valid_to <= day
        return has_started and not has_ended

    @property
    def allocator(self) -> str:
        """Return the body that issued the identifier.

        Empty for our own keys, for former keys and in the demonstration network. Fetch the organisation with
        `select_related`.
        """
        return "" if self.organisation.is_demonstration else ALLOCATORS.get(Scheme(self.scheme), "")

    @property
    def org_id(self) -> str:
        """Return the identifier as org-id.guide writes it; "" if org-id.guide lists no code for the scheme.

        Fetch the organisation with `select_related`.
        """
        if self.organisation.is_demonstration:
            return ""
        list_code = ORG_ID_LISTS.get(Scheme(self.scheme), "")
        # The org-id list of local authorities in England contains only councils.
        if list_code == "GB-LAE" and self.organisation.kind != Kind.COUNCIL:
            return ""
        return f"{list_code}-{self.value}" if list_code else ""
