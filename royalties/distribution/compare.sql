-- What changed since the run before, by holder, work or licensee: the largest differences first.
-- Parameters: this run, the run before, how many rows. The key and its names are put in by `comparison.py`.
SELECT coalesce(n.key, o.key) AS key, coalesce(o.amount, 0) AS before, coalesce(n.amount, 0) AS now
FROM (SELECT {key} AS key, sum(a.amount)::bigint AS amount FROM royalties_allocation a {join} WHERE a.run_id = %(run)s AND {some} GROUP BY 1) n
FULL JOIN (SELECT {key} AS key, sum(a.amount)::bigint AS amount FROM royalties_allocation a {join} WHERE a.run_id = %(before)s AND {some} GROUP BY 1) o
  ON o.key = n.key
ORDER BY abs(coalesce(n.amount, 0) - coalesce(o.amount, 0)) DESC, coalesce(n.key, o.key)
LIMIT %(limit)s
