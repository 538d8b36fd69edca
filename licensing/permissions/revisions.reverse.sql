DROP FUNCTION advance_revision() CASCADE;
DROP FUNCTION advance_revision_of_shares() CASCADE;
