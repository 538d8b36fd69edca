"""The API's wiring: who is let in, where its views lie, how it is described.

The base classes of the views are in `accounts.access.api`, because slices import downwards only and never `config`.
"""
