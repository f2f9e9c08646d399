-- What may be shown of a credential without opening it, as JSON: {origin, username} of a token or password,
-- {public_key, fingerprint} of a deploy key.
alter table credentials add column shown text not null default '{}';
