DROP FUNCTION mark_revision() CASCADE;
DROP FUNCTION mark_revision_of_shares() CASCADE;
