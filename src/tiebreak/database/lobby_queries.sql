-- Statements about who is in a quiz session, and as what: hosts, participants of live sessions, their names and teams.

-- name: is_host
SELECT EXISTS (SELECT FROM quiz_sessions WHERE id = $1 AND host_id = $2)
    OR EXISTS (SELECT FROM quiz_session_hosts WHERE quiz_session_id = $1 AND user_id = $2)
