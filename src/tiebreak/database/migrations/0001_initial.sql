-- The seed's tables and constraints, and what they need. Ids are UUIDv7 made by the application.

CREATE TABLE users (
    id            uuid PRIMARY KEY,
    kind          text NOT NULL CHECK (kind IN ('guest', 'account')),
    name          text NOT NULL,
    email         text UNIQUE,
    password_hash text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CHECK ((kind = 'account') = (email IS NOT NULL AND password_hash IS NOT NULL))
);

-- The auth server's signing keys: shared by all its instances, made at first start.
CREATE TABLE signing_keys (
    kid         text PRIMARY KEY,
    private_jwk jsonb NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- A log-in and the refresh tokens that followed from it. Only digests of tokens are kept.
CREATE TABLE refresh_families (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);
CREATE INDEX refresh_families_user ON refresh_families (user_id);

CREATE TABLE refresh_tokens (
    digest     bytea PRIMARY KEY,
    family_id  uuid NOT NULL REFERENCES refresh_families ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family_id);

CREATE TABLE quizzes (
    id         uuid PRIMARY KEY,
    owner_id   uuid NOT NULL REFERENCES users,
    title      text NOT NULL,
    language   text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX quizzes_owner ON quizzes (owner_id);

-- A question never changes: an edited quiz gets new ones, so that a session under way keeps its own.
CREATE TABLE questions (
    id       uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users,
    type     text NOT NULL,
    prompt   text NOT NULL,
    body     jsonb NOT NULL  -- choices and the answer key
);

CREATE TABLE question_quiz (
    quiz_id       uuid NOT NULL REFERENCES quizzes ON DELETE CASCADE,
    question_id   uuid NOT NULL REFERENCES questions,
    position      integer NOT NULL,
    points        integer NOT NULL CHECK (points >= 0),
    time_limit_ms integer,
    PRIMARY KEY (quiz_id, question_id)
);
CREATE INDEX question_quiz_question ON question_quiz (question_id);

-- Title and language are copied when the session opens, as its questions are, and survive their quiz.
CREATE TABLE quiz_sessions (
    id        uuid PRIMARY KEY,
    quiz_id   uuid REFERENCES quizzes ON DELETE SET NULL,
    host_id   uuid NOT NULL REFERENCES users,
    title     text NOT NULL,
    language  text NOT NULL,
    pin       text NOT NULL,
    mode      text NOT NULL CHECK (mode IN ('self_paced')),
    scoring   text NOT NULL CHECK (scoring IN ('accuracy')),
    state     text NOT NULL CHECK (state IN ('open', 'finished')),
    opened_at timestamptz NOT NULL,
    closed_at timestamptz
);
CREATE UNIQUE INDEX quiz_sessions_pin ON quiz_sessions (pin) WHERE state <> 'finished';
CREATE INDEX quiz_sessions_host ON quiz_sessions (host_id);
CREATE INDEX quiz_sessions_quiz ON quiz_sessions (quiz_id);

-- question_quiz as it was when the session opened: an edit of the quiz does not reach a session under way.
CREATE TABLE quiz_session_questions (
    quiz_session_id uuid NOT NULL REFERENCES quiz_sessions,
    question_id     uuid NOT NULL REFERENCES questions,
    position        integer NOT NULL,
    points          integer NOT NULL,
    time_limit_ms   integer,
    PRIMARY KEY (quiz_session_id, question_id)
);
CREATE INDEX quiz_session_questions_question ON quiz_session_questions (question_id);

CREATE TABLE quiz_session_participants (
    id              uuid PRIMARY KEY,
    quiz_session_id uuid NOT NULL REFERENCES quiz_sessions,
    user_id         uuid NOT NULL REFERENCES users,
    name            text NOT NULL,
    joined_at       timestamptz NOT NULL DEFAULT now(),
    UNIQUE (quiz_session_id, user_id)
);

-- The ledger. answer_id is the client's, so that a retry is told from a second answer.
CREATE TABLE participant_answers (
    id                          uuid PRIMARY KEY,
    quiz_session_participant_id uuid NOT NULL REFERENCES quiz_session_participants,
    question_id                 uuid NOT NULL,  -- kept by quiz_session_questions; a reference of its own would need an index
    answer_id                   uuid,
    answer                      text NOT NULL,  -- as JSON
    correct                     boolean NOT NULL,
    score                       integer NOT NULL,
    response_ms                 integer,
    answered_at                 timestamptz NOT NULL,
    UNIQUE (quiz_session_participant_id, question_id)
);

-- The outbox: a row lives from the answer's commit until the bus has acknowledged it.
CREATE TABLE events (
    id              uuid PRIMARY KEY,
    event_name      text NOT NULL,
    type            text NOT NULL,
    payload         jsonb NOT NULL,
    quiz_session_id uuid NOT NULL,
    shard           smallint NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
) WITH (
    -- Rows live for milliseconds: without these, space would be given back far too late (bench/outbox_size.py).
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0,
    autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_threshold = 2000000000,
    -- Always: with few dead rows at a time vacuum would pass over the indexes, and they would grow for ever.
    vacuum_index_cleanup = on
);
CREATE INDEX events_shard ON events (shard, id);

-- Who publishes which shard, until when. version is the fencing number: raised when a shard changes its owner, and
-- a removal from the outbox has to name it.
CREATE TABLE outbox_leases (
    shard      smallint PRIMARY KEY,
    owner      uuid,
    expires_at timestamptz NOT NULL DEFAULT '-infinity',
    version    bigint NOT NULL DEFAULT 0
);
INSERT INTO outbox_leases (shard) SELECT generate_series(0, 63);

-- The publisher workers that are alive, so that each can take its fair share of the shards.
CREATE TABLE outbox_workers (
    id          uuid PRIMARY KEY,
    alive_until timestamptz NOT NULL
);
