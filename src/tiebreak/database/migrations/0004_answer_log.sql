-- The log of a session's answers: a chain of digests over the ledger, so that an answer that was changed or taken away
-- is found (docs/receipts.md). What is digested is said once more, without SQL, in quiz/receipts.py.

-- An answer's digest: of its fields' bytes, the only one of any length last, so that no two answers are written alike.
CREATE FUNCTION answer_leaf(
    id uuid, participant_id uuid, question_id uuid, correct boolean, score integer, answered_at_us bigint, answer text
) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    sha256(uuid_send(id) || uuid_send(participant_id) || uuid_send(question_id) || boolsend(correct) || int4send(score)
           || int8send(answered_at_us) || convert_to(answer, 'UTF8'));

-- What a log's first link follows.
CREATE FUNCTION empty_log(quiz_session_id uuid) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    sha256(uuid_send(quiz_session_id));

-- Where a session's log ends; made with its first link. Every batch of its answers changes this row: half of each page
-- is left free, so that the new version has room beside the old one, and no index learns of it.
CREATE TABLE answer_logs (
    quiz_session_id uuid PRIMARY KEY REFERENCES quiz_sessions,
    length          bigint NOT NULL,  -- answers
    leaves_digest   bytea NOT NULL,   -- of the last link's leaves
    digest          bytea NOT NULL    -- of the last link: the one before, followed by leaves_digest
) WITH (fillfactor = 50);

-- A link is what one statement added: no reference to other tables, it is written for each batch of answers.
CREATE TABLE answer_links (
    quiz_session_id uuid NOT NULL,
    position        bigint NOT NULL,  -- of its last answer, from 1
    digest          bytea NOT NULL,
    last_id         uuid NOT NULL,    -- the greatest of its answers' ids: by it the link of an answer is found
    ids             uuid[] NOT NULL,  -- its answers, in order
    leaves          bytea NOT NULL,   -- their digests, 32 bytes each: they tell which one was changed
    PRIMARY KEY (quiz_session_id, position)
) WITH (toast_tuple_target = 8160);
-- Digests cannot be compressed; trying to takes time.
ALTER TABLE answer_links ALTER ids SET STORAGE EXTERNAL, ALTER leaves SET STORAGE EXTERNAL;
CREATE INDEX answer_links_last_id ON answer_links (quiz_session_id, last_id);

-- Answers that are there already, in the order of their time.
DO $$
DECLARE
    link record;
    log answer_logs;
BEGIN
    FOR link IN
        SELECT quiz_session_id, max(position) AS position, (array_agg(id ORDER BY id DESC))[1] AS last_id,
               array_agg(id ORDER BY position) AS ids, string_agg(leaf, '' ORDER BY position) AS leaves
        FROM (
            SELECT p.quiz_session_id, a.id, answer_leaf(a.id, p.id, a.question_id, a.correct, a.score,
                       (extract(epoch FROM a.answered_at) * 1000000)::bigint, a.answer) AS leaf,
                   row_number() OVER (PARTITION BY p.quiz_session_id ORDER BY a.answered_at, a.id) AS position
            FROM participant_answers a JOIN quiz_session_participants p ON p.id = a.quiz_session_participant_id
        ) answers
        GROUP BY quiz_session_id, (position - 1) / 256
        ORDER BY quiz_session_id, position
    LOOP
        INSERT INTO answer_logs VALUES (link.quiz_session_id, link.position, sha256(link.leaves),
            sha256(empty_log(link.quiz_session_id) || sha256(link.leaves)))
        ON CONFLICT (quiz_session_id) DO UPDATE SET
            length = EXCLUDED.length, leaves_digest = EXCLUDED.leaves_digest,
            digest = sha256(answer_logs.digest || EXCLUDED.leaves_digest)
        RETURNING * INTO log;
        INSERT INTO answer_links
        VALUES (link.quiz_session_id, link.position, log.digest, link.last_id, link.ids, link.leaves);
    END LOOP;
END $$;
