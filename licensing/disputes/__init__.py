"""Conflicting claims to a work: found or raised, answered by who claims, settled or decided; the money follows."""
