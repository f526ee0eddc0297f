"""Pages for a person's saved filters."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.exchange import services
from partnerships.exchange.forms.filters import FilterForm, SavedFilterForm
from partnerships.exchange.models import SavedFilter
from partnerships.kit.forms import active_filters
from partnerships.kit.http import posted
from partnerships.people.form_steps import take_step
from partnerships.people.requests import signed_in


@require_safe
def saved(request: HttpRequest) -> HttpResponse:
    """The person's saved filters."""
    filters = SavedFilter.objects.visible_to(signed_in(request)).order_by("name", "pk")
    return render(request, "exchange/saved.html", {"filters": filters})


@require_http_methods(["GET", "HEAD", "POST"])
def save_filter(request: HttpRequest) -> HttpResponse:
    """Save the filter in the page's address under a name."""
    board = FilterForm(QueryDict(request.META.get("QUERY_STRING", "")))
    chips = active_filters(board, request.GET)
    form = SavedFilterForm(posted(request))

    def step() -> tuple[str, str]:
        query = QueryDict(mutable=True)
        for name in board.fields:
            query.setlist(name, request.GET.getlist(name))
        made = services.save_filter(
            person=signed_in(request),
            name=form.cleaned_data["name"],
            tells=form.cleaned_data["tells"],
            query=query.urlencode(),
            filters=board.filters(),
            now=timezone.now(),
        )
        emailing = " You will get an email when something new matches." if made.tells else ""
        return f"“{made.name}” is saved.{emailing}", reverse("exchange:saved")

    return take_step(request, "exchange/save_filter.html", form, step, {services.UnableToSaveFilter: None}, chips=chips)


@require_POST
def tell(request: HttpRequest, pk: int) -> HttpResponse:
    """Turn the emails about a saved filter on or off."""
    user = signed_in(request)
    saved = get_object_or_404(SavedFilter.objects.visible_to(user), pk=pk)
    services.set_filter_emails(saved=saved, tells=bool(request.POST.get("tells")), person=user)
    if saved.tells:
        messages.success(request, f"You will get an email when something new matches “{saved.name}”.")
    else:
        messages.success(request, f"You will no longer get emails about “{saved.name}”.")
    return redirect("exchange:saved")


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a saved filter."""
    user = signed_in(request)
    saved = get_object_or_404(SavedFilter.objects.visible_to(user), pk=pk)
    services.remove_filter(saved=saved, person=user)
    messages.success(request, f"“{saved.name}” is removed.")
    return redirect("exchange:saved")
