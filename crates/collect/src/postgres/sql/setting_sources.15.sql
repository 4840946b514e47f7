-- Which of the settings in $1 does the server have, and where is each set? One row each, PostgreSQL 15 and
-- newer, readable by everybody. The server makes a row of every setting that it has: ask once per session.
SELECT name, source FROM pg_show_all_settings() WHERE name = ANY ($1::text[]);
