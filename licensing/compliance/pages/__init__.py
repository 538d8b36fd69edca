"""Pages of compliance: notices of reservations, and cases as each side sees them."""
