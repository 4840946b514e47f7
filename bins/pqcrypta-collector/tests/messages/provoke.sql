-- Messages of every class that carries data, each with a canary (`Canary…`, `815…`) where a client puts a
-- constant. Run statement by statement; most fail, which is their purpose. Parted by lines of `--`.
insert into kunden values (3, 'first', 'Canary unique', 1)
--
insert into kunden values (81500001, null, null, 81500002)
--
insert into kunden values (81500003, 'Canary check', 'x', 81500004)
--
insert into kunden values (4, 'Canary foreign', 'x', 1, 81500005)
--
delete from kunden where id = 1 and name <> 'Canary delete'
--
insert into slots values ('[81500006,81500009)'), ('[81500007,81500008)')
--
select 'Canary integer'::int
--
select '81500010815000108150001081500010'::int
--
select 'Canary date'::date
--
select '2026-81-50'::date /* Canary comment */
--
select 'Canary interval'::interval
--
select 'Canary bool'::boolean
--
select 'Canary uuid'::uuid
--
select 'Canary inet'::inet
--
select 'Canary numeric'::numeric
--
select 'Canary float'::float8
--
select 'Canary bytea \x'::bytea, decode('Canary hex', 'hex')
--
select 'Canary bit'::bit(4)
--
select 'Canary point'::point
--
select 'Canary money'::money
--
select '{"a": Canary}'::json
--
select '{"a": "Canary json'::jsonb
--
select '["Canary json", 81500011,]'::json
--
select 'Canary "in" quotes'::int
--
select '{"password": "Canary in json"}'::int
--
select xml '<a>Canary xml</b>'
--
select xmlparse(document 'Canary no xml')
--
select '{Canary array'::text[]
--
select '[81500013,81500012)'::int4range
--
select 'Canary range'::int4range
--
select 'Canary record'::kunden
--
select 'Canary mood'::mood
--
select 'Canary domain'::small
--
select 'Canary much too long for a column of so few letters' where false; insert into kunden values (5, 'e', 'Canary much too long for a column of so few letters')
--
selec 'Canary syntax'
--
select * from kunden where name = 'Canary cut
--
select * form kunden where name = 'Canary form' and 1 = 81500014
--
alter role reader password 'Canary role' nonsense
--
alter role reader passwort 'Canary passwort'
--
alter role reader password CanaryBare
--
create role writer login password 'Canary writer'
--
create user mapping for reader server missing options (password 'Canary mapping')
--
select * from kunden where email = "Canary column"
--
select missing('Canary function', 81500015)
--
select * from missing where a = 'Canary relation'
--
select 81500016 / 0, 'Canary division'
--
copy kunden from program 'echo Canary copy'
--
copy kunden from program 'printf "81500017,\"Canary \"\"copy\"\" csv\nsecond\",x\n"' csv
--
copy kunden from program 'printf "1\tCanary copy key\tx\t1\t\\\\N\n"'
--
copy kunden from '/nonexistent/Canary file'
--
do $$ begin raise exception 'the card "%" is locked', 'Canary raised'; end $$
--
do $$ begin raise exception 'customer % canary bare is blocked', 81500042 using detail = 'card canary detail of jane', hint = 'call canary hint'; end $$
--
do $$ begin raise exception 'canary of a code' using errcode = 'AB123', detail = 'Canary 81500043'; end $$
--
do $$ begin raise warning 'canary of a warning, 81500044'; end $$
--
do $$ begin raise exception 'canary under a code of the server' using errcode = 'unique_violation', detail = 'canary (email)=(81500045)'; end $$
--
do $$ begin assert false, 'canary of an assertion'; end $$
--
do $$ begin raise notice 'the card "%" is fine', 'Canary notice'; raise warning 'card "%"', 'Canary warning'; end $$
--
select told('Canary told')
--
select insert_twice('Canary dynamic')
--
select nested()
--
select assign()
--
select in_sql()
--
do $$ begin execute 'select ''Canary executed''::int'; end $$
--
prepare p as select $1::text, 'Canary prepared'; execute p('Canary executed')
--
set work_mem = 'Canary memory'
--
set timezone = 'Canary zone'
--
set role 'Canary role'
--
set search_path = 'Canary path'; set search_path = default
--
alter system set primary_conninfo = 'host=h password=Canary system'
--
select to_date('Canary to date', 'YYYY-MM-DD')
--
select to_timestamp('2026 Canary', 'YYYY DD')
--
select 'x' ~ '(Canary expression'
--
select '{}'::jsonb @? '$.Canary['
--
select '{"Canary key": 1}'::jsonb -> 'a' -> 81500018, ('{"a":"Canary"}'::jsonb -> 'a')::int
--
select to_tsquery('Canary &')
--
select ('Canary' || chr(0))
--
select convert_from('Canary\xff', 'UTF8')
--
insert into parts values (81500019)
--
insert into adults values (81500020, 'Canary view', 'x', 3)
--
set role reader; insert into guarded values ('Canary guarded'); reset role
--
reset role; select nextval('counter'), setval('counter', 3), 'Canary counter' from generate_series(1, 12)
--
notify channel, 'Canary payload'
--
comment on table kunden is 'Canary comment'
--
declare c cursor for select 'Canary cursor'
--
create subscription s connection 'host=/nonexistent password=Canary dbname=x' publication p
--
select pg_sleep(0.001), E'Canary \'escaped\'', $q$Canary dollar$q$, 81500021 -- Canary trailing
--
load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_analyze = on; set auto_explain.log_nested_statements = on; set auto_explain.log_verbose = on; select * from kunden where email = 'Canary explained' and age = 81500022; set auto_explain.log_format = json; select * from kunden where email = 'Canary "explained"' and age = 81500023; set auto_explain.log_format = yaml; select * from kunden where email = 'Canary ''explained''' and age = 81500024; set auto_explain.log_format = xml; select * from kunden where email = 'Canary <explained>' and age = 81500025; select * from kunden k join kunden l on k.id = l.id and l.email = E'Canary\nlines'
