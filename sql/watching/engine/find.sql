-- Letting rules look, each in a sub-transaction of its own, so that one that fails or takes too
-- long stops no other. Writes alert_rule_states.

-- What a rule finds, or why it could not; never raises because of the rule.
create or replace function monitoring._find(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns monitoring.rule_outcome
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_began_ms double precision := monitoring._stopwatch_ms();
    v_outcome monitoring.rule_outcome;
begin
    v_outcome.rule_name := p_rule.rule_name;
    -- Ends with this block: rules cannot write, and so may go by a time that is not now. Before an
    -- own rule's query is run, until when it may is written down.
    if p_rule.query is null then
        perform set_config('transaction_read_only', 'on', true);
    end if;
    execute format(
        'select array(select f from monitoring.%I($1, $2) f)',
        coalesce(p_rule.finder_name, '_find_by_query')
    )
    into v_outcome.findings
    using p_rule, p_now;
    v_outcome.duration_ms := monitoring._stopwatch_ms() - v_began_ms;
    v_outcome.is_over_time := v_outcome.duration_ms > p_rule.time_limit_seconds * 1000;
    return v_outcome;
exception
    when query_canceled or assert_failure or others then
        v_outcome.duration_ms := monitoring._stopwatch_ms() - v_began_ms;
        v_outcome.is_over_time := v_outcome.duration_ms > p_rule.time_limit_seconds * 1000;
        -- Whoever cancels before the time is up means the evaluation, not the rule.
        if sqlstate = '57014' and not v_outcome.is_over_time then
            raise;
        end if;
        v_outcome.findings := null;
        v_outcome.error := sqlerrm;
        if sqlstate = '42501' and p_rule.query is not null then
            v_outcome.error := sqlerrm || '. ' || monitoring._rule_query_hint(sqlstate, sqlerrm);
        end if;
        return v_outcome;
end
$$;

-- Tells whoever evaluates next at which own rule this evaluation is; null: at none.
--
-- One session evaluates at a time, and which own rule it is at is told by a sequence, which lives
-- longer than the session. What is there when the next one begins is the rule at which it ended.
create or replace function monitoring._note_rule_at_work(p_rule_name text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform setval(
        'monitoring.evaluated_rule',
        coalesce(hashtextextended(p_rule_name, 0) & 9223372036854775807, 0)
    );
end
$$;

-- Notes as failed, and pauses, the own rule at which the last evaluation ended with its session,
-- or it would end every one.
create or replace function monitoring._blame_rule_at_work(p_now timestamptz) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_left_behind constant bigint := nullif(pg_sequence_last_value('monitoring.evaluated_rule'), 0);
    v_rule monitoring.alert_rules;
    v_outcome monitoring.rule_outcome;
begin
    if v_left_behind is null then
        return;
    end if;
    for v_rule in
        select r.* from monitoring.alert_rules r
        where r.query is not null
            and hashtextextended(r.rule_name, 0) & 9223372036854775807 = v_left_behind
    loop
        v_outcome.rule_name := v_rule.rule_name;
        v_outcome.duration_ms := v_rule.time_limit_seconds * 1000;
        v_outcome.error := 'the session that ran its query ended';
        v_outcome.is_over_time := true;
        perform monitoring._note_evaluation(v_rule, v_outcome, p_now);
    end loop;
    perform monitoring._note_rule_at_work(null);
end
$$;

-- What an own rule finds; meanwhile it is told that the evaluation is at that rule.
create or replace function monitoring._find_as_told(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns monitoring.rule_outcome
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_outcome monitoring.rule_outcome;
begin
    perform monitoring._note_rule_at_work(p_rule.rule_name);
    v_outcome := monitoring._find(p_rule, p_now);
    perform monitoring._note_rule_at_work(null);
    return v_outcome;
exception
    -- Whoever cancels the evaluation does not mean the rule.
    when query_canceled or assert_failure or others then
        perform monitoring._note_rule_at_work(null);
        raise;
end
$$;

-- Lets the rules of some families look, own ones last, for they may be slow.
create or replace function monitoring._find_all(p_families text[], p_now timestamptz)
returns monitoring.rule_outcome[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rule monitoring.alert_rules;
    v_outcomes monitoring.rule_outcome [] := array[]::monitoring.rule_outcome [];
begin
    perform monitoring._blame_rule_at_work(p_now);
    for v_rule in
        select r.*
        from monitoring.alert_rules r
        left join monitoring.alert_rule_states s on s.rule_name = r.rule_name
        where r.is_enabled
            and r.family = any (p_families)
            and r.rule_name <> 'rule_failed'
            and coalesce(s.paused_until_at, '-infinity') <= p_now
        order by r.query is not null, r.rule_name
    loop
        v_outcomes := v_outcomes || case
            when v_rule.query is null then monitoring._find(v_rule, p_now)
            else monitoring._find_as_told(v_rule, p_now)
        end;
    end loop;
    return v_outcomes;
end
$$;

-- Notes how an evaluation went; a rule that exceeded its time limit is paused for a while.
create or replace function monitoring._note_evaluation(
    p_rule monitoring.alert_rules, p_outcome monitoring.rule_outcome, p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_error text := monitoring._capped_text(p_outcome.error, 2000);
    v_is_failed integer;
begin
    if v_error is null and p_outcome.is_over_time then
        v_error := format('took %s, more than its limit of %s',
            monitoring._spell_seconds(p_outcome.duration_ms / 1000),
            monitoring._spell_seconds(p_rule.time_limit_seconds));
    end if;
    v_is_failed := (v_error is not null)::integer;
    insert into monitoring.alert_rule_states as s (
        rule_name, evaluated_at, duration_ms, findings, failures, consecutive_failures, last_error,
        last_failed_at
    )
    values (
        p_rule.rule_name, p_now, p_outcome.duration_ms,
        coalesce(cardinality(p_outcome.findings), 0), v_is_failed, v_is_failed, v_error,
        case when v_error is not null then p_now end
    )
    on conflict (rule_name) do update
        set
            evaluated_at = excluded.evaluated_at,
            duration_ms = excluded.duration_ms,
            findings = excluded.findings,
            evaluations = s.evaluations + 1,
            failures = s.failures + excluded.failures,
            consecutive_failures = case
                when excluded.failures = 1 then s.consecutive_failures + 1
                else 0
            end,
            last_error = excluded.last_error,
            last_failed_at = coalesce(excluded.last_failed_at, s.last_failed_at);
    -- One that takes too long comes back later and later, up to an hour, and keeps no other waiting.
    update monitoring.alert_rule_states s
    set paused_until_at = case
        when p_outcome.is_over_time
            then p_now + least(
                interval '1 hour',
                make_interval(secs => p_outcome.duration_ms / 100 * s.consecutive_failures)
            )
        end
    where s.rule_name = p_rule.rule_name
        and (p_outcome.is_over_time or s.paused_until_at is not null);
end
$$;
