-- As `bank.sql` has it, and each table is asked only for the columns that it has.
CREATE OR REPLACE FUNCTION bank_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE before jsonb; after jsonb;
BEGIN
  IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'royalties_entry' THEN
    before := to_jsonb(OLD); after := to_jsonb(NEW);
    IF after - ARRAY['applied', 'parked_id', 'status'] = before - ARRAY['applied', 'parked_id', 'status']
       AND (after->>'applied')::bigint >= (before->>'applied')::bigint
       AND (before->>'parked_id' IS NULL OR after->>'parked_id' = before->>'parked_id') THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'bank_stays_as_it_was_said: % on % is refused', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'bank_stays_as_it_was_said';
END $$;
