-- Functions of an earlier pgvigil that have other parameters by now, or none any more. Last, since
-- what called them has been made anew by then; each before what it calls itself.

do $$
begin
    perform monitoring._drop_former(
        '_meet_names(text,bigint,bigint[],timestamptz)',
        '_job_lock_key(text)',
        '_source_query_lock_key(text)',
        '_time_limit_class()',
        '_cancel_session(integer)',
        '_rule_query_hint(text)',
        '_make_trigger_function(text[],text)',
        '_write_trigger_function(text,text[],text)',
        '_tracking_code(text[],text)',
        '_tracking_query(text,text[],text)',
        '_rows_updated(text[],text)',
        '_parts_of_rows(text,text[],text)',
        '_rows_of_table(text,text[],text)',
        '_joined_key(text,text[])',
        '_relation_rows(text)',
        '_run_rule_query(text,timestamptz,integer,integer)',
        '_run_rule_query(text,text,integer,integer)',
        '_run_rule_query(text,text,integer)',
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
        '_check_records(jsonb,text[])',
        '_checked_interval(text,text)',
        '_complete_unknown_task(text,text,bigint,jsonb,jsonb,jsonb,timestamptz)',
        '_end_unknown_etl_execution(text,text,jsonb,jsonb,timestamptz)',
        '_insert_rows(text,jsonb)',
        '_make_partitions(text,timestamptz)',
        '_make_partitions_for_rows(text,text,jsonb)',
        '_status_change_statement(text,boolean)',
        '_in_words(double precision)'
    );
end
$$;
