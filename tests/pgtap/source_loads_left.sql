-- Rows of a load that broke off are removed once nobody may continue it.

begin;
select plan(9);
\ir helpers/fixed_clock.psql

select monitoring.register_source_query(
    'crm', 'CRM_DB', 'select id, state from proposals', '{id,state}', 'id', p_every => '30 minutes'
);
select monitoring.register_source_query(
    'erp', 'ERP_DB', 'select id, state from orders', '{id,state}', 'id', p_every => '1 day'
);

-- A load that broke off after two rows.
create function pg_temp.break_off(p_query_name text) returns text
language sql
as $$
    select monitoring.begin_source_load(p_query_name);
    insert into monitoring.staged_rows (load_id, row_number, cells)
    select l.load_id, n, array[n::text, 'OPEN']
    from monitoring.source_loads as l, generate_series(1, 2) as n
    where l.query_name = p_query_name and l.status = 'loading';
    select monitoring.note_source_progress(l.load_id, 2, '2')
    from monitoring.source_loads as l where l.query_name = p_query_name and l.status = 'loading';
    select monitoring.fail_source_load(p_query_name, 'the server has gone away')
$$;

create function pg_temp.state() returns text
language sql
as $$
    select string_agg(
        format(
            '%s %s %s', l.query_name, l.status,
            (select count(*) from monitoring.staged_rows as r where r.load_id = l.load_id)
        ), ', ' order by l.load_id
    )
    from monitoring.source_loads as l
$$;

select is(pg_temp.break_off('crm'), 'interrupted', 'a load broke off');
select pg_temp.break_off('erp');
select monitoring.enable_source_query('crm');
select is(
    pg_temp.state(), 'crm interrupted 2, erp interrupted 2',
    'its rows stay while it may be continued'
);
select monitoring.disable_source_query('crm');
select is(
    pg_temp.state(), 'crm failed 0, erp interrupted 2', 'they go when the query is disabled'
);
select is(
    (select v.last_error from monitoring.v_source_queries as v where v.query_name = 'crm'),
    'the server has gone away',
    'why it broke off is still known'
);

select monitoring.enable_source_query('crm');
select monitoring.begin_source_load('crm');
update monitoring.source_queries set is_enabled = false where query_name = 'crm';
select is(
    monitoring.fail_source_load('crm', 'no answer'), 'failed',
    'what is disabled while it is loaded is not continued either'
);

select pg_temp.set_clock('2026-01-16 11:59+00');
select monitoring.sync_sources();
select is(
    pg_temp.state(), 'crm failed 0, erp interrupted 2, crm failed 0',
    'the hourly job leaves alone what may be continued'
);
select pg_temp.set_clock('2026-01-16 12:00+00');
select monitoring.sync_sources();
select is(
    pg_temp.state(), 'crm failed 0, erp failed 0, crm failed 0',
    'and removes the rows of what nobody has continued for too long'
);

select pg_temp.break_off('erp');
select monitoring.remove_source_query('erp');
select is(pg_temp.state(), 'crm failed 0, crm failed 0', 'a query that is removed takes all along');
select is_empty('select * from monitoring.staged_rows', 'nothing is left');

select * from finish(); -- noqa: AM04
rollback;
