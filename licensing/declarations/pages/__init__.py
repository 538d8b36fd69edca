"""The pages of declarations and of the duty to make them."""
