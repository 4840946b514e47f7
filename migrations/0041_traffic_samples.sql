-- How many visits each site has, as samples.
--
-- Why so: a site that nobody reaches, or whose script is gone, has no error anywhere; that views are missing which usually come shows it.
-- Judged, charted and rolled up like other samples.
CREATE TABLE collector.traffic_samples_raw (
    ts            timestamptz NOT NULL,
    host_id       integer NOT NULL,
    site          text NOT NULL,
    views         bigint NOT NULL,
    visitors_live bigint NOT NULL,
    refused       bigint NOT NULL,
    silent_secs   double precision,
    missed_views  double precision
) PARTITION BY RANGE (ts);
CREATE INDEX traffic_samples_raw_ts ON collector.traffic_samples_raw (host_id, ts);
COMMENT ON TABLE collector.traffic_samples_raw IS 'Views, visitors and refusals of the last five minutes of each site, and what its silence misses.';
