"""An answer's checks, its row and its event in one statement, as a server without batches or a log has it."""

from __future__ import annotations

# $1 answer's id, $2 session, $3 user, $4 question, $5 client's answer_id, $6 answer as JSON, $7 correct, $8 score,
# $9 answered at (ms), $10 shard, $11 event name, $12 event type
ALONE = """
WITH checked AS (
    SELECT p.id AS participant_id, p.name, s.state, EXISTS (
        SELECT FROM quiz_session_questions WHERE quiz_session_id = s.id AND question_id = $4::uuid
    ) AS of_session
    FROM quiz_session_participants p JOIN quiz_sessions s ON s.id = p.quiz_session_id
    WHERE p.quiz_session_id = $2::uuid AND p.user_id = $3
), recorded AS (
    INSERT INTO participant_answers
        (id, quiz_session_participant_id, question_id, answer_id, answer, correct, score, answered_at)
    SELECT $1::uuid, participant_id, $4, $5, $6, $7, $8::int, timestamptz 'epoch' + $9::bigint * interval '1 ms'
    FROM checked WHERE state = 'open' AND of_session
    ON CONFLICT (quiz_session_participant_id, question_id) DO NOTHING
    RETURNING id
), announced AS (
    INSERT INTO events (id, event_name, type, payload, quiz_session_id, shard)
    SELECT id, $11, $12, jsonb_build_object(
        'participant_answer_id', id, 'quiz_session_id', $2::uuid, 'quiz_session_participant_id', participant_id,
        'name', name, 'question_id', $4::uuid, 'score', $8::int, 'answered_at_ms', $9::bigint), $2, $10
    FROM checked, recorded
)
SELECT 1 AS place, participant_id, state, of_session, EXISTS (SELECT FROM recorded) AS new FROM checked
"""
