"""A society's money played at random: the books as plain Python reckons them, and the moves that people make."""
