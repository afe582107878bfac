-- The code of pgvigil, in reading order: everything here is made anew at every deploy.
-- Tables come from migrations/ and must be there first. Run with: psql -v ON_ERROR_STOP=1 -1 -f

-- core: how input is refused, checked and repaired, the one clock, sizes, partitions by day
\ir core/drop_former.sql
\ir core/refusals.sql
\ir core/words.sql
\ir core/caps.sql
\ir core/checks.sql
\ir core/synonyms.sql
\ir core/repairs.sql
\ir core/json_repairs.sql
\ir core/clock.sql
\ir core/times.sql
\ir core/guards.sql
\ir core/names.sql
\ir core/partitions.sql
\ir core/late_rows.sql
\ir core/bulk.sql

-- recording
\ir tasks/outcomes.sql
\ir tasks/start.sql
\ir tasks/progress.sql
\ir tasks/complete.sql
\ir tasks/ends.sql
\ir tasks/bulk.sql
\ir errors/fingerprint.sql
\ir errors/record.sql
\ir errors/groups.sql
\ir metrics/record.sql
\ir logs/record.sql
\ir health/record.sql
\ir queues/record.sql

-- ETL over what is recorded
\ir etl/record.sql
\ir etl/events.sql

-- records: business rows, their statuses, what is invalid and who changed it
\ir records/keys.sql
\ir records/rows.sql
\ir records/datasets.sql
\ir records/status_statement.sql
\ir records/statuses.sql
\ir records/trigger_queries.sql
\ir records/trigger_recording.sql
\ir records/trigger_functions.sql
\ir records/triggers.sql
\ir records/found.sql
\ir records/invalid.sql
\ir records/resolve.sql
\ir records/products.sql
\ir records/programs.sql
\ir records/load_invalid.sql
\ir records/load_statuses.sql

-- how long what is kept
\ir retention/policies.sql

-- roll-ups: what they take, how they add it up, and reading them
\ir rollups/histogram.sql
\ir rollups/marked.sql
\ir rollups/samples.sql
\ir rollups/names.sql
\ir rollups/uptime.sql
\ir rollups/groups_and_states.sql
\ir rollups/open_days.sql
\ir rollups/recounts.sql
\ir rollups/roll_up.sql
\ir rollups/rebuild.sql
\ir rollups/restored.sql
\ir rollups/spans.sql
\ir rollups/trends.sql
\ir rollups/queue_trends.sql
\ir rollups/statistics.sql

-- the scheduler
\ir jobs/schedules.sql
\ir jobs/cron_expression.sql
\ir jobs/cron.sql
\ir jobs/routines.sql
\ir jobs/plan.sql
\ir jobs/moved_times.sql
\ir jobs/clock.sql
\ir jobs/claim.sql
\ir jobs/run.sql
\ir jobs/supervise.sql
\ir jobs/run_due_jobs.sql
\ir jobs/schedule.sql
\ir jobs/pg_cron.sql
\ir jobs/pg_cron_runs.sql

-- retention
\ir retention/slices.sql
\ir retention/late_rows.sql
\ir retention/days.sql
\ir retention/cleanup.sql

-- alerts: what people set, the built-in rules, own rules, the engine, and telling people
\ir alerts/windows.sql
\ir alerts/matching.sql
\ir alerts/rules.sql
\ir alerts/owners.sql
\ir alerts/error_rules.sql
\ir alerts/error_group_rules.sql
\ir alerts/health_rules.sql
\ir alerts/queue_rules.sql
\ir alerts/task_rules.sql
\ir alerts/running_task_rules.sql
\ir alerts/work.sql
\ir alerts/task_outcome_rules.sql
\ir alerts/failure_streak_rules.sql
\ir alerts/task_explanations.sql
\ir alerts/missed_runs.sql
\ir alerts/expected_runs.sql
\ir records/invalid_rules.sql
\ir records/status_rules.sql
\ir sources/record_rules.sql
\ir alerts/self_rules.sql
\ir alerts/time_limits.sql
\ir alerts/rule_sessions.sql
\ir alerts/rule_queries.sql
\ir alerts/own_rules.sql
\ir alerts/silences.sql
\ir notifications/channels.sql
\ir notifications/messages.sql
\ir notifications/alertmanager.sql
\ir notifications/plan.sql
\ir notifications/summary.sql
\ir notifications/digest.sql
\ir notifications/outbox.sql
\ir alerts/transitions.sql
\ir alerts/find.sql
\ir alerts/apply.sql
\ir alerts/reasons.sql
\ir alerts/clock.sql
\ir alerts/evaluate.sql
\ir alerts/decide.sql
\ir alerts/explain.sql
\ir alerts/backtest.sql

-- sources: runs and records that live in other systems
\ir sources/queries.sql
\ir sources/staging.sql
\ir sources/foreign_code.sql
\ir sources/columns.sql
\ir sources/read.sql
\ir sources/compare.sql
\ir sources/apply.sql
\ir sources/troubles.sql
\ir sources/register.sql
\ir sources/sync.sql
\ir sources/record_columns.sql
\ir sources/register_records.sql
\ir sources/sync_records.sql

-- configuration as one document
\ir config/schema.sql
\ir config/checks.sql
\ir config/get.sql
\ir config/configure.sql
\ir config/apply.sql

-- workflows: business days, their steps, and how far they are
\ir workflows/business_day.sql
\ir workflows/schema.sql
\ir workflows/check.sql
\ir workflows/apply.sql
\ir workflows/runs.sql
\ir workflows/history.sql
\ir workflows/estimates.sql
\ir workflows/timeline.sql
\ir workflows/warnings.sql
\ir workflows/rules.sql

-- reading
\ir tasks/views.sql
\ir tasks/ended.sql
\ir errors/views.sql
\ir errors/reasons.sql
\ir metrics/views.sql
\ir logs/views.sql
\ir health/views.sql
\ir queues/views.sql
\ir etl/views.sql
\ir etl/summary.sql
\ir etl/item_rules.sql
\ir jobs/views.sql
\ir jobs/self_check.sql
\ir jobs/freshness.sql
\ir alerts/views.sql
\ir notifications/views.sql
\ir retention/views.sql
\ir workflows/health.sql
\ir workflows/views.sql
\ir workflows/logs.sql
\ir workflows/overviews.sql
\ir sources/views.sql
\ir sources/record_views.sql
\ir records/views.sql
\ir records/status_views.sql
\ir records/bot_views.sql
\ir records/timeline.sql
\ir records/daily_summary.sql
\ir dashboards/summary.sql
\ir dashboards/cards.sql
\ir dashboards/trend_points.sql
\ir dashboards/daily_report.sql

-- what is installed, who may do what, and room for the first week
\ir core/installation.sql
\ir core/former.sql
\ir grants.sql
\ir core/prepare.sql
