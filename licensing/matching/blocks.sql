-- Which works of a register may be meant by what is asked: those that share rare words, beginnings, endings or creators with it.
-- Runs on the engine inside the process. Bounded: a word that more than 2,000 titles have leads to none of them.
--
-- Inputs   entry_numbered(id, work_id, value), entry_word(id, word)     from index.sql
--          query(n, value)                         what is asked
-- Output   near_by(n, work_id, value)              at most 40 for each that is asked, the likeliest first
--          known_word(n, word)                     the words of each that titles have

-- step query_word: what is asked, by the same words
SELECT DISTINCT n, unnest(words_of(value)) AS word FROM query;

-- step known_word: words of what is asked that some title has
SELECT n, word FROM query_word WHERE word IN (SELECT word FROM entry_word);

-- step worth: how much a word tells, where it tells something
SELECT word, ln((SELECT count(*) + 1 FROM entry_numbered) / count(*)) + 0.1 AS worth
FROM entry_word WHERE word IN (SELECT word FROM query_word)
GROUP BY word HAVING count(*) <= 2000;

-- step near_by: the entries that share most
SELECT n, work_id, value
FROM (SELECT s.n, e.work_id, e.value, row_number() OVER (PARTITION BY s.n ORDER BY s.worth DESC, e.work_id, e.value) AS nth
      FROM (SELECT q.n, w.id, round(sum(x.worth), 6) AS worth
            FROM query_word q JOIN worth x ON x.word = q.word JOIN entry_word w ON w.word = q.word
            GROUP BY q.n, w.id) s
      JOIN entry_numbered e ON e.id = s.id) r
WHERE nth <= 40;
