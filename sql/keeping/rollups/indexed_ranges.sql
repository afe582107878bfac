-- Letting BRIN indexes know the pages that are full. Whoever looks for new rows reads all that an
-- index does not know, and PostgreSQL itself lets it know only when autovacuum comes by: so each
-- roll-up does, for what was filled since the last one. Reads and writes rollup_progress.

-- Lets a BRIN index know the full ranges of pages of its partition, from the given one on; returns
-- how many it knows. The last range is left alone, for every insert would have to widen it.
create or replace function monitoring._index_full_ranges(p_index regclass, p_from integer)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_partition regclass;
    v_pages bigint;
    v_full integer;
begin
    select i.indrelid::regclass, coalesce(max(o.option_value::bigint), 128) into v_partition, v_pages
    from pg_index i
    inner join pg_class c on c.oid = i.indexrelid
    left join pg_options_to_table(c.reloptions) o on o.option_name = 'pages_per_range'
    where i.indexrelid = p_index
    group by i.indrelid;
    v_full := (
        pg_relation_size(v_partition) / (v_pages * current_setting('block_size')::bigint)
    )::integer;
    for v_range in p_from..v_full - 1 loop
        perform brin_summarize_range(p_index, v_range * v_pages);
    end loop;
    return v_full;
end
$$;

-- Does so for the days of a table that rows are recorded in, and notes how far it got: by file
-- node, for an index whose table is emptied or written anew has another.
create or replace function monitoring._index_open_days(p_table text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- A vacuum is stopped by who waits for it for a second, and does the same.
set lock_timeout = '1ms'
as $$
declare
    v_known jsonb;
    v_now_known jsonb;
begin
    select r.indexed_ranges into v_known
    from monitoring.rollup_progress r
    where r.table_name = p_table;
    select coalesce(jsonb_object_agg(
        f.file_node,
        monitoring._index_full_ranges(
            i.time_index, coalesce((v_known ->> f.file_node)::integer, 0)
        )
    ), '{}') into v_now_known
    from generate_series(-1, 1) o (days)
    cross join lateral monitoring._time_indexes(
        p_table, monitoring.clock() + o.days * interval '24 hours'
    ) i (time_index)
    cross join lateral (select pg_relation_filenode(i.time_index)::text) f (file_node);
    update monitoring.rollup_progress
    set indexed_ranges = v_now_known
    where table_name = p_table and indexed_ranges <> v_now_known;
exception
    when lock_not_available then
        null; -- the next roll-up goes on
end
$$;
