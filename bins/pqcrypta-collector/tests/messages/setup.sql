-- Tables, functions and settings for provoke.sql. No parameters; run once by a superuser in a database of
-- its own.
create table kunden (
    id int primary key,
    email text constraint kunden_email_key unique,
    name varchar(20) not null,
    age int constraint kunden_age_check check (age < 150),
    chief int references kunden
);
insert into kunden values (1, 'first', 'first', 1, null), (2, 'second', 'second', 2, 1);
create table slots (during int4range, exclude using gist (during with &&));
create table parts (a int) partition by list (a);
create table parts_1 partition of parts for values in (1);
create type mood as enum ('good', 'bad');
create domain small as text constraint small_check check (length(value) < 5);
create view adults as select * from kunden where age > 17 with check option;
create table guarded (owner text);
alter table guarded enable row level security;
alter table guarded force row level security;
create role reader;
grant all on guarded to reader;
create policy own on guarded using (owner = 'nobody');
create sequence counter maxvalue 10;
create function insert_twice(value text) returns void language plpgsql as
    $$ begin execute format('insert into kunden values (1, %L, ''x'', 1)', value); end $$;
create function assign() returns int language plpgsql as
    $$ declare n int; begin n := 'Canary assigned'; return n; end $$;
create function nested() returns void language plpgsql as
    $$ begin perform insert_twice('Canary nested'); end $$;
create function in_sql() returns int language sql as $$ select 'Canary in sql'::text::int $$;
create function told(value text) returns void language plpgsql as
    $$ begin raise exception 'the card "%" is locked', value using detail = format('It is "%s".', value), hint = format('Ask for "%s".', value); end $$;
