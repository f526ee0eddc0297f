"""Pages on which administrators find and merge duplicate organisations.

`require` answers 403 if its condition is false.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.duplicates import merges_in_force, possible_duplicates
from partnerships.organisations.forms import ReasonForm
from partnerships.organisations.models import Merge, Organisation
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services import (
    UnableToMerge,
    keep_apart,
    merge_organisations,
    preview_merge,
    undo_merge,
)
from partnerships.people.models import User
from partnerships.people.requests import signed_in


def _administrator_or_403(request: HttpRequest) -> User:
    """Return the signed-in person if they may change the directory of organisations; raise 403 for anyone else."""
    user = signed_in(request)
    require(roles_of(user, timezone.now()).may_change_directory)
    return user


def _pair_or_404(pk: int, other: int) -> tuple[Organisation, Organisation]:
    """Return two organisations that have not been merged into other records."""
    organisations = Organisation.objects.not_merged().prefetch_related("identifiers")
    return get_object_or_404(organisations, pk=pk), get_object_or_404(organisations, pk=other)


@require_safe
def duplicates(request: HttpRequest) -> HttpResponse:
    """Show the possible duplicates and the merges in force."""
    _administrator_or_403(request)
    context = {"pairs": possible_duplicates(), "merges": merges_in_force()}
    return render(request, "organisations/duplicates.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def merge_pair(request: HttpRequest, pk: int, other: int) -> HttpResponse:
    """Show the rows that would move if another organisation were merged into this one. On POST, merge them."""
    user = _administrator_or_403(request)
    kept_organisation, merged_organisation = _pair_or_404(pk, other)
    list_url = reverse("organisations:duplicates")
    form = ReasonForm(post_data(request), submit="Merge records", cancel=list_url)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToMerge):
            merge_organisations(
                kept=kept_organisation, merged=merged_organisation, author=user, now=timezone.now(), **form.cleaned_data
            )
            messages.success(request, f"{merged_organisation.name} has been merged into {kept_organisation.name}.")
            return redirect(kept_organisation)

    return form_page(
        request,
        "organisations/merge.html",
        form,
        kept=kept_organisation,
        merged=merged_organisation,
        bodies=[(kept_organisation, "Record to keep"), (merged_organisation, "Record to merge into it")],
        preview=preview_merge(kept=kept_organisation, merged=merged_organisation),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def not_the_same(request: HttpRequest, pk: int, other: int) -> HttpResponse:
    """Record that two organisations are not duplicates, with a reason."""
    user = _administrator_or_403(request)
    first, second = _pair_or_404(pk, other)
    list_url = reverse("organisations:duplicates")
    form = ReasonForm(post_data(request), submit="Keep both records", cancel=list_url, danger=False)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToMerge):
            keep_apart(one=first, other=second, author=user, now=timezone.now(), **form.cleaned_data)
            messages.success(request, f"{first.name} and {second.name} are no longer listed as possible duplicates.")
            return redirect(list_url)

    return form_page(request, "organisations/not_the_same.html", form, one=first, other=second)


@require_http_methods(["GET", "HEAD", "POST"])
def merge_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo a merge. The message says how many changed records the kept organisation still has."""
    user = _administrator_or_403(request)
    merge_to_undo = get_object_or_404(Merge.objects.in_force().select_related("kept", "merged"), pk=pk)
    kept, merged = merge_to_undo.kept, merge_to_undo.merged
    form = ReasonForm(post_data(request), submit="Undo merge", cancel=reverse("organisations:duplicates"))

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToMerge):
            remaining_count = undo_merge(merge=merge_to_undo, author=user, now=timezone.now(), **form.cleaned_data)
            message = f"{merged.name} is a separate organisation again."
            if remaining_count:
                changed_records = f"{remaining_count} record{pluralize(remaining_count)} changed since the merge"
                message += f" {kept.name} keeps {changed_records}."
            messages.success(request, message)
            return redirect(merged)

    return form_page(request, "organisations/undo_merge.html", form, merge=merge_to_undo)
