-- What pgvigil is told once: the dataset, which changes of status are expected, where they are.

select monitoring.change_dataset('apr', '{
    "description": "Proposals of clients who sell their trade bills",
    "time_zone": "UTC",
    "pending_statuses": ["RECEIVED"],
    "bot_task_type": "apr.bot"
}');

select monitoring.set_allowed_transitions('apr', '{
    "": ["RECEIVED"],
    "RECEIVED": ["APPROVED", "ANALYSIS", "CANCELLED"],
    "ANALYSIS": ["APPROVED", "REJECTED"],
    "APPROVED": ["PAID"]
}');

grant usage on schema apr to monitoring_reader;
grant select on apr.proposals to monitoring_reader;

select monitoring.register_record_source(
    'apr_proposals',
    'apr',
    'apr.proposals',
    '{
        "record_key": "proposal",
        "status": "status",
        "effective_at": "changed_at",
        "actor": "changed_by",
        "change_source": "changed_through",
        "target_date": "received_on",
        "group": "branch"
    }'
);

select monitoring.set_alert_thresholds('invalid_records_old', '{"medium": 24}', '{"dataset": "apr"}');
