-- What stood before refused the same, in other words: nothing is to be undone.
SELECT 1;
