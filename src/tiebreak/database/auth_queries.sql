-- Statements of the auth server: users, log-ins (a family of refresh tokens each), signing keys.

-- name: add_guest
INSERT INTO users (id, kind, name) VALUES ($1, 'guest', $2)

-- name: add_account
-- No row comes back if the e-mail is taken: decided by the unique constraint, so two at once cannot both win.
INSERT INTO users (id, kind, name, email, password_hash)
VALUES ($1, 'account', $2, $3, $4)
ON CONFLICT (email) DO NOTHING
RETURNING id

-- name: find_user
SELECT id, kind, name, email FROM users WHERE id = $1

-- name: find_account
SELECT id, password_hash FROM users WHERE email = $1

-- name: replace_password_hash
-- Only the hash that was read is replaced: a password changed meanwhile stays changed.
UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2

-- name: start_login
INSERT INTO refresh_families (id, user_id) VALUES ($1, $2)

-- name: add_refresh_token
INSERT INTO refresh_tokens (digest, family_id, expires_at) VALUES ($1, $2, $3)

-- name: lock_refresh_token
-- Both rows are locked: a second rotation, or a log-out, waits and then sees what the first one did.
SELECT token.family_id, token.expires_at, token.used_at, family.revoked_at, family.user_id, users.kind
FROM refresh_tokens AS token
JOIN refresh_families AS family ON family.id = token.family_id
JOIN users ON users.id = family.user_id
WHERE token.digest = $1
FOR NO KEY UPDATE OF token, family

-- name: use_refresh_token
UPDATE refresh_tokens SET used_at = $2 WHERE digest = $1

-- name: find_login
SELECT family_id FROM refresh_tokens WHERE digest = $1

-- name: revoke_login
-- By Postgres's clock: app servers ask it for what was revoked lately.
UPDATE refresh_families SET revoked_at = clock_timestamp() WHERE id = $1 AND revoked_at IS NULL

-- name: forget_logins
-- Log-ins none of whose tokens lived past $1; their tokens go with them.
DELETE FROM refresh_families AS family
WHERE NOT EXISTS (
    SELECT FROM refresh_tokens AS token WHERE token.family_id = family.id AND token.expires_at > $1
)

-- name: forget_refresh_tokens
DELETE FROM refresh_tokens WHERE expires_at <= $1

-- name: lock_signing_keys
SELECT pg_advisory_xact_lock($1)

-- name: newest_signing_key
SELECT private_jwk FROM signing_keys ORDER BY created_at DESC, kid LIMIT 1

-- name: all_signing_keys
SELECT private_jwk FROM signing_keys ORDER BY created_at DESC, kid

-- name: add_signing_key
INSERT INTO signing_keys (kid, private_jwk) VALUES ($1, $2)
