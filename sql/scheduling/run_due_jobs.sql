-- What runs the jobs. Procedures that commit can be neither security definer nor pinned to a search
-- path; so these are as short as can be, and whatever they call is.

-- Ends a transaction and begins the next, which sees what others commit; its name is what the
-- server shows to those who call run_due_jobs within a transaction block.
create or replace procedure monitoring._commit_outside_a_transaction_block()
language plpgsql
as $$
begin
    commit;
    set transaction isolation level read committed;
end
$$;

create or replace procedure monitoring.run_due_jobs(
    p_at_most integer default null,
    inout p_runs jsonb default null
)
language plpgsql
as $$
declare
    v_due_until timestamptz;
    v_job_name text;
    v_passed_over text [];
begin
    call monitoring._commit_outside_a_transaction_block();
    perform monitoring.cancel_overdue_jobs();
    call monitoring._commit_outside_a_transaction_block();
    perform monitoring._close_lost_jobs();
    call monitoring._commit_outside_a_transaction_block();
    v_due_until := monitoring.clock();
    p_runs := '[]';
    while p_at_most is null or pg_catalog.jsonb_array_length(p_runs) < p_at_most loop
        v_job_name := monitoring._claim_job(v_due_until, v_passed_over);
        call monitoring._commit_outside_a_transaction_block();
        exit when v_job_name is null;
        v_passed_over := pg_catalog.array_append(v_passed_over, v_job_name);
        perform monitoring._run_job(v_job_name);
        p_runs := monitoring._with_last_run(p_runs, v_job_name);
        call monitoring._commit_outside_a_transaction_block();
    end loop;
end
$$;

comment on procedure monitoring.run_due_jobs (integer, jsonb) is
'Runs every job that is due when it is called (or only so many), each once and in a transaction '
'of its own, and returns how each ended. Any number of sessions may call it, none within a '
'transaction block.';
