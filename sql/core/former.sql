-- Functions of an earlier pgvigil that have other parameters by now, or none any more. Last, since
-- what called them has been made anew by then.

do $$
declare
    v_signature text;
begin
    foreach v_signature in array array[
        '_job_lock_key(text)',
        '_source_query_lock_key(text)',
        '_time_limit_class()',
        '_cancel_session(integer)',
        '_rule_query_hint(text)',
        '_run_rule_query(text,timestamptz,integer,integer)',
        '_run_rule_query(text,text,integer,integer)',
        '_checked_etl_end(text)',
        '_checked_end_status(text)',
        '_checked_health(text)',
        '_checked_level(text)',
        '_checked_length(text,double precision)',
        '_checked_value(double precision)',
        '_checked_numbers(text,jsonb)',
        '_checked_start(timestamptz,timestamptz)',
        '_checked_end(timestamptz)',
        '_checked_attempt(bigint)',
        '_refuse_span(timestamptz,timestamptz)',
        '_check_keys(text,jsonb)',
        '_complete_unknown_task(text,text,bigint,jsonb,jsonb,jsonb,timestamptz)',
        '_end_unknown_etl_execution(text,text,jsonb,jsonb,timestamptz)',
        '_insert_rows(text,jsonb)'
    ] loop
        if to_regprocedure('monitoring.' || v_signature) is not null then
            execute 'drop function monitoring.' || v_signature;
        end if;
    end loop;
end
$$;
