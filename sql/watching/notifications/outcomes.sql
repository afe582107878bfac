-- What became of an attempt to send a message: sent, failed and tried again later, or given up.
-- Writes queued_notifications and running_totals. Only the attempt that holds the lease counts
-- (outbox.sql).

create or replace function monitoring.note_notification_sent(
    p_notification_id bigint, p_attempt integer
)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_notification monitoring.queued_notifications;
begin
    update monitoring.queued_notifications
    set status = 'sent', finished_at = monitoring.clock(), last_error = null
    where notification_id = p_notification_id
        and status = 'sending'
        and attempts = p_attempt
    returning * into v_notification;
    if not found then
        return false;
    end if;
    perform monitoring._follow_up(v_notification, monitoring.clock());
    perform monitoring._count_notifications(v_notification.channel_name, 'sent');
    return true;
end
$$;

comment on function monitoring.note_notification_sent(bigint, integer) is
'For runners: notes that a message was sent, and has a digest follow of what failed to reach its '
'target before; false when another attempt has taken over, or it was given up.';

create or replace function monitoring.release_notification(
    p_notification_id bigint, p_attempt integer
)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.queued_notifications
    set status = 'waiting', attempts = attempts - 1, next_attempt_at = monitoring.clock()
    where notification_id = p_notification_id
        and status = 'sending'
        and attempts = p_attempt;
    return found;
end
$$;

comment on function monitoring.release_notification(bigint, integer) is
'For runners: gives a claimed message back that was not tried, which counts as no attempt; false '
'when another attempt has taken over, or it was given up.';

-- When to try again after so many attempts: 15 seconds after the first, each time twice as long
-- up to an hour, half as much less or more.
create or replace function monitoring._next_attempt_at(p_now timestamptz, p_attempts integer)
returns timestamptz
language sql
volatile
-- Several messages to one receiver that was away do not all come back at the same moment.
return p_now + make_interval(
    secs => least(15 * 2::double precision ^ (least(p_attempts, 20) - 1), 3600)
    * (0.5 + random())
);

-- Has what waits for a target that does not answer wait a while, which counts as no attempt.
create or replace function monitoring._put_off_notifications(
    p_notification monitoring.queued_notifications, p_until timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.queued_notifications n
    set
        next_attempt_at = p_until,
        last_error = 'the target did not answer the previous message'
    from (
        select q.notification_id
        from monitoring.queued_notifications q
        where q.finished_at = 'infinity'
            and q.status = 'waiting'
            and q.channel_name = p_notification.channel_name
            and q.target = p_notification.target
            and q.next_attempt_at < p_until
            and q.notification_id <> p_notification.notification_id
        for update skip locked
    ) w
    where n.notification_id = w.notification_id;
end
$$;

create or replace function monitoring.note_notification_failed(
    p_notification_id bigint,
    p_attempt integer,
    p_error text,
    p_is_permanent boolean default false,
    p_was_silent boolean default false
)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_notification monitoring.queued_notifications;
    v_max_attempts integer;
    v_is_dead boolean;
begin
    select n.* into v_notification
    from monitoring.queued_notifications n
    where n.notification_id = p_notification_id and n.status = 'sending' and n.attempts = p_attempt
    for update;
    if not found then
        return null;
    end if;
    v_max_attempts := monitoring._max_attempts(v_notification.channel_name);
    v_is_dead := coalesce(p_is_permanent, false)
        or p_attempt % v_max_attempts = 0;
    update monitoring.queued_notifications
    set
        status = case when v_is_dead then 'dead' else 'waiting' end,
        finished_at = case when v_is_dead then v_now else 'infinity'::timestamptz end,
        next_attempt_at = monitoring._next_attempt_at(
            v_now, (p_attempt - 1) % v_max_attempts + 1
        ),
        last_error = monitoring._capped_text(coalesce(p_error, 'no reason given'), 8000)
    where notification_id = p_notification_id;
    perform monitoring._fold_failed(v_notification);
    if p_was_silent then
        -- Else a few targets that hang would take up all a runner's time.
        perform monitoring._put_off_notifications(v_notification, v_now + interval '15 seconds');
    end if;
    perform monitoring._count_notifications(
        v_notification.channel_name, case when v_is_dead then 'dead' else 'failed' end
    );
    return case when v_is_dead then 'dead' else 'waiting' end;
end
$$;

comment on function monitoring.note_notification_failed(
    bigint, integer, text, boolean, boolean
) is
'For runners: notes that an attempt failed: waiting (it is tried again, later each time) or dead '
'(given up, at once where it cannot succeed). Null when another attempt has taken over.';

create or replace function monitoring.retry_notification(p_notification_id bigint) returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.queued_notifications
    set
        status = 'waiting',
        finished_at = 'infinity',
        next_attempt_at = monitoring.clock()
    where notification_id = p_notification_id and status = 'dead';
    if found then
        perform monitoring._wake_senders();
        return true;
    end if;
    if not exists (
        select from monitoring.queued_notifications n where n.notification_id = p_notification_id
    ) then
        perform monitoring._refuse_unknown(
            'notification', p_notification_id::text,
            'Take the number from v_notifications.'
        );
    end if;
    return false;
end
$$;

comment on function monitoring.retry_notification(bigint) is
'Has a message that was given up sent again, with as many attempts as before; false when it was '
'not given up.';
