-- Every statement that changes works, identifiers, shares or mandates advances the revision of their society, in its own
-- transaction. Whoever sees the new rows sees the new key; whoever has a snapshot under an old key knows that it is old.
CREATE FUNCTION advance_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO licensing_repertoirerevision (society_id, number, key)
    SELECT society_id, 1, gen_random_uuid() FROM (SELECT DISTINCT society_id FROM changed) s ORDER BY society_id
    ON CONFLICT (society_id) DO UPDATE SET number = licensing_repertoirerevision.number + 1, key = excluded.key;
  RETURN NULL;
END $$;
CREATE FUNCTION advance_revision_of_shares() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO licensing_repertoirerevision (society_id, number, key)
    SELECT society_id, 1, gen_random_uuid()
    FROM (SELECT DISTINCT w.society_id FROM changed c JOIN licensing_work w ON w.id = c.work_id) s ORDER BY society_id
    ON CONFLICT (society_id) DO UPDATE SET number = licensing_repertoirerevision.number + 1, key = excluded.key;
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
        'CREATE TRIGGER revision_advances_on_%s AFTER %s ON licensing_%s REFERENCING %s TABLE AS changed '
        'FOR EACH STATEMENT EXECUTE FUNCTION %s()',
        event, event, part, CASE event WHEN 'delete' THEN 'OLD' ELSE 'NEW' END,
        CASE part WHEN 'share' THEN 'advance_revision_of_shares' ELSE 'advance_revision' END);
    END LOOP;
  END LOOP;
END $$;
