-- One statement per answer: checks, and writes the answer and its event, or neither.
-- $1 session, $2 user, $3 answer's id, $4 question, $5 client's answer_id, $6 answer as JSON, $7 correct, $8 score,
-- $9 answered at (ms), $10 event's id, $11 event name, $12 event type, $13 shard
WITH player AS (
    SELECT p.id, p.name, s.state
    FROM quiz_session_participants p JOIN quiz_sessions s ON s.id = p.quiz_session_id
    WHERE p.quiz_session_id = $1 AND p.user_id = $2
), recorded AS (
    INSERT INTO participant_answers
        (id, quiz_session_participant_id, question_id, answer_id, answer, correct, score, answered_at)
    SELECT $3, player.id, $4, $5, $6, $7, $8, timestamptz 'epoch' + $9::bigint * interval '1 ms'
    FROM player WHERE player.state = 'open'
    ON CONFLICT (quiz_session_participant_id, question_id) DO NOTHING
    RETURNING id
), announced AS (
    INSERT INTO events (id, event_name, type, payload, quiz_session_id, shard)
    SELECT $10, $11, $12, jsonb_build_object(
        'participant_answer_id', recorded.id, 'quiz_session_id', $1::uuid, 'quiz_session_participant_id', player.id,
        'name', player.name, 'question_id', $4::uuid, 'score', $8::int, 'answered_at_ms', $9::bigint), $1, $13
    FROM recorded, player
)
SELECT player.id AS participant_id, player.state, (SELECT id FROM recorded) AS participant_answer_id FROM player
