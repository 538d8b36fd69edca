"""Pages and order of a list, from the request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

PAGE_SIZE = 50


class _Uncounted(Paginator):
    """A paginator that never counts: it asks for one row more than it shows to know whether there is a next page."""

    @cached_property
    def count(self) -> Any:
        return None

    def get_page(self, number: Any) -> Page[Any]:
        at = max(1, int(number)) if str(number).isascii() and str(number).isdigit() and len(str(number)) < 9 else 1
        start = (at - 1) * self.per_page
        rows = list(self.object_list[start : start + self.per_page + 1])
        return _UncountedPage(rows, at, self)


class _UncountedPage(Page[Any]):
    def __init__(self, rows: list[Any], number: int, paginator: _Uncounted) -> None:
        super().__init__(rows[: paginator.per_page], number, paginator)
        self._more = len(rows) > paginator.per_page

    def __repr__(self) -> str:
        return f"<Page {self.number}>"

    def has_next(self) -> bool:
        return self._more

    def next_page_number(self) -> int:
        return self.number + 1

    def previous_page_number(self) -> int:
        return self.number - 1

    def start_index(self) -> int:
        return (self.number - 1) * self.paginator.per_page + (1 if len(self) else 0)

    def end_index(self) -> int:
        return (self.number - 1) * self.paginator.per_page + len(self)


def paginate(
    request: HttpRequest, queryset: QuerySet[Any] | list[Any], *, size: int = PAGE_SIZE, counted: bool = True
) -> Page[Any]:
    """The page that `?page=` asks for; a wrong number gives the nearest. `counted=False` leaves out the COUNT."""
    return (Paginator if counted else _Uncounted)(queryset, size).get_page(request.GET.get("page", 1))


def ordering(request: HttpRequest, allowed: Mapping[str, str], *, default: str) -> str:
    """The field to order by: `?sort=amount` or `?sort=-amount` where `amount` is allowed, else the default.

    `allowed` maps what the address says to the field, so that a request can name no other column.
    """
    asked = request.GET.get("sort", "")
    field = allowed.get(asked.removeprefix("-"))
    if field is None:
        return default
    return f"-{field}" if asked.startswith("-") else field
