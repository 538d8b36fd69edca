DROP TRIGGER claims_stay ON licensing_claim;
DROP TRIGGER claim_stays_as_made ON licensing_claim;
DROP FUNCTION claim_stays();
