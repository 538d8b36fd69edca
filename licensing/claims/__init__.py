"""Claims: what was declared and matched nothing, who says that it is theirs, and what was decided."""
