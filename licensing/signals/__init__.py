"""Signals: readers and writers of the public formats in which rights holders reserve uses. Pure: no Django, no network."""
