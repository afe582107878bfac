-- Messages of pgmq, in tables made after its own.

begin;
select plan(8);
\ir helpers/fixed_clock.psql
\ir helpers/adopting.psql
\o /dev/null
\ir ../../sql/adapters/pgmq.sql
\o

create schema pgmq;
create table pgmq.meta (
    queue_name varchar unique not null,
    is_partitioned boolean not null,
    is_unlogged boolean not null,
    created_at timestamptz not null default now()
);
create table pgmq.q_mail (
    msg_id bigint primary key generated always as identity,
    read_ct integer not null default 0,
    enqueued_at timestamptz not null default '2026-01-15 11:59+00',
    vt timestamptz not null default '2026-01-15 11:59+00',
    message jsonb
);
insert into pgmq.meta (queue_name, is_partitioned, is_unlogged) values ('Mail', false, false);
insert into pgmq.q_mail (message) select '{}' from generate_series(1, 6);
-- One was read and is not to be seen for a while, one is not to be seen yet, two are done.
update pgmq.q_mail set vt = '2026-01-15 12:05+00', read_ct = 1 where msg_id = 1;
update pgmq.q_mail set vt = '2026-01-15 12:05+00' where msg_id = 2;
delete from pgmq.q_mail where msg_id > 4;

select is(
    monitoring.adopt('pgmq') -> 'sources', '["pgmq_queues"]', 'it has depths, and no runs'
);
select ok(
    monitoring.adopt('pgmq') -> 'missing_grants' ? 'grant select on all tables in schema pgmq to '
    'monitoring_reader;',
    'the tables of queues must be granted as well'
);
select ok(pg_temp.adopt('pgmq'), 'it is adopted');
select is(
    pg_temp.sync_at('12:00', 'pgmq_queues'),
    'completed 2, pending 2, processing 1, queues 1',
    'messages wait, are worked on or are done'
);
select is(pg_temp.depths(), 'pgmq:Mail 2/1/2/0 60', 'with the age of the oldest');

-- Made by somebody whose tables are not readable by default.
create table pgmq.q_bill (like pgmq.q_mail including identity);
revoke all on pgmq.q_bill from monitoring_reader;
insert into pgmq.meta (queue_name, is_partitioned, is_unlogged) values ('bill', false, false);
select is(
    pg_temp.sync_at('12:01', 'pgmq_queues'),
    'bad 1, completed 2, pending 2, processing 1, queues 1',
    'a queue that may not be read stops no other'
);
select is(
    (select subject from monitoring.v_source_troubles where ended_at is null),
    'does not say how many items wait', 'and is a trouble of its own'
);
grant select on pgmq.q_bill to monitoring_reader;
grant select on sequence pgmq.q_bill_msg_id_seq to monitoring_reader;
select is(
    pg_temp.sync_at('12:02', 'pgmq_queues'),
    'completed 2, pending 2, processing 1, queues 2', 'until it may be read'
);

select * from finish(); -- noqa: AM04
rollback;
