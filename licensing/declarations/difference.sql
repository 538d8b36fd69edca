-- The exact difference of a declaration to the one it supersedes, row by row. In PostgreSQL.
--
-- Parameters   new, old    declarations
-- Rows that only one of them has are added or removed; those that both have with other sums are changed. They are
-- numbered from the smallest change to the largest, so that a list shows the largest first by counting down.
INSERT INTO licensing_change (declaration_id, change, work_id, scheme, value, kind, use, unit, used_on, status, basis,
                              units_before, units_after, lines_before, lines_after)
SELECT %(new)s, CASE WHEN lines_before = 0 THEN 'added' WHEN lines_after = 0 THEN 'removed' ELSE 'changed' END,
       work_id, scheme, value, kind, use, unit, used_on, status, basis, units_before, units_after, lines_before, lines_after
FROM (
  SELECT work_id, scheme, value, max(kind) AS kind, use, unit, used_on, status, basis,
         coalesce(sum(units) FILTER (WHERE declaration_id = %(old)s), 0) AS units_before,
         coalesce(sum(units) FILTER (WHERE declaration_id = %(new)s), 0) AS units_after,
         coalesce(sum(lines) FILTER (WHERE declaration_id = %(old)s), 0) AS lines_before,
         coalesce(sum(lines) FILTER (WHERE declaration_id = %(new)s), 0) AS lines_after
  FROM licensing_declareduse
  WHERE declaration_id IN (%(old)s, %(new)s)
  GROUP BY work_id, scheme, value, use, unit, used_on, status, basis
) both_of_them
WHERE units_before <> units_after OR lines_before <> lines_after
ORDER BY abs(units_after - units_before), work_id, scheme, value, use, unit, used_on, status, basis
