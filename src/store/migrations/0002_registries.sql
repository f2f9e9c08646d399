-- Prebuilt images: who the box is at which registry, and what a deployment is pulling.

create table registries (
  id text primary key,
  -- Host and port; docker.io for Docker Hub.
  server text not null unique,
  username text not null,
  -- The password, bound to server and user name.
  sealed blob not null,
  created_by text not null,
  created_at integer not null
) strict;

-- Written before the engine is asked to pull, gone when the deployment has its image: a pull that was killed goes on
-- with the digest it began with, and what it left at the engine is known to be ours.
create table pulls (
  deployment_id text primary key references deployments (id) on delete cascade,
  -- Name and digest.
  image text not null,
  -- 1 = the engine had it by this name before, so the name stays.
  keep_name integer not null
) strict;
