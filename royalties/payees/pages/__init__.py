"""Pages of payees: the creator's own details, the society's work with them, and the tax rules that are public."""
