"""What all addresses of the service share: open to every site, limited, errors as JSON."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from partnerships.people.limits import too_many
from partnerships.reconciliation.reading import TooMany, UnableToRead

#: Requests a minute from one address or person; each may have a whole batch.
PER_MINUTE = 600

View = Callable[..., HttpResponse]


def limited(request: HttpRequest) -> HttpResponse | None:
    """Count a request to the service or to the page of a body; above the limit, the 429 response."""
    return too_many(request, "reconciliation", limit=PER_MINUTE, stretch=dt.timedelta(minutes=1))


def public_service(*methods: str) -> Callable[[View], View]:
    """Make a view an address of the service.

    Anyone may ask, also scripts of other sites (CORS): it reads what is public and no cookie. `UnableToRead` becomes
    400, `Http404` 404, a batch that is too large 413, too many requests 429.
    """
    allowed = (*methods, "HEAD", "OPTIONS") if "GET" in methods else (*methods, "OPTIONS")

    def decorate(view: View) -> View:
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
    error = {"error": f"At most {PER_MINUTE} requests a minute."}
    return JsonResponse(error, status=refused.status_code, headers={"Retry-After": refused["Retry-After"]})


def _answered(view: View, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    try:
        return view(request, *args, **kwargs)
    except Http404:
        return JsonResponse({"error": "Nothing has this id."}, status=404)
    except TooMany as error:
        return JsonResponse({"error": str(error)}, status=413)
    except UnableToRead as error:
        return JsonResponse({"error": str(error)}, status=400)
