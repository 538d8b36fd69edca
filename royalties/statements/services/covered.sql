-- The works of a holder that a mandate for a use would cover today, and those of them where another holder gave none.
WITH mine AS (
  SELECT DISTINCT s.work_id, w.kind
  FROM licensing_share s
  JOIN licensing_work w ON w.id = s.work_id
  WHERE s.holder_id = %(holder)s AND s.valid @> %(today)s AND (%(kinds)s::varchar[] IS NULL OR w.kind = ANY(%(kinds)s))
)
SELECT COUNT(*),
       COUNT(*) FILTER (WHERE EXISTS (
         SELECT FROM licensing_share o
         WHERE o.work_id = mine.work_id AND o.valid @> %(today)s AND o.holder_id <> %(holder)s
           AND NOT EXISTS (
             SELECT FROM licensing_mandate m
             WHERE m.society_id = %(society)s AND m.holder_id = o.holder_id AND m.valid @> %(today)s
               AND m.uses && %(uses)s AND m.kinds && ARRAY[mine.kind, '*']::varchar[])))
FROM mine
