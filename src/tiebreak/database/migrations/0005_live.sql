-- The live game (docs/live.md): a host leads the room from question to question.

ALTER TABLE quiz_sessions
    DROP CONSTRAINT quiz_sessions_mode_check,
    ADD CONSTRAINT quiz_sessions_mode_check CHECK (mode IN ('self_paced', 'live')),
    DROP CONSTRAINT quiz_sessions_scoring_check,
    ADD CONSTRAINT quiz_sessions_scoring_check CHECK (scoring IN ('accuracy', 'speed', 'fair')),
    ADD COLUMN options jsonb NOT NULL DEFAULT '{}';  -- quiz/options.py

-- When a live session's question takes answers. From opens_at_ms until closes_at_ms, each participant's extra time aside;
-- from shut_at_ms on from nobody, and its answers are on the board. All null: self-paced, or not asked yet.
ALTER TABLE quiz_session_questions
    ADD COLUMN opens_at_ms bigint,
    ADD COLUMN closes_at_ms bigint,
    ADD COLUMN shut_at_ms bigint,
    ADD CHECK ((opens_at_ms IS NULL) = (closes_at_ms IS NULL) AND (shut_at_ms IS NULL OR opens_at_ms IS NOT NULL));

ALTER TABLE quiz_session_participants
    ADD COLUMN name_key text,  -- the name as it must be unique in a live session
    ADD COLUMN team smallint,  -- of options.teams, from 0
    ADD COLUMN extra_time_percent smallint NOT NULL DEFAULT 0 CHECK (extra_time_percent BETWEEN 0 AND 400),
    ADD COLUMN removed_at timestamptz,
    ADD COLUMN banned boolean NOT NULL DEFAULT false,
    ADD CHECK (NOT banned OR removed_at IS NOT NULL);
CREATE UNIQUE INDEX quiz_session_participants_name
    ON quiz_session_participants (quiz_session_id, name_key) WHERE removed_at IS NULL AND name_key IS NOT NULL;

-- Co-hosts: they may do what the host may.
CREATE TABLE quiz_session_hosts (
    quiz_session_id uuid NOT NULL REFERENCES quiz_sessions,
    user_id         uuid NOT NULL REFERENCES users,
    added_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (quiz_session_id, user_id)
);
CREATE INDEX quiz_session_hosts_user ON quiz_session_hosts (user_id);

-- Where a live session stands. Whoever takes a step names the one it follows, so that each is taken once.
CREATE TABLE live_games (
    quiz_session_id uuid PRIMARY KEY REFERENCES quiz_sessions,
    step            bigint NOT NULL,
    told_step       bigint NOT NULL DEFAULT -1,  -- the last one the room has surely been told
    state           jsonb NOT NULL,              -- quiz/live.py
    due_at_ms       bigint                       -- when it moves on by itself
) WITH (fillfactor = 50);
CREATE INDEX live_games_due ON live_games (due_at_ms) WHERE due_at_ms IS NOT NULL;
CREATE INDEX live_games_untold ON live_games (quiz_session_id) WHERE told_step < step;

CREATE TABLE images (
    id         uuid PRIMARY KEY,
    owner_id   uuid NOT NULL REFERENCES users,
    media_type text NOT NULL,
    width      integer NOT NULL,
    height     integer NOT NULL,
    bytes      bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX images_owner ON images (owner_id);
-- It is compressed already.
ALTER TABLE images ALTER bytes SET STORAGE EXTERNAL;
