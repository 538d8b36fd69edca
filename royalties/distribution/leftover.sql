-- What waits for its shares, and what the shares of now make of it: the rest that nobody had (`no_share`), what was claimed more than
-- whole (`overclaimed`), what was disputed (`disputed`). Of each amount as it waited, by the shares of its day of use; nothing is deducted.
--
-- The parts of a work that got their amounts together are a set: root pool, work, identifier, first day of use. A set is settled where its shares
-- claim no more than the whole on that day, and nobody who was paid has less now (then the pool is divided anew instead, see
-- `affected.sql`), and no share begins or ends between that day and the end of use (then the days weigh, and the pool is divided anew, too).
--
-- What each share has now, less what it was paid, is due; what waits is there: both in ppm of the work. A share is given its own held part
-- first; what is due beyond that takes from what is left, in order: parts held for others by holder_ref and role, then what nobody had. So every
-- part is a whole number of ppm of what waited, and that amount is divided among its parts by largest remainder, ties to the smaller
-- holder_ref and role, what still has no holder last. An amount leaves only where some of it is to be paid now.
--
-- It goes on from `waiting.sql`.
), fit AS MATERIALIZED (
  SELECT row_number() OVER () AS set_id, t.*
  FROM summed t
  JOIN (SELECT root_id, work_id, scheme, value, used_on, max(claimed) AS claimed, sum(ppm) FILTER (WHERE NOT disputed) AS agreed
        FROM recorded GROUP BY 1, 2, 3, 4, 5) c USING (root_id, work_id, scheme, value, used_on)
  WHERE c.claimed <= 1000000 AND (t.alone OR c.agreed > 1000000 - t.ppm)
    AND (t.alone OR NOT EXISTS (SELECT FROM licensing_share s WHERE s.work_id = t.now_id
                                AND (lower(s.valid) > t.used_on AND lower(s.valid) < t.ends OR upper(s.valid) > t.used_on AND upper(s.valid) < t.ends)))
), share AS MATERIALIZED (
  SELECT f.set_id, c.holder_id, c.role, c.ppm::bigint AS ppm, c.disputed
  FROM fit f JOIN recorded c USING (root_id, work_id, scheme, value, used_on) WHERE NOT f.alone
  UNION ALL
  SELECT f.set_id, f.only_holder, '', 1000000, bool_or(c.disputed)
  FROM fit f JOIN recorded c USING (root_id, work_id, scheme, value, used_on) WHERE f.alone AND c.holder_id = f.only_holder GROUP BY 1, 2
), paid AS MATERIALIZED (
  SELECT f.set_id, a.holder_id, a.role, sum(a.ppm) AS ppm
  FROM (SELECT DISTINCT holder_id FROM share) h
  JOIN royalties_allocation a ON a.holder_id = h.holder_id AND a.run_id IN (SELECT run_id FROM live) AND a.status = 'payable'
  JOIN live l ON l.id = a.pool_id
  JOIN fit f ON f.root_id = l.root_id AND f.work_id = a.work_id AND f.scheme = a.scheme AND f.value = a.value AND f.used_on = a.used_on
  GROUP BY 1, 2, 3
), due AS MATERIALIZED (
  SELECT s.set_id, s.holder_id, h.ref COLLATE "C" AS ref, s.role, s.disputed, s.ppm - coalesce(p.ppm, 0) AS ppm,
         sum(coalesce(p.ppm, 0)) OVER (PARTITION BY s.set_id) AS paid, min(s.ppm - coalesce(p.ppm, 0)) OVER (PARTITION BY s.set_id) AS least
  FROM share s JOIN licensing_holder h ON h.id = s.holder_id
  LEFT JOIN paid p ON p.set_id = s.set_id AND p.holder_id = s.holder_id AND p.role = s.role
), settled AS MATERIALIZED (
  SELECT DISTINCT f.* FROM fit f JOIN due d ON d.set_id = f.set_id WHERE d.least >= 0 AND d.paid = 1000000 - f.ppm
), piece AS MATERIALIZED (
  SELECT t.set_id, w.id, w.holder_id, w.role, w.ppm, w.free, h.ref COLLATE "C" AS ref, d.disputed,
         least(w.ppm, greatest(0, coalesce(d.ppm, 0) - coalesce(sum(w.ppm) OVER (PARTITION BY t.set_id, w.holder_id, w.role ORDER BY w.id
                                                                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0))) AS own
  FROM settled t JOIN waiting w USING (root_id, work_id, scheme, value, used_on)
  LEFT JOIN licensing_holder h ON h.id = w.holder_id
  LEFT JOIN due d ON d.set_id = t.set_id AND d.holder_id = w.holder_id AND d.role = w.role
), supply AS (
  SELECT set_id, id, ppm - own AS ppm, sum(ppm - own) OVER before AS upto
  FROM piece WHERE ppm > own WINDOW before AS (PARTITION BY set_id ORDER BY ref NULLS LAST, role, id)
), demand AS (
  SELECT d.set_id, d.holder_id, d.ref, d.role, d.disputed, d.ppm - coalesce(o.own, 0) AS ppm,
         sum(d.ppm - coalesce(o.own, 0)) OVER (PARTITION BY d.set_id ORDER BY d.ref, d.role) AS upto
  FROM due d LEFT JOIN (SELECT set_id, holder_id, role, sum(own) AS own FROM piece GROUP BY 1, 2, 3) o
    ON o.set_id = d.set_id AND o.holder_id = d.holder_id AND o.role = d.role
), part AS MATERIALIZED (
  SELECT id, holder_id, ref, role, coalesce(disputed, false) AS disputed, own AS ppm FROM piece WHERE own > 0 AND holder_id IS NOT NULL
  UNION ALL
  SELECT s.id, d.holder_id, d.ref, d.role, d.disputed, least(s.upto, d.upto) - greatest(s.upto - s.ppm, d.upto - d.ppm)
  FROM supply s JOIN demand d ON d.set_id = s.set_id AND d.ppm > 0
   AND least(s.upto, d.upto) > greatest(s.upto - s.ppm, d.upto - d.ppm)
), leaving AS MATERIALIZED (
  SELECT p.id, p.ppm FROM piece p WHERE p.free AND EXISTS (SELECT FROM part x WHERE x.id = p.id AND NOT x.disputed)
), whole AS (
  SELECT x.id, x.holder_id, x.ref, x.role, x.disputed, x.ppm, l.ppm AS of_ppm FROM leaving l JOIN part x ON x.id = l.id
  UNION ALL
  SELECT l.id, NULL, NULL, '', false, l.ppm - sum(x.ppm), l.ppm FROM leaving l JOIN part x ON x.id = l.id GROUP BY l.id, l.ppm HAVING sum(x.ppm) < l.ppm
), quota AS (
  SELECT w.*, a.amount AS whole, div(a.amount::numeric * w.ppm, w.of_ppm) AS quota,
         row_number() OVER (PARTITION BY w.id ORDER BY mod(a.amount::numeric * w.ppm, w.of_ppm) DESC, w.ref NULLS LAST, w.role) AS rank,
         row_number() OVER (PARTITION BY w.id ORDER BY w.ref NULLS LAST, w.role) AS place
  FROM whole w JOIN waiting a ON a.id = w.id
)
SELECT q.id, w.pool_id, w.work_id, w.scheme, w.value, w.used_on, q.place, q.holder_id, coalesce(q.ref, ''), q.role, q.ppm::integer, w.weight, w.work_amount, w.set_amount, q.whole,
       (q.quota + CASE WHEN q.rank <= q.whole - sum(q.quota) OVER (PARTITION BY q.id) THEN 1 ELSE 0 END)::bigint,
       CASE WHEN q.holder_id IS NULL THEN 'suspense' WHEN q.disputed THEN 'held' ELSE 'payable' END,
       CASE WHEN q.holder_id IS NULL THEN 'no_share' WHEN q.disputed THEN 'disputed' ELSE '' END
FROM quota q JOIN waiting w ON w.id = q.id
