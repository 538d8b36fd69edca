"""Pages of access: a person's own profile, the staff of an organisation, its tokens."""
