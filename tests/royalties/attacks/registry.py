"""How an attack on the book is put on the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg import errors

from tests.royalties.ledger_book import Book

Session = psycopg.Connection[Any]
Attack = Callable[[Book, Session], Any]
ATTACKS: list[Any] = []


def attack(refused_by: str, by: type[Exception] = errors.IntegrityError) -> Callable[[Attack], Attack]:
    """Register an attack, and the constraint, or the words, that must refuse it."""

    def register(function: Attack) -> Attack:
        ATTACKS.append(pytest.param(function, refused_by, by, id=function.__name__))
        return function

    return register
