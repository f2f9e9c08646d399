-- Requests as the data plane reports them, in slots of three lengths: ten seconds are kept for an hour, minutes for a
-- day, hours for 90 days.
create table request_slots (
  environment_id text not null references environments (id) on delete cascade,
  -- Length in seconds.
  length_s integer not null check (length_s in (10, 60, 3600)),
  -- Unix seconds, a multiple of the length.
  start integer not null,
  requests integer not null,
  status_1xx integer not null,
  status_2xx integer not null,
  status_3xx integer not null,
  status_4xx integer not null,
  status_5xx integer not null,
  bytes_in integer not null,
  bytes_out integer not null,
  -- Sum of all durations.
  total_ms integer not null,
  -- The most that were open whenever the data plane reported.
  in_flight integer not null,
  -- JSON counts by latency bound (protocol.ts RouteMetrics).
  histogram text not null,
  primary key (environment_id, length_s, start)
) strict, without rowid;

-- What was counted before knew no classes but 5xx.
insert into request_slots
  select environment_id, 60, minute * 60, requests, 0, 0, 0, 0, errors, 0, bytes_out, 0, 0, histogram from request_counts;
drop table request_counts;
