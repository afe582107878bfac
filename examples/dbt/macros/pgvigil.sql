{#- Records a run of dbt in pgvigil, which is in the same database, without Python:

    on-run-end: "{{ pgvigil_record(results) }}"

Names, statuses and keys are those of `pgvigil dbt`: docs/dbt.md. #}

{% macro pgvigil_record(results) %}
    {%- if not execute or not pgvigil_is_there() %}{{ return('') }}{% endif %}
    {%- set tasks = [pgvigil_run(results)] %}
    {%- set errors = [] %}
    {%- for result in results if result.node.unique_id %}
        {%- do tasks.append(pgvigil_task(result)) %}
        {%- if result.status | string not in ('success', 'pass', 'skipped', 'no-op') %}
            {%- do errors.append(pgvigil_error(result)) %}
        {%- endif %}
    {%- endfor %}
    {%- do run_query('select monitoring.record_finished_tasks(' ~ pgvigil_text(tojson(tasks)) ~ ')') %}
    {%- do run_query('select monitoring.record_errors(' ~ pgvigil_text(tojson(errors)) ~ ')') %}
    {%- for result in results
        if result.node.resource_type == 'test' and result.status | string in ('pass', 'warn', 'fail') %}
        {%- if result.failures == 0 or result.node.relation_name %}
            {%- do pgvigil_failures(result) %}
        {%- endif %}
    {%- endfor %}
{% endmacro %}

{#- Whether this login may record: a run of dbt does not fail because it may not. #}
{% macro pgvigil_is_there() %}
    {%- set found = run_query("
        select exists (
            select from pg_proc p
            inner join pg_namespace n on n.oid = p.pronamespace
            where n.nspname = 'monitoring' and p.proname = 'sync_invalid_records'
                and has_schema_privilege(n.oid, 'usage') and has_function_privilege(p.oid, 'execute')
        )
    ").columns[0].values()[0] %}
    {%- if not found %}
        {%- do exceptions.warn('pgvigil: nothing is recorded, as ' ~ target.user
            ~ ' lacks the role monitoring_writer in ' ~ target.dbname) %}
    {%- endif %}
    {{- return(found) }}
{% endmacro %}

{% macro pgvigil_run_name() %}
    {{- return('dbt ' ~ invocation_args_dict.which ~ ' ' ~ invocation_id) }}
{% endmacro %}

{% macro pgvigil_run(results) %}
    {%- set failed = results | map(attribute='status') | map('string')
        | reject('in', ['success', 'pass', 'warn', 'skipped', 'no-op']) | list %}
    {{- return({
        'task_id': pgvigil_run_name(),
        'task_type': 'dbt.' ~ invocation_args_dict.which,
        'status': 'failed' if failed else 'completed',
        'start_time': run_started_at.isoformat(),
        'end_time': modules.datetime.datetime.utcnow().isoformat() ~ 'Z',
        'metadata': {'dbt_version': dbt_version},
    }) }}
{% endmacro %}

{#- A text as PostgreSQL reads it, whatever is in it. #}
{% macro pgvigil_text(value) %}
    {{- return("'" ~ (value | string).replace("'", "''") ~ "'") }}
{% endmacro %}

{#- When a node began or ended: dbt has times in UTC that do not say so. #}
{% macro pgvigil_time(result, moment) %}
    {%- set times = result.timing | map(attribute=moment) | select | list %}
    {%- set found = (times | min if moment == 'started_at' else times | max) if times
        else modules.datetime.datetime.utcnow() %}
    {{- return(found.strftime('%Y-%m-%dT%H:%M:%S.%f') ~ 'Z') }}
{% endmacro %}

{% macro pgvigil_task(result) %}
    {%- set word = result.status | string %}
    {%- set task = {
        'task_id': result.node.unique_id,
        'task_type': 'dbt.node.' ~ result.node.resource_type,
        'status': 'cancelled' if word == 'skipped'
            else 'completed' if word in ('success', 'pass', 'warn', 'no-op') else 'failed',
        'attempt': 2 if invocation_args_dict.which == 'retry' else 1,
        'start_time': pgvigil_time(result, 'started_at'),
        'end_time': pgvigil_time(result, 'completed_at'),
        'parent_task_id': pgvigil_run_name(),
        'counters': {} if result.failures is none else {'failures': result.failures},
        'metadata': {'dbt_status': word},
    } %}
    {{- return(task) }}
{% endmacro %}

{% macro pgvigil_error(result) %}
    {%- set word = result.status | string %}
    {{- return({
        'task_id': result.node.unique_id,
        'error_type': 'dbt.' ~ word,
        'severity': 'medium' if word == 'warn' else 'high',
        'message': result.message or result.node.unique_id,
        'component': 'dbt',
        'fingerprint': result.node.unique_id ~ ' ' ~ word,
        'occurred_at': pgvigil_time(result, 'completed_at'),
    }) }}
{% endmacro %}

{#- The columns that name a row of the table of failures. #}
{% macro pgvigil_key(node, columns) %}
    {%- set model = graph.nodes.get(pgvigil_model(node), {}) %}
    {%- set asked = (node.config.meta or {}).get('pgvigil_key') or (node.meta or {}).get('pgvigil_key') %}
    {%- for key in (asked, (model.config or {}).get('unique_key'), model.primary_key,
                    'unique_field', 'value_field', 'from_field') if key %}
        {%- set key = [key] if key is string else key | list %}
        {%- if key | reject('in', columns) | list | length == 0 %}{{ return(key) }}{% endif %}
    {%- endfor %}
    {{- return([]) }}
{% endmacro %}

{#- The unique name of what is tested. #}
{% macro pgvigil_model(node) %}
    {{- return(node.attached_node or (node.depends_on.nodes or [node.unique_id])[0]) }}
{% endmacro %}

{#- What fails a test is invalid, and what no longer fails is resolved. #}
{% macro pgvigil_failures(result) %}
    {%- set node = result.node %}
    {%- set most_rows = var('pgvigil_max_rows', 10000) %}
    {%- set rows = "'[]'::jsonb" %}
    {%- set function = 'sync_invalid_records' %}
    {%- if result.failures != 0 %}
        {%- set table = api.Relation.create(
            database=node.database, schema=node.schema, identifier=node.alias) %}
        {%- set columns = adapter.get_columns_in_relation(table) | map(attribute='name') | list %}
        {%- set parts = [] %}
        {%- for name in pgvigil_key(node, columns) %}
            {%- do parts.append('failure.' ~ adapter.quote(name) ~ '::text') %}
        {%- endfor %}
        {%- set content = "'row ' || md5(to_jsonb(failure)::text)" %}
        {%- set key = 'coalesce(nullif(monitoring.key_of_record(' ~ parts | join(', ') ~ "), ''), "
            ~ content ~ ')' if parts else content %}
        {%- set rows %}
            (
                select coalesce(jsonb_agg(jsonb_build_object(
                    'record_key', {{ key }},
                    'details', to_jsonb(failure),
                    'message', {{ pgvigil_text(result.message or '') }}
                )), '[]')
                from (select * from {{ table }} limit {{ most_rows }}) as failure
            )
        {%- endset %}
        {%- if node.config.limit or result.failures > most_rows %}
            {%- set function = 'log_invalid_records' %}
        {%- endif %}
    {%- endif %}
    {%- set dataset = pgvigil_model(node).split('.', 2)[2] %}
    {%- do run_query(
        'select monitoring.' ~ function ~ '(p_dataset => ' ~ pgvigil_text(dataset)
        ~ ', p_validation_type => ' ~ pgvigil_text(node.name)
        ~ (", p_scope => '{\"all\": true}', p_failing_keys => " if function == 'sync_invalid_records'
            else ', p_records => ') ~ rows
        ~ ', p_task_id => ' ~ pgvigil_text(node.unique_id)
        ~ (', p_at => ' if function == 'sync_invalid_records' else ', p_detected_at => ')
        ~ pgvigil_text(pgvigil_time(result, 'completed_at')) ~ ')'
    ) %}
{% endmacro %}
