-- What a message says: headline and text for a mail, a chat or an SMS, and the same as JSON for
-- programs. A notice is one alert with what has become of it; notices come worst first. Reads
-- alerts and rules, and writes queued_notifications.

-- A time in UTC as ISO 8601 has it, to the microsecond; null for infinity.
create or replace function monitoring._iso_time(p_at timestamptz) returns text
language sql
stable
-- Of one length and in one zone, so that texts compare as times do.
return to_char(
    nullif(p_at, 'infinity') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
);

-- A time as people of a time zone read it, to the minute.
create or replace function monitoring._spell_time(p_at timestamptz, p_time_zone text) returns text
language sql
stable
return to_char(monitoring._local_time(p_at, p_time_zone), 'YYYY-MM-DD HH24:MI ')
|| monitoring._known_time_zone(p_time_zone);

-- A text in one line: nothing that a rule or a label says can look like another line of a
-- message or another header of a mail.
create or replace function monitoring._one_line(p_text text) returns text
language sql
immutable
return btrim(regexp_replace(p_text, '[[:space:][:cntrl:]]+', ' ', 'g'));

-- A text of at most so many characters, with three dots where it was cut.
create or replace function monitoring._shortened(p_text text, p_max_length integer) returns text
language sql
immutable
return case
    when length(p_text) <= p_max_length then p_text
    -- Three dots: one character for them would make an SMS half as long.
    else left(p_text, greatest(p_max_length - 3, 0)) || '...'
end;

-- Alerts as an array of objects, with what has become of each.
--
-- Alerts as notices. What has become of each is given; the order is theirs.
create or replace function monitoring._notices_of(p_alert_ids bigint[], p_events text[])
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select
            coalesce(jsonb_agg(jsonb_build_object(
                'alert_id', a.alert_id,
                'event', n.event,
                'rule', a.rule_name,
                'fingerprint', a.fingerprint,
                'severity', a.severity,
                'status', a.status,
                'summary', a.summary,
                'value', a.value,
                'threshold', a.threshold,
                'unit', r.unit,
                'labels', a.labels,
                'started_at', monitoring._iso_time(a.started_at),
                'fired_at', monitoring._iso_time(a.fired_at),
                'resolved_at', monitoring._iso_time(a.resolved_at),
                'acknowledged_by', a.acknowledged_by,
                'reason', a.reason,
                'owner', a.owner,
                'link', monitoring._alert_link(a.alert_id)
            ) order by n.position), '[]')
        from unnest(p_alert_ids, p_events) with ordinality n (alert_id, event, position)
        inner join monitoring.raised_alerts a on a.alert_id = n.alert_id
        left join monitoring.alert_rules r on r.rule_name = a.rule_name
    );
end
$$;

-- What a notice says in a line.
create or replace function monitoring._notice_title(p_notice jsonb, p_now timestamptz) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_severity text := upper(p_notice ->> 'severity' collate "C");
    v_fired_at timestamptz := (p_notice ->> 'fired_at')::timestamptz;
    v_resolved_at timestamptz := (p_notice ->> 'resolved_at')::timestamptz;
begin
    return case p_notice ->> 'event'
        when 'resolved' then format('RESOLVED after %s (%s)',
            monitoring._spell_seconds(date_part('epoch', v_resolved_at - v_fired_at)),
            p_notice ->> 'severity')
        when 'escalated' then v_severity || ' (escalated)'
        when 'reminder' then format('%s, still firing after %s', v_severity,
            monitoring._spell_seconds(date_part('epoch', p_now - v_fired_at)))
        else v_severity
    end || ': ' || monitoring._one_line(p_notice ->> 'summary');
end
$$;

-- What a notice says in full: what is wrong and why, how much, where, since when, whose it is
-- and where to look.
create or replace function monitoring._notice_block(
    p_notice jsonb, p_now timestamptz, p_time_zone text
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_fired_at timestamptz := (p_notice ->> 'fired_at')::timestamptz;
    v_resolved_at timestamptz := (p_notice ->> 'resolved_at')::timestamptz;
    v_value text := monitoring._spell_value(
        (p_notice ->> 'value')::double precision, p_notice ->> 'unit'
    );
    v_threshold text := monitoring._spell_value(
        (p_notice ->> 'threshold')::double precision, p_notice ->> 'unit'
    );
    v_labels text;
begin
    select string_agg(l.key || '=' || monitoring._one_line(l.value), ', ' order by l.key)
    into v_labels
    from jsonb_each_text(p_notice -> 'labels') l;
    return concat_ws(
        E'\n  ',
        monitoring._notice_title(p_notice, p_now),
        'why: ' || monitoring._shortened(monitoring._one_line(p_notice ->> 'reason'), 500),
        nullif(concat_ws(
            ', ', 'value ' || v_value,
            'threshold ' || v_threshold || format(' (%s)', p_notice ->> 'severity')
        ), ''),
        format('rule %s, %s', p_notice ->> 'rule',
            monitoring._one_line(p_notice ->> 'fingerprint')),
        monitoring._shortened(v_labels, 500),
        'since ' || monitoring._spell_time(v_fired_at, p_time_zone)
            || coalesce(', until ' || monitoring._spell_time(v_resolved_at, p_time_zone), ''),
        'acknowledged by ' || monitoring._one_line(p_notice ->> 'acknowledged_by'),
        'whose: ' || monitoring._one_line(p_notice ->> 'owner'),
        coalesce(p_notice ->> 'link', 'alert ' || (p_notice ->> 'alert_id'))
    );
end
$$;

-- The worst of the notices and how many others of what kind there are, in at most 120
-- characters.
--
-- The counts are those of all notices, the first included: {"critical": 1, "resolved": 2}.
create or replace function monitoring._message_subject(
    p_notices jsonb, p_counts jsonb, p_now timestamptz
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_first jsonb := p_notices -> 0;
    v_others text;
    v_count bigint;
begin
    select sum(c.count)::bigint, string_agg(c.count || ' ' || c.kind, ', ' order by c.position)
    into v_count, v_others
    from (
        select
            k.kind,
            k.position,
            coalesce((p_counts ->> k.kind)::bigint, 0) - (k.kind = case v_first ->> 'event'
                when 'resolved' then 'resolved'
                else v_first ->> 'severity'
            end)::integer as count
        from unnest(array['critical', 'high', 'medium', 'low', 'resolved'])
            with ordinality k (kind, position)
    ) c
    where c.count > 0;
    v_others := coalesce(format(' (+%s more: %s)', v_count, v_others), '');
    return monitoring._shortened(
        monitoring._notice_title(v_first, p_now),
        120 - case when v_count > 0 then length(v_others) else 0 end
    ) || case when v_count > 0 then v_others else '' end;
end
$$;

-- What the hourly limit of a channel has kept, in a sentence or two; null when it has kept
-- nothing.
--
-- Whether there are notices beside it is null where nothing is to be said about that.
create or replace function monitoring._held_back_text(
    p_channel monitoring.notification_channels, p_has_notices boolean
)
returns text
language sql
stable
return case
    when p_channel.held_back > 0 then concat_ws(
            ' ',
            p_channel.held_back,
            case p_channel.held_back when 1 then 'notice was' else 'notices were' end,
            'held back since',
            monitoring._spell_time(p_channel.held_back_at, p_channel.time_zone),
            'by the limit of',
            p_channel.max_per_hour,
            case p_channel.max_per_hour when 1 then 'message' else 'messages' end,
            'an hour.',
            case
                when p_has_notices then 'What is still to be reported is above.'
                when not p_has_notices then 'Nothing is left to report: it has resolved or '
                    || 'eased, or is acknowledged or silenced.'
            end
        )
end;

-- The text of a message: twenty notices in full and how many others there are.
create or replace function monitoring._message_body(
    p_channel monitoring.notification_channels,
    p_notices jsonb,
    p_count bigint,
    p_now timestamptz
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_limit constant integer := 20;
    v_blocks text;
begin
    select string_agg(
        monitoring._notice_block(n.notice, p_now, p_channel.time_zone), E'\n\n'
        order by n.position
    )
    into v_blocks
    from jsonb_array_elements(p_notices) with ordinality n (notice, position)
    where n.position <= v_limit;
    return concat_ws(
        E'\n\n',
        v_blocks,
        case when p_count > v_limit then format('and %s more', p_count - v_limit) end,
        monitoring._held_back_text(p_channel, v_blocks is not null)
    );
end
$$;

-- Puts a message to each target of a channel into the outbox, with a key of its own, and returns
-- how many.
create or replace function monitoring._queue_message(
    p_channel monitoring.notification_channels,
    p_now timestamptz,
    p_kind text,
    p_subject text,
    p_body text,
    p_payload jsonb
)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_queued integer;
begin
    insert into monitoring.queued_notifications (
        notification_key, channel_name, target, kind, subject, body, payload, created_at,
        next_attempt_at
    )
    select
        t.key,
        p_channel.channel_name,
        t.target,
        p_kind,
        p_subject,
        -- A message may arrive late, and after later ones.
        concat_ws(E'\n\n', p_body, concat_ws(
            E'\n', 'As of ' || monitoring._spell_time(p_now, p_channel.time_zone),
            'Notification ' || t.key::text
        )),
        -- What an Alertmanager takes is an array, and has no place for more.
        case jsonb_typeof(p_payload)
            when 'object' then jsonb_build_object(
                'key', t.key,
                'channel', p_channel.channel_name,
                'kind', p_kind,
                'created_at', monitoring._iso_time(p_now)
            ) || p_payload
            else p_payload
        end,
        p_now,
        p_now
    from (
        select n.target, gen_random_uuid() as key from unnest(p_channel.targets) n (target)
    ) t;
    get diagnostics v_queued = row_count;
    return v_queued;
end
$$;

create or replace function monitoring.send_test_notification(p_channel_name text) returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_channel monitoring.notification_channels := monitoring._found_channel(p_channel_name);
    v_subject text := monitoring._shortened(
        'Test of channel ' || monitoring._one_line(p_channel_name), 120
    );
    v_queued integer;
begin
    v_queued := monitoring._queue_message(
        v_channel, v_now, 'test', v_subject,
        format('If you read this, channel %s works. Nothing is wrong; %s asked for this test.',
            monitoring._one_line(p_channel_name), session_user),
        case v_channel.kind
            when 'alertmanager' then jsonb_build_array(jsonb_build_object(
                'labels', jsonb_build_object(
                    'alertname', 'pgvigil_test', 'severity', 'low', 'channel', p_channel_name
                ),
                'annotations', jsonb_build_object('summary', v_subject),
                'startsAt', monitoring._iso_time(v_now),
                'endsAt', monitoring._iso_time(v_now + interval '5 minutes')
            ))
            else jsonb_build_object('alerts', '[]'::jsonb, 'held_back', 0)
        end
    );
    perform monitoring._wake_senders();
    return v_queued::bigint;
end
$$;

comment on function monitoring.send_test_notification(text) is
'Queues a test message to each target of a channel, enabled or not, and returns how many. Hourly '
'limits do not count it.';
