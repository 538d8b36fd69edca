-- A published report is never changed, a decided close neither.
CREATE FUNCTION royalties_keep_report() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on % is refused: what was published or decided stays', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER published_is_kept BEFORE UPDATE OR DELETE ON royalties_transparencyreport
  FOR EACH ROW WHEN (OLD.status = 'published') EXECUTE FUNCTION royalties_keep_report();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON royalties_transparencyreport FOR EACH STATEMENT EXECUTE FUNCTION royalties_keep_report();
CREATE TRIGGER decided_is_kept BEFORE UPDATE OR DELETE ON royalties_close
  FOR EACH ROW WHEN (OLD.status <> 'requested') EXECUTE FUNCTION royalties_keep_report();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON royalties_close FOR EACH STATEMENT EXECUTE FUNCTION royalties_keep_report();
ALTER TABLE royalties_transparencyreport ENABLE ALWAYS TRIGGER published_is_kept, ENABLE ALWAYS TRIGGER never_emptied;
ALTER TABLE royalties_close ENABLE ALWAYS TRIGGER decided_is_kept, ENABLE ALWAYS TRIGGER never_emptied;
