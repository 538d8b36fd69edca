-- The titles of a register, by the words that they are found by. Runs on the engine inside the process, once for all that is asked.
--
-- Input    entry(work_id, value)                   titles of the register, plainly spelled: `title / name;name`
-- Output   entry_numbered(id, work_id, value), entry_word(id, word)

-- step entry_numbered: each with a number, the same whatever their order
SELECT row_number() OVER (ORDER BY work_id, value) AS id, work_id, value FROM (SELECT DISTINCT work_id, value FROM entry) e;

-- step entry_word: what an entry is found by
SELECT DISTINCT id, unnest(words_of(value)) AS word FROM entry_numbered;
