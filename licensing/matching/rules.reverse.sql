DO $$
DECLARE
  part text;
  event text;
BEGIN
  FOREACH part IN ARRAY ARRAY['matchrule', 'workalias'] LOOP
    FOREACH event IN ARRAY ARRAY['insert', 'update', 'delete'] LOOP
      EXECUTE format('DROP TRIGGER revision_is_marked_on_%s ON licensing_%s', event, part);
    END LOOP;
  END LOOP;
END $$;
DROP FUNCTION merged_work_survives() CASCADE;
DROP FUNCTION match_rule_stays() CASCADE;
