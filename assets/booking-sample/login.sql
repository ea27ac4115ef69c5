-- The least that a connection can be opened for.
SELECT 1;
