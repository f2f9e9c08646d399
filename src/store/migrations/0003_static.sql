-- Static releases: files that the data plane serves itself, with no image that runs and no address.

-- Name of the directory below <data>/proxy/sites; null = what was built runs in containers.
alter table builds add column site text;
-- A plain site is never an image.
alter table builds alter column image_tag drop not null;
alter table builds alter column image_id drop not null;
alter table builds add constraint builds_made_something check (image_tag is not null or site is not null);

-- What the instance serves instead of running anything; null = a container at an address.
alter table instances add column site text;
alter table instances alter column address drop not null;
alter table instances add constraint instances_somewhere check ((address is null) <> (site is null));
