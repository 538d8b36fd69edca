-- Every statement that changes works, identifiers, shares or mandates marks its society, in its own transaction. Whoever sees
-- the new rows sees the new mark; whoever has a snapshot from before knows that it is old.
CREATE FUNCTION mark_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO licensing_repertoirerevision (society_id, mark)
    SELECT society_id, hashtextextended(gen_random_uuid()::text, 0) FROM (SELECT DISTINCT society_id FROM changed) s;
  RETURN NULL;
END $$;
CREATE FUNCTION mark_revision_of_shares() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO licensing_repertoirerevision (society_id, mark)
    SELECT society_id, hashtextextended(gen_random_uuid()::text, 0)
    FROM (SELECT DISTINCT w.society_id FROM changed c JOIN licensing_work w ON w.id = c.work_id) s;
  RETURN NULL;
END $$;
DO $$
DECLARE
  part text;
  event text;
BEGIN
  FOREACH part IN ARRAY ARRAY['work', 'identifier', 'share', 'mandate'] LOOP
    FOREACH event IN ARRAY ARRAY['insert', 'update', 'delete'] LOOP
      EXECUTE format(
        'CREATE TRIGGER revision_is_marked_on_%s AFTER %s ON licensing_%s REFERENCING %s TABLE AS changed '
        'FOR EACH STATEMENT EXECUTE FUNCTION %s()',
        event, event, part, CASE event WHEN 'delete' THEN 'OLD' ELSE 'NEW' END,
        CASE part WHEN 'share' THEN 'mark_revision_of_shares' ELSE 'mark_revision' END);
    END LOOP;
  END LOOP;
END $$;
