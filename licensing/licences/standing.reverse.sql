DROP TRIGGER guard_standing_signature ON licensing_signature;
DROP FUNCTION guard_standing_signature();
DROP TRIGGER guard_standing_offers ON licensing_standingoffer;
DROP TRIGGER guard_standing_offer ON licensing_standingoffer;
DROP FUNCTION guard_standing_offer();
