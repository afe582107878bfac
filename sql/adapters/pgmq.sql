-- pgmq, a message queue as an extension or plain SQL. A queue is a table of its own; messages that
-- are done are deleted or archived, so that what is done are the numbers given out less those that
-- are left. A queue that may not be read is a trouble of its own, and stops no other.

select monitoring.define_adapter(
    'pgmq',
    'pgmq 1.5',
    '{"meta": ["queue_name", "is_partitioned", "is_unlogged", "created_at"]}',
    p_depths => $$
declare
    v_queue text;
    v_table text;
    v_next bigint;
begin
    for v_queue in select m.queue_name from {schema}.meta as m loop
        v_table := format('%I.%I', '{schema}', 'q_' || lower(v_queue collate "C"));
        begin
            v_next := coalesce(pg_sequence_last_value(
                pg_get_serial_sequence(v_table, 'msg_id')::regclass
            ), 0);
            return query execute format(
                'select %L::text, count(*) filter (where q.vt <= $1), '
                'count(*) filter (where q.vt > $1 and q.read_ct > 0), $2 - count(*), 0::bigint, '
                'min(q.enqueued_at) filter (where q.vt <= $1) from %s as q',
                v_queue, v_table
            ) using p_now, v_next;
        exception
            when insufficient_privilege or undefined_table then
                return query select
                    v_queue, null::bigint, null::bigint, null::bigint, null::bigint,
                    null::timestamptz;
        end;
    end loop;
end
    $$,
    p_further_grants => array[
        'grant select on all tables in schema {schema} to {reader};',
        'grant select on all sequences in schema {schema} to {reader};',
        'alter default privileges in schema {schema} grant select on tables to {reader};',
        'alter default privileges in schema {schema} grant select on sequences to {reader};'
    ]
);
