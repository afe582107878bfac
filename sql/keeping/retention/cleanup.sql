-- Removing what is older than its policy says: one call, one transaction, bounded work; the
-- scheduler comes again. What takes long comes first and locks nobody out; locks that others could
-- wait for come last, each waited for no longer than lock_timeout.

create or replace function monitoring.cleanup_old_monitoring_data(
    p_is_dry_run boolean default false
)
returns setof monitoring.removal
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_is_dry_run boolean := coalesce(p_is_dry_run, true);
    v_lock_timeout text := current_setting('lock_timeout');
    v_due_days monitoring.removal [];
    v_done monitoring.removal;
    v_has_emptied boolean := false;
    v_waits record;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        -- An older snapshot would not show all rows that a truncation removes.
        perform monitoring._refuse_choice('transaction isolation',
            current_setting('transaction_isolation'), array['read committed']);
    end if;
    if not monitoring._try_guard('cleanup') then
        v_done := monitoring._not_removed(
            '', '', 'none', null, 'busy: another clean-up is running'
        );
        return next v_done;
        return;
    end if;
    select w.p_until, w.p_step into v_waits from monitoring._clean_up_waits_until(v_now) w;
    if v_waits.p_until is not null and not v_is_dry_run then
        v_done := monitoring._not_removed('', '', 'none', null, format(
            'the clock jumped ahead by %s: nothing is removed before %s, or confirm_clock()',
            monitoring._spell_seconds(date_part('epoch', v_waits.p_step)),
            to_char(v_waits.p_until, 'YYYY-MM-DD HH24:MI:SSOF')
        ));
        return next v_done;
        return;
    end if;
    perform set_config('lock_timeout', '150ms', true);

    return query select d.* from monitoring._remove_all_late_rows(v_now, v_is_dry_run) d;
    return query select d.* from monitoring._delete_due_rows(v_now, v_is_dry_run) d;
    v_due_days := array(select d from monitoring._due_days(v_now, v_is_dry_run) d);
    foreach v_done in array v_due_days loop
        if v_done.note is null and not v_is_dry_run then
            v_done := monitoring._empty_day(v_done);
        end if;
        v_has_emptied := v_has_emptied or v_done.partitions > 0;
        return next v_done;
    end loop;
    -- Somebody may have a parent and wait for a day that was just emptied.
    if not v_has_emptied then
        for v_done in select d.* from monitoring._tidy_days(v_now, v_is_dry_run) d loop
            return next v_done;
            -- Those who wait for the parent must not wait for what waits after us.
            if v_done.partitions > 0 and not v_is_dry_run then
                v_lock_timeout := '150ms';
            end if;
        end loop;
    end if;
    perform set_config('lock_timeout', v_lock_timeout, true);
end
$$;

comment on function monitoring.cleanup_old_monitoring_data(boolean) is
'Removes what is older than its policy says, a bounded part at each call and without waiting long '
'for a lock, and returns what it removed; a dry run removes nothing. What is left goes at the '
'next call.';

call monitoring._ship_job(
    'clean_up', 'Removes what is older than the retention policies say.',
    '10 minutes', 'monitoring.cleanup_old_monitoring_data'
);

comment on column monitoring.removal.action is
'truncate (a day emptied), drop (empty days dropped), delete (rows of one category) or merge (old '
'days that became a month, with all their rows).';
