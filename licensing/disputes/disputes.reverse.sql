DROP TRIGGER dispute_parties_stay ON licensing_disputeparty;
DROP TRIGGER dispute_party_stays ON licensing_disputeparty;
DROP TRIGGER disputes_stay ON licensing_dispute;
DROP TRIGGER dispute_stays_as_it_ended ON licensing_dispute;
DROP FUNCTION dispute_stays();
