"""What all addresses of the service share.

They are open to every site, limited, and say errors as JSON.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from partnerships.people.limits import too_many
from partnerships.reconciliation.reading import TooMany, UnableToRead

View = Callable[..., HttpResponse]


class TooOften(Exception):
    """The person or address has asked for too many names.

    Has the 429 response.
    """

    def __init__(self, refused: HttpResponse) -> None:
        super().__init__("Too many names.")
        self.refused = refused


def limited(request: HttpRequest, *, names: int = 1) -> HttpResponse | None:
    """Count names of a request to the service, or the page of a body.

    Above the limit, the 429 response.
    """
    limit = settings.RECONCILIATION_NAMES_PER_MINUTE
    return too_many(request, "reconciliation", limit=limit, stretch=dt.timedelta(minutes=1), amount=names)


def count_names(request: HttpRequest, asked: int) -> None:
    """Count the names or bodies of a batch.

    Its first one is counted with the request. Raises `TooOften`.
    """
    if asked > 1 and (refused := limited(request, names=asked - 1)):
        raise TooOften(refused)


def public_service(*methods: str) -> Callable[[View], View]:
    """Make a view an address of the service.

    Anyone may ask, also scripts of other sites (CORS): it reads what is public and no cookie. `UnableToRead` becomes
    400, `Http404` 404, a batch that is too large 413, too many names 429.
    """
    allowed = (*methods, "HEAD", "OPTIONS") if "GET" in methods else (*methods, "OPTIONS")

    def decorate(view: View) -> View:
        """Limit and answer requests from any site, as the specification of the service asks."""

        @csrf_exempt
        @login_not_required
        @wraps(view)
        def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if request.method not in allowed:
                response: HttpResponse = HttpResponseNotAllowed(allowed)
            elif request.method == "OPTIONS":
                response = HttpResponse(status=204)
            else:
                refused = limited(request)
                response = _as_json(refused) if refused else _answered(view, request, *args, **kwargs)
            response["Access-Control-Allow-Origin"] = "*"
            response["Access-Control-Allow-Methods"] = ", ".join(allowed)
            response["Access-Control-Allow-Headers"] = "Content-Type"
            response["Access-Control-Max-Age"] = "86400"
            return response

        return answer

    return decorate


def _as_json(refused: HttpResponse) -> HttpResponse:
    error = {"error": f"At most {settings.RECONCILIATION_NAMES_PER_MINUTE:,} names a minute."}
    return JsonResponse(error, status=refused.status_code, headers={"Retry-After": refused["Retry-After"]})


def _answered(view: View, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    try:
        return view(request, *args, **kwargs)
    except Http404:
        return JsonResponse({"error": "Nothing has this id."}, status=404)
    except TooMany as error:
        return JsonResponse({"error": str(error)}, status=413)
    except TooOften as error:
        return _as_json(error.refused)
    except UnableToRead as error:
        return JsonResponse({"error": str(error)}, status=400)
