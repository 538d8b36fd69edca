-- Works of a society whose shares are more than the whole on some day, with the days (from the first such day to the last), the most
-- that is claimed on one, and who claims what. Only days on which a share begins or ends can change a sum.
WITH suspicious AS (
  SELECT s.work_id FROM licensing_share s JOIN licensing_work w ON w.id = s.work_id
  WHERE w.society_id = %(society)s AND w.merged_into_id IS NULL
  GROUP BY s.work_id HAVING sum(s.ppm) > 1000000
), edge AS (
  SELECT work_id, day, lead(day) OVER (PARTITION BY work_id ORDER BY day) AS next
  FROM (SELECT s.work_id, coalesce(lower(s.valid), '-infinity'::date) AS day FROM licensing_share s JOIN suspicious USING (work_id)
        UNION SELECT s.work_id, upper(s.valid) FROM licensing_share s JOIN suspicious USING (work_id) WHERE NOT upper_inf(s.valid)) d
), over AS (
  SELECT e.work_id, e.day, e.next, sum(s.ppm) AS claimed
  FROM edge e JOIN licensing_share s ON s.work_id = e.work_id AND s.valid @> e.day
  GROUP BY 1, 2, 3 HAVING sum(s.ppm) > 1000000
), found AS (
  SELECT work_id, max(claimed)::bigint AS claimed,
         daterange(nullif(min(day), '-infinity'::date), CASE WHEN bool_or(next IS NULL) THEN NULL ELSE max(next) END) AS days
  FROM over GROUP BY work_id
)
SELECT f.work_id, f.claimed, f.days, c.claims
FROM found f
CROSS JOIN LATERAL (
  SELECT jsonb_agg(jsonb_build_object('holder', x.holder_id, 'role', x.role, 'ppm', x.ppm) ORDER BY h.ref, x.role) AS claims
  FROM (SELECT s.holder_id, s.role, max(s.ppm) AS ppm FROM licensing_share s
        WHERE s.work_id = f.work_id AND s.valid && f.days GROUP BY 1, 2) x
  JOIN licensing_holder h ON h.id = x.holder_id) c
