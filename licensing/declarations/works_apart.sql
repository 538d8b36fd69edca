-- How many works (unmatched identifiers included) an amendment adds, removes and changes. In PostgreSQL.
--
-- Parameters   new, old    declarations; the changes of `new` are there (difference.sql)
SELECT count(*) FILTER (WHERE NOT was), count(*) FILTER (WHERE NOT is_now), count(*) FILTER (WHERE was AND is_now)
FROM (
  SELECT bool_or(u.declaration_id = %(old)s) AS was, bool_or(u.declaration_id = %(new)s) AS is_now
  FROM (SELECT DISTINCT work_id, scheme, value FROM licensing_change WHERE declaration_id = %(new)s) c
  JOIN licensing_declareduse u
    ON coalesce(u.work_id, 0) = coalesce(c.work_id, 0) AND u.scheme = c.scheme AND u.value = c.value
  WHERE u.declaration_id IN (%(old)s, %(new)s)
  GROUP BY c.work_id, c.scheme, c.value
) w
