-- A source of queues: how deep they are is recorded, from a table of items or one of figures.

begin;
select plan(29);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

create schema scratch;
create table scratch.jobs (id serial, queue text, state text, run_at timestamp, note text);
create table scratch.depths (
    name text, waiting text, working integer, done bigint, dead bigint, oldest timestamptz
);
grant usage on schema scratch to monitoring_reader;
grant select (queue, state, run_at, note) on scratch.jobs to monitoring_reader;
grant select on scratch.depths to monitoring_reader;

-- Reads a source at a time of UTC; what it found, without what it found none of.
create function pg_temp.sync_at(p_time text, p_source text default 'jobs') returns text
language plpgsql
as $$
declare
    v_result jsonb;
begin
    perform set_config('monitoring.now', '2026-01-15 ' || p_time || '+00', true);
    v_result := monitoring.sync_source(p_source);
    return coalesce(v_result ->> 'error', (
        select string_agg(c.key || ' ' || c.value, ', ' order by c.key)
        from jsonb_each_text(v_result - 'source') as c where c.value <> '0'
    ), 'nothing');
end
$$;

-- Newest samples, as "mail 2/1/0/0 90": pending, processing, completed, failed, seconds.
create function pg_temp.depths() returns text
language sql
as $$
    select string_agg(
        format(
            '%s %s/%s/%s/%s%s', d.queue_name, d.pending, d.processing, d.completed, d.failed,
            ' ' || d.oldest_ready_seconds
        ),
        ', ' order by d.queue_name
    )
    from (
        select distinct on (q.queue_name) q.*
        from monitoring.queue_monitoring as q
        order by q.queue_name, q.recorded_at desc, q.sample_id desc
    ) as d
$$;

-- Items

select monitoring.register_queue_source(
    'jobs', 'scratch.jobs', '{"queue": "queue", "status": "state", "ready_at": "run_at"}',
    '{"available": "pending", "executing": "processing", "done": "completed",
        "discarded": "failed", "draft": "ignored"}',
    p_time_zone => 'America/Sao_Paulo'
);
insert into scratch.jobs (queue, state, run_at) values
('mail', 'available', '2026-01-15 08:58:30'), ('mail', ' AVAILABLE', '2026-01-15 08:59:00'),
('mail', 'available', '2026-01-15 10:00:00'), ('mail', 'executing', '2026-01-15 08:00:00'),
('mail', 'draft', '2026-01-01'), ('bill', 'done', null), ('bill', 'done', null),
('bill', 'discarded', null);
select is(
    pg_temp.sync_at('12:00'), 'completed 2, failed 1, pending 2, processing 1, queues 2',
    'items are counted by what their status means'
);
select is(
    pg_temp.depths(), 'bill 0/0/2/1, mail 2/1/0/0 90',
    'by queue, without those whose time has not come; the age is that of the oldest that waits'
);
select is(
    (select string_agg(source_name || ' ' || kind, ', ') from monitoring.v_sources),
    'jobs queue', 'the source is among all others'
);
select is(
    (
        select count(*) from monitoring.queue_monitoring
        where recorded_at = '2026-01-15 12:00+00'
    ),
    2::bigint, 'it is so as of when it was read'
);

delete from scratch.jobs where queue = 'bill';
select is(pg_temp.sync_at('12:01'), 'pending 2, processing 1, queues 2', 'a queue may end');
select is(pg_temp.depths(), 'bill 0/0/0/0, mail 2/1/0/0 150', 'it is empty then');
select is(pg_temp.sync_at('12:02'), 'pending 2, processing 1, queues 1', 'which is told once');

-- Rows of which nothing can be made

insert into scratch.jobs (queue, state) values
('', 'available'), ('mail', 'lost'), ('mail', 'lost');
select is(
    pg_temp.sync_at('12:03'), 'bad 2, pending 2, processing 1, queues 1',
    'what nobody has explained is not counted'
);
select results_eq(
    $$
        select trouble, subject, message from monitoring.v_source_troubles
        where ended_at is null order by trouble
    $$,
    $$
        values ('bad_row', 'has no queue, or one with too long a name',
            'has no queue, or one with too long a name (rows: 1, such as of queue (without a name))'),
        ('unknown_status', 'LOST',
            'nobody has said what status "LOST" means (items that have it: 2, such as of queue mail)')
    $$,
    'but told'
);
delete from scratch.jobs where queue = '' or state = 'lost';
select pg_temp.sync_at('12:04');
select is_empty(
    $$select * from monitoring.v_source_troubles where ended_at is null$$, 'until it is right'
);

select monitoring.register_queue_source(
    'notes', 'scratch.jobs', '{"ready_at": "note"}', p_queue_name => 'all'
);
update scratch.jobs set note = case id % 2 when 0 then 'soon' else '2026-01-15 12:00' end;
select is(
    pg_temp.sync_at('12:05', 'notes'), 'bad 1, pending 5, queues 1',
    'an item whose time means nothing waits all the same'
);
select is(
    (select subject from monitoring.v_source_troubles where source_name = 'notes'),
    'ready_at is not a time: "soon"', 'and that is told'
);
delete from scratch.jobs;
select is(pg_temp.sync_at('12:06', 'notes'), 'queues 1', 'a table without items');
select is(
    (
        select pending from monitoring.queue_monitoring where queue_name = 'all'
        order by recorded_at desc limit 1
    ),
    0::bigint, 'is an empty queue'
);

-- Figures

select monitoring.register_queue_source(
    'depths', 'scratch.depths',
    '{"queue": "name", "pending": "waiting", "processing": "working", "completed": "done",
        "failed": "dead", "oldest_ready_at": "oldest"}',
    p_queue_name => 'erp'
);
insert into scratch.depths values
('in', '3', 1, 100, 2, '2026-01-15 12:09+00'), ('in', '4', null, 50, 0, '2026-01-15 12:08+00'),
('out', 'many', 0, 7, 0, null), ('odd', '-1', 0, 0, 0, null);
select is(
    pg_temp.sync_at('12:10', 'depths'),
    'bad 2, completed 150, failed 2, pending 7, processing 1, queues 1',
    'figures of a queue are added up, and what is none is not taken for one'
);
select is(
    (
        select string_agg(queue_name || ' ' || oldest_ready_seconds, ', ')
        from monitoring.queue_monitoring where queue_name like 'erp%'
    ),
    'erp:in 120', 'of several sources each has names of its own'
);
select is(
    (
        select count(*) from monitoring.v_source_troubles
        where source_name = 'depths' and trouble = 'bad_row'
    ),
    2::bigint, 'and told'
);

-- Where nothing can be read

create view scratch.nothing as select waiting from scratch.depths where false;
grant select on scratch.nothing to monitoring_reader;
select monitoring.register_queue_source('one', 'scratch.nothing', '{"pending": "waiting"}');
select is(
    pg_temp.sync_at('12:11', 'one'), 'scratch.nothing has no row',
    'what was not measured is not nothing'
);
select is(
    (
        select string_agg(r.value ->> 'source' || coalesce(r.value ->> 'error', ' is read'), ', ')
        from jsonb_array_elements(monitoring.sync_sources()) as r
    ),
    'jobs is read, notes is read, depths is read', 'the job reads those that are due'
);

-- Rows of a query, and a table of which nothing is known

create table scratch.bare (id integer);
select is(
    (
        select r.message
        from pg_temp.refusal_of(
                $call$monitoring.register_queue_source('bare', 'scratch.bare')$call$
            ) as r
    ),
    'monitoring_reader may not read scratch.bare', 'to count rows takes a right, too'
);
grant select on scratch.bare to monitoring_reader;
insert into scratch.bare values (1), (2);
select monitoring.register_queue_source('bare', 'scratch.bare');
select is(
    pg_temp.sync_at('12:12', 'bare'), 'pending 2, queues 1', 'its rows are what waits'
);
select monitoring.register_source_query('far', 'FAR', 'select state, at from jobs', '{state,at}');
select monitoring.register_queue_source(
    'far', 'query:far', '{"status": "state", "ready_at": "at"}', '{"W": "pending"}'
);
select monitoring.begin_source_load('far');
insert into monitoring.staged_rows (load_id, row_number, cells)
select
    l.load_id,
    n.number,
    array['W', '2026-01-15T12:10:00'] as cells
from monitoring.source_loads as l, generate_series(1, 3) as n (number);
select monitoring.note_source_progress(l.load_id, 3) from monitoring.source_loads as l;
select is(
    (
        select monitoring.finish_source_load(l.load_id) #> '{sources,0}'
        from monitoring.source_loads as l
    ),
    '{"bad": 0, "failed": 0, "queues": 1, "source": "far", "pending": 3, "completed": 0,
        "processing": 0}'::jsonb,
    'a query may bring the items'
);
select is(
    (select oldest_ready_seconds from monitoring.queue_monitoring where queue_name = 'far'),
    120::double precision, 'with their times'
);

-- Refusals

create function pg_temp.refused(p_columns text, p_more text default '') returns text
language sql
as $$
    select r.code || ' ' || r.message
    from pg_temp.refusal_of(format(
        'monitoring.register_queue_source(''q'', ''scratch.jobs'', %L%s)', p_columns, p_more
    )) as r
$$;
select is(
    pg_temp.refused('{"state": "state"}'), 'PV003 key of columns is not known: "state"',
    'a key that means nothing'
);
select matches(
    pg_temp.refused('{"status": "state"}'), '^PV005 statuses has the wrong shape',
    'a status without a word of what it means'
);
select is(
    pg_temp.refused('{"status": "state"}', ', ''{"a": "waiting"}'''),
    'PV003 meaning of status a is not known: "waiting"', 'a meaning that is none'
);
select is(
    pg_temp.refused('{"pending": "gone"}'), 'PV007 scratch.jobs has no column "gone"',
    'a column that is not there'
);
select is(
    pg_temp.refused('{}', ', p_every => ''1 second'''),
    'PV004 every is out of range: 00:00:01', 'being read without a pause'
);
select is(
    (
        select r.message from pg_temp.refusal_of($call$monitoring.register_run_source(
            'jobs', 'scratch.jobs', '{}', '{}')$call$) as r
    ),
    'there is a source of queues named "jobs"', 'and the name of a source of another kind'
);

select * from finish(); -- noqa: AM04
rollback;
