-- Rows of a declaration that another one of the same firm has, too. In PostgreSQL.
--
-- Parameters   overlap     its number
--              mine, other declarations
--              my_day, other_day      the last days of their periods, which stand for lines that name no day
--              since, until           the days that they share
-- The same work (or unmatched identifier), use and unit; on the same day where both name one, and within the shared days
-- where one does.
INSERT INTO licensing_overlaprow (overlap_id, use_id, other_units)
SELECT %(overlap)s, m.id, sum(o.units)
FROM licensing_declareduse m
JOIN licensing_declareduse o
  ON coalesce(o.work_id, 0) = coalesce(m.work_id, 0) AND o.scheme = m.scheme AND o.value = m.value
 AND o.use = m.use AND o.unit = m.unit
WHERE m.declaration_id = %(mine)s AND o.declaration_id = %(other)s
  AND (m.used_on = o.used_on OR m.used_on = %(my_day)s OR o.used_on = %(other_day)s)
  AND (m.used_on = %(my_day)s OR (m.used_on >= %(since)s AND m.used_on < %(until)s))
  AND (o.used_on = %(other_day)s OR (o.used_on >= %(since)s AND o.used_on < %(until)s))
GROUP BY m.id
ORDER BY m.id
