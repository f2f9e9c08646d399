-- The trunk: everything a box needs to take a git URL to a running app. Times are Unix milliseconds, ids ULIDs.

create table settings (name text primary key, value text not null) strict;

create table nodes (
  id text primary key,
  name text not null unique,
  architecture text not null,
  created_at integer not null
) strict;

create table apps (
  id text primary key,
  name text not null unique,
  created_by text not null,
  created_at integer not null,
  -- Set when its destruction was asked for; the destroy job removes the row last.
  destroying_at integer
) strict;

create table environments (
  id text primary key,
  app_id text not null references apps (id) on delete cascade,
  name text not null,
  type text not null default 'production' check (type in ('production', 'staging', 'preview', 'development')),
  subnet text not null unique,
  -- JSON: what the next release will be made with (health, limits, build, strategy …).
  settings text not null,
  -- JSON SourceSpec; null until the first deployment.
  source text,
  -- What a person wants: running, or stopped by hand.
  desired text not null default 'running' check (desired in ('running', 'stopped')),
  created_at integer not null,
  unique (app_id, name)
) strict;

-- How many instances of each process are wanted; outlives releases.
create table processes (
  environment_id text not null references environments (id) on delete cascade,
  name text not null,
  quantity integer not null check (quantity between 0 and 100),
  primary key (environment_id, name)
) strict;

create table ports (
  port integer primary key check (port between 1 and 65535),
  environment_id text not null unique references environments (id) on delete cascade,
  created_at integer not null
) strict;

-- A tree as it was fetched.
create table sources (
  id text primary key,
  environment_id text not null references environments (id) on delete cascade,
  spec text not null,
  commit_sha text,
  archive_sha256 text,
  message text,
  author text,
  ref text,
  fetched_at integer not null
) strict;

create table builds (
  id text primary key,
  environment_id text not null references environments (id) on delete cascade,
  source_id text references sources (id),
  plan text not null,
  architecture text not null,
  image_tag text not null,
  image_id text not null,
  created_at integer not null,
  -- Set when retention removed the image.
  pruned_at integer
) strict;

-- Append-only: a value is never changed, a newer version is added. sealed null = unset from this version on.
create table config_vars (
  environment_id text not null references environments (id) on delete cascade,
  name text not null,
  version integer not null,
  sealed blob,
  secret integer not null default 1,
  created_by text not null,
  created_at integer not null,
  primary key (environment_id, name, version)
) strict;

create table releases (
  id text primary key,
  environment_id text not null references environments (id) on delete cascade,
  number integer not null,
  -- JSON ReleaseSpec, immutable.
  spec text not null,
  build_id text not null references builds (id),
  from_release_id text references releases (id),
  created_by text not null,
  created_at integer not null,
  -- First time it served; null = never.
  live_at integer,
  unique (environment_id, number)
) strict;

create table jobs (
  id text primary key,
  kind text not null,
  -- Jobs of one lane run one after another.
  lane text not null,
  -- What it is about, for those who listen to events: an app's id, or null.
  subject text,
  status text not null check (status in ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'superseded')),
  -- The work to do next.
  step text not null,
  -- JSON, grows with each step's patch.
  state text not null,
  attempt integer not null default 0,
  not_before integer not null default 0,
  deadline integer,
  -- The daemon incarnation that works on it; null while queued.
  incarnation text,
  -- JSON {code, title, detail, evidence, hint}: set once it is failing; the unwinding step then runs.
  error text,
  cancel_reason text,
  idempotency_key text unique,
  progress real not null default 0,
  message text not null default '',
  created_by text not null,
  created_at integer not null,
  started_at integer,
  finished_at integer
) strict;
create unique index jobs_one_running_per_lane on jobs (lane) where status = 'running';
create index jobs_open on jobs (not_before, id) where status in ('queued', 'running');
create index jobs_by_time on jobs (created_at);

create table job_steps (
  job_id text not null references jobs (id) on delete cascade,
  step text not null,
  attempt integer not null,
  started_at integer not null,
  finished_at integer,
  outcome text check (outcome in ('done', 'retry', 'failed', 'cancelled', 'interrupted')),
  -- JSON: what the step found or made.
  evidence text,
  primary key (job_id, step, attempt)
) strict;

create table deployments (
  id text primary key,
  environment_id text not null references environments (id) on delete cascade,
  job_id text not null unique references jobs (id),
  trigger text not null,
  created_by text not null,
  -- JSON DeploymentRequest: what was asked.
  request text not null,
  source_id text references sources (id),
  build_id text references builds (id),
  release_id text references releases (id),
  outcome text check (outcome in ('live', 'failed', 'cancelled', 'superseded')),
  error_code text,
  created_at integer not null,
  finished_at integer
) strict;
create index deployments_by_environment on deployments (environment_id, created_at);

-- What is meant to serve.
create table traffic (
  environment_id text not null references environments (id) on delete cascade,
  process text not null,
  release_id text not null references releases (id),
  weight integer not null check (weight between 0 and 100),
  primary key (environment_id, process, release_id)
) strict;

create table instances (
  id text primary key,
  environment_id text not null references environments (id) on delete cascade,
  release_id text not null references releases (id),
  deployment_id text not null references deployments (id),
  process text not null,
  slot integer not null,
  node_id text not null references nodes (id),
  name text not null unique,
  address text not null,
  host_port integer,
  container_id text,
  desired text not null check (desired in ('running', 'stopped', 'removed')),
  observed text not null check (observed in ('starting', 'running', 'unhealthy', 'stopping', 'stopped', 'crashed')),
  -- 1 = named in the route table (traffic rows say with which weight).
  routed integer not null default 0,
  restarts integer not null default 0,
  drain_until integer,
  -- JSON {exit_code, oom_killed, at}
  last_exit text,
  created_at integer not null,
  -- Set when its container is gone; its address rests from then on.
  released_at integer
) strict;
create unique index instances_address_in_use on instances (environment_id, address) where released_at is null;
create index instances_by_environment on instances (environment_id) where released_at is null;

create table route_generations (
  generation integer primary key,
  sha256 text not null,
  created_at integer not null,
  acked_at integer,
  error text
) strict;

create table volumes (
  id text primary key,
  -- Outlives its environment: destroying an app keeps its data unless asked otherwise.
  environment_id text references environments (id) on delete set null,
  app_name text not null,
  environment_name text not null,
  name text not null,
  engine_name text not null unique,
  created_at integer not null
) strict;
create unique index volumes_by_name on volumes (environment_id, name) where environment_id is not null;

create table mounts (
  environment_id text not null references environments (id) on delete cascade,
  volume_id text not null references volumes (id) on delete cascade,
  -- '*' = every process.
  process text not null default '*',
  path text not null,
  read_only integer not null default 0,
  primary key (environment_id, process, path)
) strict;

create table domains (
  id text primary key,
  environment_id text not null references environments (id) on delete cascade,
  host text not null,
  path text not null default '/',
  process text not null default 'web',
  strip_path integer not null default 0,
  verified_at integer,
  created_at integer not null,
  unique (host, path)
) strict;

create table keys (
  id text primary key,
  created_at integer not null,
  retired_at integer
) strict;

-- Secrets to reach private sources and registries, sealed.
create table credentials (
  id text primary key,
  app_id text not null references apps (id) on delete cascade,
  kind text not null,
  sealed blob not null,
  created_at integer not null
) strict;

-- Secrets of people and programs are kept as hashes only.
create table login_links (
  hash blob primary key,
  created_at integer not null,
  expires_at integer not null,
  used_at integer
) strict;

create table sessions (
  id text primary key,
  hash blob not null unique,
  created_at integer not null,
  seen_at integer not null,
  expires_at integer not null,
  ip text,
  user_agent text
) strict;

create table tokens (
  id text primary key,
  name text not null,
  hash blob not null unique,
  -- First 8 characters, to recognise it.
  prefix text not null,
  permissions text not null,
  created_at integer not null,
  last_used_at integer,
  expires_at integer
) strict;

create table events (
  seq integer primary key autoincrement,
  type text not null,
  at integer not null,
  app_id text,
  payload text not null
) strict;

-- Each row's hash covers the one before it.
create table audit (
  seq integer primary key,
  at integer not null,
  actor_type text not null,
  actor_id text not null,
  actor_name text not null,
  action text not null,
  target text not null,
  detail text not null,
  outcome text not null,
  ip text,
  prev_hash text not null,
  hash text not null
) strict;

-- Requests per minute and route, reported by the data plane; kept for a day.
create table request_counts (
  environment_id text not null references environments (id) on delete cascade,
  minute integer not null,
  requests integer not null,
  errors integer not null,
  bytes_out integer not null,
  -- JSON counts by latency bound (protocol.ts RouteMetrics).
  histogram text not null,
  primary key (environment_id, minute)
) strict, without rowid;
