"""Permission over the API."""
