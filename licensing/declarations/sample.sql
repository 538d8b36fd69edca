-- The rows of a sample: those whose SHA-256 over the seed and what they say are the smallest. In PostgreSQL.
-- `sampling.rank` says the same for one row; no number of the database has a part in it.
--
-- Parameters   sample, declaration, seed, size
INSERT INTO licensing_auditline (sample_id, position, use_id, finding, note)
SELECT %(sample)s, row_number() OVER (ORDER BY drawn, key), id, '', ''
FROM (
  SELECT id, key, sha256(convert_to(%(seed)s || '|' || key, 'UTF8')) AS drawn
  FROM (
    SELECT u.id, concat_ws('|', coalesce(w.ref, u.scheme || ':' || u.value), u.use, u.unit, to_char(u.used_on, 'YYYY-MM-DD'),
                           u.status, u.basis) AS key
    FROM licensing_declareduse u
    LEFT JOIN licensing_work w ON w.id = u.work_id
    WHERE u.declaration_id = %(declaration)s
  ) said
  ORDER BY drawn, key
  LIMIT %(size)s
) chosen
