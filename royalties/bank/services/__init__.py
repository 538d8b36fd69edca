"""What the bank said, and what each entry of it was for."""

from royalties.bank.services.entries import apply, effective_day, held, open_entries, park, source

__all__ = ["apply", "effective_day", "held", "open_entries", "park", "source"]
