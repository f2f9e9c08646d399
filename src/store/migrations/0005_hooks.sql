-- JSON array of errors that did not keep the release from going live, e.g. of its post_deploy hook.
alter table deployments add column warnings text not null default '[]';
-- JSON: names of the config variables that the build saw, and their versions. null: built before that was written down.
alter table builds add column config text;
