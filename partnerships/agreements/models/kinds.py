"""Kinds of partnership, and the fields, tables and checks that administrators give their terms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Prefetch, Q, QuerySet

from partnerships.agreements.models.choices import NOTICE_DAYS
from partnerships.agreements.terms.declarations import (
    CHECKS,
    NEED_OTHER,
    NEED_TABLE,
    RESERVED,
    SHAPES,
    CheckDeclaration,
    Declarations,
    FieldDeclaration,
    TableDeclaration,
    declare,
    general_codes,
)
from partnerships.agreements.terms.schema import starter_error
from partnerships.kit.vocabularies import CODE, Vocabulary, forget, is_code

CODE_HELP = "Use a to z in lower case, digits and underscores. You cannot change the code later."


#: The longest lead time that people can choose, in days.
LONGEST_LEAD_TIME = 365


def usual_reminder_days() -> list[int]:
    """Return how many days before a date a new kind sends reminders, until an administrator changes them."""
    return [90, 60, 30, 7]


@pghistory.track()
class PartnershipKind(Vocabulary):
    """A kind of arrangement, such as a charter (docs/glossary.md)."""

    purpose = models.CharField(
        max_length=300,
        blank=True,
        help_text="Say in one sentence what the kind is for. People read it when they choose a kind.",
    )
    requires_review_date = models.BooleanField(
        "needs a review date",
        default=True,
        help_text="Tick if terms of this kind cannot be signed without a review date.",
    )
    needs_data_sharing = models.BooleanField(
        "shares personal data",
        default=False,
        help_text="Tick if partnerships of this kind share personal data. People can then open the data only while a "
        "signed data-sharing agreement is in force.",
    )
    gives_data_sharing = models.BooleanField(
        "is a data-sharing agreement",
        default=False,
        help_text="Tick if partnerships of this kind are data-sharing agreements. Once every party has signed one, "
        "people can open personal data.",
    )
    notice_days = models.PositiveSmallIntegerField(
        "notice period (days)",
        null=True,
        blank=True,
        validators=[MinValueValidator(NOTICE_DAYS[0]), MaxValueValidator(NOTICE_DAYS[-1])],
        help_text="Enter the notice period for the first draft of the terms. Leave this empty if there is none.",
    )
    reminder_days = ArrayField(
        models.PositiveSmallIntegerField(
            validators=[MinValueValidator(1), MaxValueValidator(LONGEST_LEAD_TIME)],
        ),
        default=usual_reminder_days,
        verbose_name="reminder days",
        help_text="Enter how many days before a date of the partnership we email its leads, for example 90, 60. An "
        "organisation can choose other days.",
    )

    class Meta:
        verbose_name = "partnership kind"

    @classmethod
    def rows_to_cache(cls) -> QuerySet[PartnershipKind]:
        """Return all kinds with their parts, so that a cached kind needs no further query.

        The parts are fields, tables, checks and clauses.
        """
        tables = Prefetch("tables", KindTable.objects.prefetch_related("columns"))
        checks = Prefetch("checks", KindCheck.objects.select_related("table"))
        return cls.objects.prefetch_related("fields", tables, checks, "starter_clauses")

    @property
    def declarations(self) -> Declarations:
        """Return the fields, tables and checks of new terms of this kind.

        A kind from `by_code` has them in memory, so this makes no query.
        """
        return declare(
            self.code,
            self.label,
            review_date=self.requires_review_date,
            fields=[field.declaration for field in in_use(self.fields.all())],
            # A table without columns has nothing to fill in.
            tables=[table.declaration for table in in_use(self.tables.all()) if table.columns_in_use],
            checks=[check.declaration for check in in_use(self.checks.all())],
        )

    @property
    def starters(self) -> dict[str, Any]:
        """Return the starting values for the fields of first terms, by the code of the field."""
        return {field.code: field.starter for field in in_use(self.fields.all()) if field.starter}

    @property
    def clauses(self) -> list[dict[str, str]]:
        """Return the starting clauses of first terms, each with title and body."""
        return [{"title": clause.title, "body": clause.body} for clause in in_use(self.starter_clauses.all())]


class KindPart(models.Model):
    """A field, table, check or clause in the terms of a kind. It can be retired, but never deleted.

    A change here affects new terms only, because each version stores the declarations with which it was published.
    """

    position = models.PositiveSmallIntegerField(
        default=0, help_text="Enter a number. Lower numbers come first, in forms and in print."
    )
    active = models.BooleanField(
        "in use",
        default=True,
        help_text="Untick to leave this part out of new terms. Earlier versions still show it.",
    )

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and drop this process's cache of the kinds."""
        super().save(*args, **kwargs)
        forget(PartnershipKind)
        # Drop the cache again after the commit, because until then another thread may have cached the old rows.
        transaction.on_commit(lambda: forget(PartnershipKind), robust=True)


Part = TypeVar("Part", bound=KindPart)


def in_use(parts: Iterable[Part]) -> list[Part]:
    """Return the parts that are not retired, by position."""
    return sorted((part for part in parts if part.active), key=lambda part: (part.position, part.pk))


def _refuse_reserved(code: str) -> None:
    """Raise `ValidationError` for a code that a part of all terms has."""
    if code in RESERVED:
        raise ValidationError({"code": f"All terms have a part with the code “{code}”. Enter another code."})


@pghistory.track()
class KindTable(KindPart):
    """A table in the terms of a kind, such as the lots of a panel."""

    kind = models.ForeignKey(PartnershipKind, on_delete=models.PROTECT, related_name="tables")
    code = models.CharField(max_length=40, validators=[CODE], help_text=CODE_HELP)
    label = models.CharField(max_length=120, help_text="Enter the name of the whole table, for example “Lots”.")
    one = models.CharField(
        "one row", max_length=60, help_text="Enter the name of one row in lower case, for example “lot”."
    )
    help = models.CharField(max_length=300, blank=True)
    required = models.BooleanField(
        "needs at least one row",
        default=False,
        help_text="Tick if the terms cannot be signed while the table is empty.",
    )

    class Meta:
        verbose_name = "table of a kind"
        verbose_name_plural = "tables of kinds"
        constraints = [models.UniqueConstraint(fields=["kind", "code"], name="unique_table_code_per_kind")]

    def __str__(self) -> str:
        return self.label

    def clean(self) -> None:
        """Refuse a code that a part of all terms has."""
        _refuse_reserved(self.code)

    @property
    def columns_in_use(self) -> list[KindField]:
        """Return the columns that are not retired, in order."""
        return in_use(self.columns.all())

    @property
    def declaration(self) -> TableDeclaration:
        """Return the table as terms store it."""
        declared: TableDeclaration = {
            "code": self.code,
            "label": self.label,
            "one": self.one,
            "help": self.help,
            "required": self.required,
            "fields": [column.declaration for column in self.columns_in_use],
        }
        return declared


@pghistory.track()
class KindField(KindPart):
    """A field in the terms of a kind, or a column of one of its tables."""

    kind = models.ForeignKey(PartnershipKind, on_delete=models.PROTECT, related_name="fields", null=True, blank=True)
    table = models.ForeignKey(KindTable, on_delete=models.PROTECT, related_name="columns", null=True, blank=True)
    code = models.CharField(max_length=40, validators=[CODE], help_text=CODE_HELP)
    label = models.CharField(max_length=120)
    shape = models.CharField("type of content", max_length=10, choices=SHAPES)
    choices = models.TextField(
        blank=True,
        help_text="For a field with choices, enter each choice on its own line: a code, a colon and a label. For "
        "example, “rent: Social rent”.",
    )
    help = models.CharField(max_length=300, blank=True, help_text="Enter a hint. People see it below the field.")
    required = models.BooleanField(default=False, help_text="Tick if the terms cannot be signed without this field.")
    starter = models.TextField(
        "starting text",
        max_length=2000,
        blank=True,
        help_text="Enter what this field says in the first draft of the terms, if anything. Leave this empty for a "
        "column of a table.",
    )

    class Meta:
        verbose_name = "field of a kind"
        verbose_name_plural = "fields of kinds"
        constraints = [
            models.UniqueConstraint(fields=["kind", "code"], name="unique_field_code_per_kind"),
            models.UniqueConstraint(fields=["table", "code"], name="unique_column_code_per_table"),
            models.CheckConstraint(
                condition=Q(kind=None, table__isnull=False) | Q(kind__isnull=False, table=None),
                name="kind_field_belongs_to_kind_or_table",
            ),
            models.CheckConstraint(
                condition=Q(shape="choice") ^ Q(choices=""),
                name="kind_field_choices_only_if_choice",
                violation_error_message="Enter choices if the type is “One of several choices”. Leave them empty for "
                "other types.",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    def clean(self) -> None:
        """Refuse codes that all terms use, and choices whose codes are missing, invalid or repeated."""
        if self.table_id is None:
            _refuse_reserved(self.code)
            if self.code in general_codes():
                raise ValidationError(
                    {"code": f"All terms have a field with the code “{self.code}”. Enter another code."}
                )
        if self.starter:
            self._check_starter()
        codes = [code for code, _ in self.pairs]
        if len(set(codes)) < len(codes) or not all(is_code(code) for code in codes):
            raise ValidationError(
                {
                    "choices": "Enter each choice on its own line: a code, a colon and a label, for example “rent: "
                    "Social rent”. Use each code once."
                }
            )

    def _check_starter(self) -> None:
        """Refuse a starting value for a column, and a value that the field cannot contain."""
        if self.table_id is not None:
            raise ValidationError(
                {"starter": "A column of a table cannot have a starting text. Leave this field empty."}
            )
        if error := starter_error(self.declaration, self.starter):
            raise ValidationError({"starter": error})

    @property
    def pairs(self) -> list[list[str]]:
        """Return the code and label of each choice."""
        lines = (line.partition(":") for line in self.choices.splitlines() if line.strip())
        return [[code.strip(), label.strip() or code.strip()] for code, _, label in lines]

    @property
    def declaration(self) -> FieldDeclaration:
        """Return the field as terms store it."""
        declared: FieldDeclaration = {
            "code": self.code,
            "label": self.label,
            "shape": self.shape,  # type: ignore[typeddict-item]  # one of SHAPES
            "help": self.help,
            "required": self.required,
        }
        return {**declared, "choices": self.pairs} if self.shape == "choice" else declared


@pghistory.track()
class KindCheck(KindPart):
    """A check before terms of a kind can be signed."""

    kind = models.ForeignKey(PartnershipKind, on_delete=models.PROTECT, related_name="checks")
    check_name = models.CharField("check", max_length=20, choices=CHECKS)
    table = models.ForeignKey(
        KindTable,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Choose the table to check. Leave this empty to check fields of the terms.",
    )
    field = models.CharField(max_length=40, help_text="Enter the code of the field or column to check.")
    other = models.CharField(
        max_length=40, blank=True, help_text="Enter the code of the second field, if the check needs one."
    )

    class Meta:
        verbose_name = "check of a kind"
        verbose_name_plural = "checks of kinds"

    def __str__(self) -> str:
        return self.get_check_name_display()

    def clean(self) -> None:
        """Refuse a check of fields that the kind does not have."""
        if self.kind_id and self.table and self.table.kind_id != self.kind_id:
            raise ValidationError({"table": "This table belongs to another kind. Choose a table of this kind."})
        if self.check_name in NEED_OTHER and not self.other:
            raise ValidationError({"other": "This check compares two fields. Enter the code of the second."})
        if self.check_name in NEED_TABLE and not self.table:
            raise ValidationError({"table": "This check looks at a column. Choose its table."})
        if self.kind_id:
            self._check_codes()

    def _check_codes(self) -> None:
        """Refuse codes of fields that the kind or the table does not have."""
        codes_of_terms = general_codes() | {field.code for field in self.kind.fields.all()}
        field_codes = {column.code for column in self.table.columns.all()} if self.table else codes_of_terms
        # The check "total_not_above" compares a column with a field of the terms. Other checks compare two fields of
        # the terms, or two columns of one table.
        other_codes = codes_of_terms if self.check_name == "total_not_above" else field_codes
        for name, code, allowed_codes in (("field", self.field, field_codes), ("other", self.other, other_codes)):
            if code and code not in allowed_codes:
                raise ValidationError(
                    {name: f"There is no field with the code “{code}”. Add the field and save first."}
                )

    @property
    def declaration(self) -> CheckDeclaration:
        """Return the check as terms store it."""
        return {
            "check": self.check_name,  # type: ignore[typeddict-item]  # one of CHECKS
            "table": self.table.code if self.table else "",
            "field": self.field,
            "other": self.other,
        }


@pghistory.track()
class StarterClause(KindPart):
    """A clause in the first draft of the terms of a kind."""

    kind = models.ForeignKey(PartnershipKind, on_delete=models.PROTECT, related_name="starter_clauses")
    title = models.CharField(max_length=200)
    body = models.TextField(max_length=10_000, help_text="Use plain English. You can use Markdown.")

    class Meta:
        verbose_name = "starter clause"

    def __str__(self) -> str:
        return self.title
