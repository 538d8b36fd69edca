"""A person's notices, and an organisation's webhooks."""
