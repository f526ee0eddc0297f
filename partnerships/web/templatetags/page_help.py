"""The link to the help about the present page."""

from __future__ import annotations

from django import template
from django.template.context import Context
from django.urls import reverse

from partnerships.web.page_help import topic_of

register = template.Library()


@register.simple_tag(takes_context=True)
def page_help_url(context: Context) -> str:
    """Return the URL of the help about this page; of the general help for a page that was not found."""
    request = context.get("request")
    match = request.resolver_match if request else None
    topic = topic_of(match.view_name) if match else None
    return reverse("web:page-help", args=[topic.key]) if topic else reverse("web:help")
