"""Compliance: who was told of a reservation, and what becomes of uses that nothing allowed."""
