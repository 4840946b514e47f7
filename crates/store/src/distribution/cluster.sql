-- What the cluster says of itself, asked at the coordinator.
-- Columns: is_coordinator bool, workers int8 (active ones that take shards).
SELECT pg_catalog.citus_is_coordinator() AS is_coordinator,
       (SELECT count(*) FROM pg_catalog.pg_dist_node
        WHERE noderole = 'primary' AND groupid <> 0 AND isactive AND shouldhaveshards) AS workers
