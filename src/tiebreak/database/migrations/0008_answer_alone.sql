-- convert_to is STABLE, and Postgres does not inline a function that is declared to be more than what it calls: each
-- statement prepared answer_leaf as a function. As STABLE it is an expression like any other.
ALTER FUNCTION answer_leaf(uuid, uuid, uuid, boolean, integer, bigint, text) STABLE;

-- Every batch of answers changes a row of answer_logs, and had Postgres see to the reference each time. The statement that
-- makes the row has read its session.
ALTER TABLE answer_logs DROP CONSTRAINT answer_logs_quiz_session_id_fkey;
