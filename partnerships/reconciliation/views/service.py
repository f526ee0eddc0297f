"""The decorator of all endpoints, with open access for other sites, rate limits, and errors as JSON."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from partnerships.people.limits import refuse_too_many
from partnerships.reconciliation.reading import TooMany, UnableToRead

View = Callable[..., HttpResponse]


class TooOften(Exception):
    """Raised if the person or the address has asked for too many names. `response` has status 429."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__("Too many names.")
        self.response = response


def too_many_names(request: HttpRequest, *, names: int = 1) -> HttpResponse | None:
    """Count the names in a request, or one page of a body.

    Returns a response with status 429 if the person or the address is above the limit, otherwise None.
    """
    limit = settings.RECONCILIATION_NAMES_PER_MINUTE
    return refuse_too_many(request, "reconciliation", limit=limit, stretch=dt.timedelta(minutes=1), amount=names)


def count_names(request: HttpRequest, batch_size: int) -> None:
    """Count the names or bodies of a batch, except the first, which was counted with the request. Raises `TooOften`."""
    if batch_size > 1:
        response = too_many_names(request, names=batch_size - 1)
        if response is not None:
            raise TooOften(response)


def public_service(*methods: str) -> Callable[[View], View]:
    """Make a view an endpoint of the service, with these methods.

    Everyone may call the endpoint, and so may scripts of other sites (CORS), because it shows only public facts and
    reads no cookie. Errors are returned as JSON. The status is 400 for `UnableToRead`, 404 for `Http404`, 413 for a
    batch that is too large, and 429 for too many names.
    """
    allowed_methods = (*methods, "HEAD", "OPTIONS") if "GET" in methods else (*methods, "OPTIONS")

    def decorate(view: View) -> View:
        """Check the method and the limit before the view, and add the CORS headers to every response."""

        @csrf_exempt
        @login_not_required
        @wraps(view)
        def endpoint(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if request.method not in allowed_methods:
                response: HttpResponse = HttpResponseNotAllowed(allowed_methods)
            elif request.method == "OPTIONS":
                response = HttpResponse(status=204)
            else:
                response = _response(view, request, *args, **kwargs)
            response["Access-Control-Allow-Origin"] = "*"
            response["Access-Control-Allow-Methods"] = ", ".join(allowed_methods)
            response["Access-Control-Allow-Headers"] = "Content-Type"
            response["Access-Control-Max-Age"] = "86400"
            return response

        return endpoint

    return decorate


def _limit_error(limit_response: HttpResponse) -> HttpResponse:
    """Return the response of a rate limit as JSON, with the same status and Retry-After."""
    error = {"error": f"At most {settings.RECONCILIATION_NAMES_PER_MINUTE:,} names a minute. Try again in a minute."}
    return JsonResponse(
        error, status=limit_response.status_code, headers={"Retry-After": limit_response["Retry-After"]}
    )


def _response(view: View, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    """Return the response of the view, or a JSON error if there were too many requests or the view raised an error."""
    limit_response = too_many_names(request)
    if limit_response is not None:
        return _limit_error(limit_response)
    try:
        return view(request, *args, **kwargs)
    except Http404:
        return JsonResponse({"error": "No organisation has this id."}, status=404)
    except TooMany as error:
        return JsonResponse({"error": str(error)}, status=413)
    except TooOften as error:
        return _limit_error(error.response)
    except UnableToRead as error:
        return JsonResponse({"error": str(error)}, status=400)
