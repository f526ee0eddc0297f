"""The names and identifiers by which organisations are found."""

from __future__ import annotations

import datetime as dt
import re

import pghistory
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F

from partnerships.organisations.models.organisation import Kind, Organisation


class NameKind(models.TextChoices):
    """The kind of name."""

    OFFICIAL = "official", "Official"
    SHORT = "short", "Short"
    ALTERNATIVE = "alternative", "Alternative"
    FORMER = "former", "Former"
    FORMER_SHORT = "former_short", "Former short name"


@pghistory.track()
class OrganisationName(models.Model):
    """Every name by which an organisation can be found.

    `folded` is the normalised form that search and matching compare.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="names")
    name = models.CharField(max_length=300)
    folded = models.CharField(max_length=300)
    kind = models.CharField(max_length=12, choices=NameKind)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="one_row_a_name")]
        indexes = [
            GinIndex(OpClass(F("folded"), name="gin_trgm_ops"), name="organisation_name_trgm"),
            models.Index(fields=["folded"], name="organisation_name_folded"),
        ]

    def __str__(self) -> str:
        return self.name


class Scheme(models.TextChoices):
    """The body that issues the identifier."""

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


#: Who allocates the identifiers of a scheme.
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
#: Codes of org-id.guide for the schemes that it lists. It lists none for LEPs and combined authorities.
ORG_ID_LISTS = {
    Scheme.LOCAL_AUTHORITY: "GB-LAE",
    Scheme.RSH: "GB-SHPE",
    Scheme.COMPANY: "GB-COH",
    Scheme.CHARITY: "GB-CHC",
    Scheme.MUTUALS: "GB-MPR",
    Scheme.ODS: "GB-NHS",
}


#: How a number given by hand is recognised: the scheme, the kinds of body it is for (none: any), and its form.
_FORMS: tuple[tuple[Scheme, frozenset[str], str], ...] = (
    (Scheme.GSS, frozenset({Kind.COUNCIL, Kind.STRATEGIC_AUTHORITY}), r"E(06|07|08|09|10|47)\d{6}"),
    (Scheme.LEP, frozenset({Kind.LEP}), r"E37\d{6}"),
    (Scheme.RSH, frozenset({Kind.REGISTERED_PROVIDER}), r"(LH|SL|L|H|C|A)?\d{4}"),
    (Scheme.MUTUALS, frozenset(), r"(IP|SP|RS)\d{5,6}R?|\d{4,5}R"),
    (Scheme.COMPANY, frozenset(), r"(\d{2}|OC|SC|NI|SO)\d{6}"),
    (Scheme.CHARITY, frozenset({Kind.CHARITY}), r"\d{6,7}"),
)


def scheme_of(number: str, *, kind: str) -> str:
    """The scheme of a number that somebody typed, by its form. Empty if it could be of several or none."""
    fitting = [scheme for scheme, kinds, form in _FORMS if (not kinds or kind in kinds) and re.fullmatch(form, number)]
    return fitting[0] if len(fitting) == 1 else ""


def of_org_id(text: str) -> tuple[str, str]:
    """Scheme and number in an org-id such as `GB-COH-01234567`. Empty if it is none."""
    org_id = text.strip().upper()
    for scheme, code in ORG_ID_LISTS.items():
        if org_id.startswith(f"{code}-"):
            return str(scheme), org_id.removeprefix(f"{code}-")
    return "", ""


@pghistory.track()
class Identifier(models.Model):
    """A number or code of one organisation in one scheme.

    It is always text, such as `45UB` or `5069`.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="identifiers")
    scheme = models.CharField(max_length=20, choices=Scheme)
    value = models.CharField(max_length=80)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scheme", "value"],
                name="one_organisation_an_identifier",
                violation_error_message="Another organisation already has this identifier.",
            )
        ]
        indexes = [GinIndex(OpClass(F("value"), name="gin_trgm_ops"), name="identifier_value_trgm")]

    def __str__(self) -> str:
        return f"{self.get_scheme_display()} {self.value}"

    def is_valid_on(self, day: dt.date) -> bool:
        """Whether it is the organisation's on a day.

        It ends the day before `valid_to`.
        """
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day < self.valid_to)

    @property
    def allocator(self) -> str:
        """Who allocated it.

        Empty for keys of our own, old ones and those of the demonstration. The organisation must be fetched already.
        """
        return "" if self.organisation.is_demonstration else ALLOCATORS.get(Scheme(self.scheme), "")

    @property
    def org_id(self) -> str:
        """The identifier as org-id.guide writes it; empty without a list there.

        The organisation must be fetched already.
        """
        code = ORG_ID_LISTS.get(Scheme(self.scheme), "")
        if (
            not code
            or self.organisation.is_demonstration
            or (code == "GB-LAE" and self.organisation.kind != Kind.COUNCIL)
        ):
            return ""
        return f"{code}-{self.value}"
