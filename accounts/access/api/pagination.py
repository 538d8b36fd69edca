"""Lists in pages by cursor: stable while rows are added, and as fast on the last page as on the first."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination


class CursorPages(CursorPagination):
    """`{next, previous, results}`. The view's `ordering` must end in something unique.

    `?page_size=` asks for up to the view's `max_page_size` (500).
    """

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500
    ordering = ("-id",)

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> Any:
        self.max_page_size = getattr(view, "max_page_size", None) or self.max_page_size
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, ValidationError) as wrong:  # a cursor that was not ours names no place in this order
            if self.cursor_query_param not in request.query_params:
                raise
            raise NotFound(self.invalid_cursor_message) from wrong

    def get_ordering(self, request: Any, queryset: Any, view: Any) -> tuple[str, ...]:
        return tuple(getattr(view, "ordering", None) or self.ordering)
