-- The outbox: whoever sends claims messages for a while, and says what became of each attempt
-- (outcomes.sql). Writes queued_notifications.
--
-- A claim is a lease: a row says which attempt has it and until when. Claims pass over rows that
-- others are claiming, so any number of runners may send. A runner that is gone says nothing; when
-- its lease has run out the message is claimed again, with the same key. Only the attempt that has
-- the lease, shown by its number, can say how it went. Numbers of attempts never start over, so one
-- from before a retry is never taken for one after it.

-- Tells whoever listens on monitoring_notifications that there is something to send.
create or replace function monitoring._wake_senders() returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform pg_notify('monitoring_notifications', '');
end
$$;

-- Whether a message that is next to be tried then may be claimed now; a time that is impossibly
-- far ahead counts as past.
--
-- No attempt is planned, and no lease given, for as long as two hours. What is later was planned by
-- a clock that has been put back since.
create or replace function monitoring._is_due_notification(
    p_next_attempt_at timestamptz, p_now timestamptz
)
returns boolean
language sql
stable
return p_next_attempt_at <= p_now or p_next_attempt_at > p_now + '2 hours'::interval;

-- Attempts after which a message to the channel is given up; each retry grants as many again. 12
-- for a channel that is gone.
create or replace function monitoring._max_attempts(p_channel_name text) returns integer
language sql
stable
return coalesce(
    (
        select c.max_attempts from monitoring.notification_channels as c
        where c.channel_name = p_channel_name
    ),
    12
);

-- What is noted of an attempt that was never reported.
create or replace function monitoring._abandoned(p_attempts integer, p_runner text) returns text
language sql
immutable
return format(
    'attempt %s did not report back: the lease of %s expired', p_attempts, coalesce(p_runner, '?')
);

-- Whether the runner is sending no other message to the target, and of those to an Alertmanager
-- nobody is sending one and no earlier one is about to be.
-- One message at a time goes from a runner to each target: what it has claimed it can begin at
-- once, and when it is stopped it has begun no other. An Alertmanager takes what it is told last
-- for the truth, so that there order matters among all runners, and one that failed and is tried
-- again no longer tells what a later one has told.
create or replace function monitoring._is_in_turn(
    p_notification monitoring.queued_notifications, p_runner text, p_now timestamptz
)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_is_ordered constant boolean := jsonb_typeof(p_notification.payload) = 'array';
begin
    return not exists (
        select from monitoring.queued_notifications o
        where o.finished_at = 'infinity'
            and o.channel_name = p_notification.channel_name
            and o.target = p_notification.target
            and o.notification_id <> p_notification.notification_id
            and case
                when o.status = 'sending'
                    then (v_is_ordered or o.leased_by = p_runner)
                        and not monitoring._is_due_notification(o.next_attempt_at, p_now)
                else v_is_ordered
                    and o.notification_id < p_notification.notification_id
                    and monitoring._is_due_notification(o.next_attempt_at, p_now)
            end
    );
end
$$;

-- What a message tells programs; of an Alertmanager's, without alerts that a later one to it has
-- told more of.
create or replace function monitoring._current_payload(
    p_notification monitoring.queued_notifications
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if jsonb_typeof(p_notification.payload) <> 'array' then
        return p_notification.payload;
    end if;
    return (
        with later as (
            select l.alert -> 'labels' as labels
            from monitoring.queued_notifications n
            cross join lateral jsonb_array_elements(
                case jsonb_typeof(n.payload) when 'array' then n.payload end
            ) l (alert)
            where n.notification_id > p_notification.notification_id
                and n.channel_name = p_notification.channel_name
                and n.target = p_notification.target
        )
        select coalesce(jsonb_agg(a.alert order by a.position), '[]')
        from jsonb_array_elements(p_notification.payload) with ordinality a (alert, position)
        where not exists (select from later t where t.labels = a.alert -> 'labels')
    );
end
$$;

-- Gives up messages whose last attempt was never reported.
create or replace function monitoring._bury_abandoned_notifications(p_now timestamptz) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_channels text [];
    v_numbers bigint [];
begin
    with buried as (
        update monitoring.queued_notifications n
        set
            status = 'dead',
            finished_at = p_now,
            last_error = monitoring._abandoned(n.attempts, n.leased_by)
        from (
            select q.notification_id
            from monitoring.queued_notifications q
            where q.finished_at = 'infinity'
                and q.status = 'sending'
                and monitoring._is_due_notification(q.next_attempt_at, p_now)
                and q.attempts % monitoring._max_attempts(q.channel_name) = 0
            for update skip locked
        ) d
        where n.notification_id = d.notification_id
        returning n.channel_name
    )

    select array_agg(b.channel_name order by b.channel_name), array_agg(b.n order by b.channel_name)
    into v_channels, v_numbers
    from (select c.channel_name, count(*) as n from buried c group by c.channel_name) b;
    perform monitoring._count_notifications(u.channel_name, 'dead', u.n)
    from unnest(v_channels, v_numbers) u (channel_name, n);
end
$$;

-- What a runner may send now: one message for each target of a channel, locked.
create or replace function monitoring._claimable_notifications(
    p_runner text, p_at_most integer, p_now timestamptz
)
returns bigint[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_ids bigint [] := array[]::bigint [];
    v_place record;
    v_id bigint;
begin
    for v_place in
        select q.channel_name, q.target
        from monitoring.queued_notifications q
        where q.finished_at = 'infinity'
            and monitoring._is_due_notification(q.next_attempt_at, p_now)
        group by q.channel_name, q.target
        -- What fails again and again must not keep back what is new.
        order by min((q.attempts > 0)::integer), min(q.next_attempt_at), min(q.notification_id)
    loop
        exit when cardinality(v_ids) >= p_at_most;
        select q.notification_id into v_id
        from monitoring.queued_notifications q
        where q.finished_at = 'infinity'
            and q.channel_name = v_place.channel_name
            and q.target = v_place.target
            and monitoring._is_due_notification(q.next_attempt_at, p_now)
            and monitoring._is_in_turn(q, p_runner, p_now)
        order by q.attempts > 0, q.next_attempt_at, q.notification_id
        limit 1
        for update skip locked;
        if found then
            v_ids := v_ids || v_id;
        end if;
    end loop;
    return v_ids;
end
$$;

create or replace function monitoring.claim_notifications(
    p_runner text,
    p_at_most integer default 10,
    p_lease_seconds double precision default 60
)
returns table (
    notification_id bigint,
    notification_key uuid,
    channel_name text,
    channel_kind text,
    target text,
    kind text,
    subject text,
    body text,
    payload jsonb,
    attempt integer,
    created_at timestamptz
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_ids bigint [];
begin
    perform monitoring._checked_name('runner', p_runner);
    if (p_at_most between 1 and 1000) is not true then
        perform monitoring._refuse_number('at_most', p_at_most::text, 'a number from 1 to 1000');
    end if;
    if (p_lease_seconds between 1 and 3600) is not true then
        perform monitoring._refuse_number('lease_seconds', p_lease_seconds::text,
            'a number from 1 to 3600');
    end if;
    perform monitoring._bury_abandoned_notifications(v_now);
    perform monitoring._fold_stale(v_now);
    v_ids := monitoring._claimable_notifications(p_runner, p_at_most, v_now);
    return query
    with written as materialized (
        select w.*
        from monitoring.queued_notifications n
        cross join lateral monitoring._written_digest(n, v_now) w
        where n.notification_id = any(v_ids) and n.kind = 'digest'
    ),
    claimed as (
        update monitoring.queued_notifications n
        set
            status = 'sending',
            subject = coalesce(w.subject, n.subject),
            body = coalesce(w.body, n.body),
            payload = coalesce(w.payload, n.payload),
            attempts = n.attempts + 1,
            last_error = case
                when n.status = 'sending' then monitoring._abandoned(n.attempts, n.leased_by)
                else n.last_error
            end,
            leased_by = p_runner,
            next_attempt_at = v_now + make_interval(secs => p_lease_seconds)
        from unnest(v_ids) d (notification_id)
        left join written w on w.notification_id = d.notification_id
        where n.notification_id = d.notification_id
        returning n.*, monitoring._current_payload(n) as current_payload
    )
    select
        c.notification_id, c.notification_key, c.channel_name,
        -- As it was written, whatever has become of the channel since.
        case jsonb_typeof(c.payload) when 'array' then 'alertmanager' else 'apprise' end,
        c.target, c.kind, c.subject, c.body,
        c.current_payload, c.attempts, c.created_at
    from claimed c
    order by c.attempts > 1, c.notification_id;
end
$$;

comment on function monitoring.claim_notifications(text, integer, double precision) is
'For runners: gives messages to send, one for each target of a channel, which no other runner gets '
'for so many seconds; attempt goes with what it says about them. A message whose lease runs out is '
'given again, with the same key.';

create or replace function monitoring.next_notification_at(p_runner text default null)
returns timestamptz
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := monitoring.clock();
begin
    return (
        select min(
            case
                when monitoring._is_due_notification(n.next_attempt_at, v_now)
                    then least(n.next_attempt_at, v_now)
                else n.next_attempt_at
            end
        )
        from monitoring.queued_notifications n
        where n.finished_at = 'infinity' and monitoring._is_in_turn(n, p_runner, v_now)
    );
end
$$;

comment on function monitoring.next_notification_at(text) is
'For runners: when a message is next to be sent, or a lease runs out; null when nothing waits. Of '
'a runner that is given, without what waits for a message that it is sending.';

call monitoring._ship_retention('queued_notifications', '30 days');
