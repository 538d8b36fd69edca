-- A statement to a sister society is the sum of its lines, and belongs to a journal. (Takes the place of the function of this name
-- in `entitlements.sql`, which asked for three columns where one is allowed.)
CREATE OR REPLACE FUNCTION royalties_check_sister_statement() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wrong boolean;
BEGIN
  SELECT s.journal_id IS NULL OR s.net + coalesce((SELECT sum(c) FROM unnest(s.cuts) AS c), 0) <> s.gross
         OR (s.holders, s.gross, s.net) IS DISTINCT FROM (l.holders, l.gross, l.net)
    INTO wrong
    FROM royalties_sisterstatement s
    LEFT JOIN LATERAL (SELECT count(*)::integer AS holders, sum(gross)::bigint AS gross, sum(net)::bigint AS net
                       FROM royalties_sisterline WHERE statement_id = s.id) l ON true
    WHERE s.id = NEW.id;
  IF wrong THEN
    RAISE EXCEPTION 'statement % to a sister society is not the sum of its lines', NEW.id
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'sister_statement_is_the_sum_of_its_lines';
  END IF;
  RETURN NULL;
END $$;
