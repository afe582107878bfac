-- What the sections about programs, records and names may look like.

-- That part of the JSON Schema of a configuration.
create or replace function monitoring._config_schema_of_systems() returns jsonb
language sql
immutable
return $json$
{
  "properties": {
    "page_url": {
      "type": ["string", "null"],
      "maxLength": 500,
      "pattern": "^https?://[^ \\t\\r\\n@]+$",
      "writeOnly": true,
      "description": "the address of the page without user and password, or null for none"
    },
    "name_limits": {
      "type": "object",
      "description": "an object of numbers by kind of name",
      "additionalProperties": {
        "type": ["integer", "null"],
        "minimum": 10,
        "maximum": 100000,
        "description": "a whole number from 10 to 100000, or null for as many as shipped"
      }
    },
    "partitions_ahead": {
      "type": "object",
      "description": "an object of numbers of days by table",
      "additionalProperties": {
        "type": ["integer", "null"],
        "minimum": 0,
        "maximum": 100,
        "description": "a whole number from 0 to 100, or null for as many as shipped"
      }
    },
    "change_sources": {
      "type": "object",
      "description": "an object of descriptions by name",
      "propertyNames": {"$ref": "#/$defs/name"},
      "additionalProperties": {
        "type": ["string", "null"],
        "minLength": 1,
        "maxLength": 255,
        "pattern": "[^ \\t\\r\\n]",
        "description": "a text of 1 to 255 characters, or null to take it back"
      }
    },
    "datasets": {
      "type": "object",
      "description": "an object of datasets by name",
      "propertyNames": {"$ref": "#/$defs/name"},
      "additionalProperties": {"$ref": "#/$defs/dataset"}
    },
    "source_queries": {
      "type": "object",
      "description": "an object of queries by name",
      "propertyNames": {"$ref": "#/$defs/name"},
      "additionalProperties": {"$ref": "#/$defs/source_query"}
    },
    "sources": {
      "type": "object",
      "description": "an object of sources by name",
      "propertyNames": {"$ref": "#/$defs/name"},
      "additionalProperties": {"$ref": "#/$defs/source"}
    },
    "workflows": {
      "type": "object",
      "description": "an object of workflows by name",
      "propertyNames": {"$ref": "#/$defs/name"},
      "additionalProperties": {"$ref": "#/$defs/workflow"}
    },
    "alert_owners": {
      "type": "array",
      "description": "an array of owners, each with the labels of their alerts",
      "items": {"$ref": "#/$defs/alert_owner"}
    },
    "merged_error_groups": {
      "type": "object",
      "description": "an object of what was decided by fingerprint",
      "propertyNames": {"$ref": "#/$defs/name"},
      "additionalProperties": {"$ref": "#/$defs/merged_error_group"}
    },
    "error_groups": {
      "type": "object",
      "description": "an object of what was decided by fingerprint",
      "propertyNames": {"$ref": "#/$defs/name"},
      "additionalProperties": {"$ref": "#/$defs/error_group"}
    }
  },
  "$defs": {
    "status": {
      "type": "string",
      "maxLength": 255,
      "description": "a status of at most 255 characters, empty for a record that is new or gone"
    },
    "dataset": {
      "type": ["object", "null"],
      "description": "an object of settings, or null to forget what was said of the dataset",
      "properties": {
        "description": {
          "type": ["string", "null"],
          "maxLength": 1000,
          "description": "a text of at most 1000 characters, or null"
        },
        "time_zone": {"$ref": "#/$defs/time_zone"},
        "pending_statuses": {
          "type": ["array", "null"],
          "description": "an array of statuses, or null for none",
          "items": {"$ref": "#/$defs/name"}
        },
        "bot_task_type": {
          "type": ["string", "null"],
          "maxLength": 255,
          "description": "a task type, or null for none"
        },
        "allowed_transitions": {
          "type": ["object", "null"],
          "description": "an object of arrays of statuses by the status before, or null for all",
          "propertyNames": {"$ref": "#/$defs/status"},
          "additionalProperties": {
            "type": "array",
            "description": "an array of statuses",
            "items": {"$ref": "#/$defs/status"}
          }
        }
      },
      "additionalProperties": false
    },
    "every_seconds": {
      "type": "number",
      "minimum": 60,
      "maximum": 2678400,
      "description": "a number of seconds from 60 to 2678400"
    },
    "timeout_seconds": {
      "type": "number",
      "minimum": 1,
      "maximum": 86400,
      "description": "a number of seconds from 1 to 86400"
    },
    "source_query": {
      "type": ["object", "null"],
      "description": "an object of settings, or null to remove the query",
      "properties": {
        "connection": {
          "type": "string",
          "maxLength": 255,
          "pattern": "^[A-Za-z_][A-Za-z0-9_.-]*$",
          "writeOnly": true,
          "description": "the name of an address, for secrets do not belong here"
        },
        "query": {
          "type": "string",
          "minLength": 1,
          "description": "a select, in the words of the other database"
        },
        "columns": {
          "type": "array",
          "minItems": 1,
          "description": "an array of the names of its columns, in their order",
          "items": {"$ref": "#/$defs/name"}
        },
        "resume_column": {
          "anyOf": [{"$ref": "#/$defs/name"}, {"type": "null"}],
          "description": "the name of one of its columns, or null for none"
        },
        "every_seconds": {"$ref": "#/$defs/every_seconds"},
        "timeout_seconds": {"$ref": "#/$defs/timeout_seconds"},
        "is_enabled": {"$ref": "#/$defs/flag"}
      },
      "additionalProperties": false
    },
    "source": {
      "type": ["object", "null"],
      "description": "an object of settings, or null to remove the source",
      "properties": {
        "kind": {"enum": ["run", "record", "queue"], "description": "run, record or queue"},
        "relation": {
          "type": "string",
          "minLength": 1,
          "maxLength": 255,
          "description": "a relation with its schema, such as billing.runs, or query:NAME"
        },
        "columns": {
          "type": "object",
          "description": "an object of names of columns by what they hold",
          "additionalProperties": {
            "description": "the name of a column, or an array of names",
            "anyOf": [
              {"$ref": "#/$defs/name"},
              {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/name"}}
            ]
          }
        },
        "statuses": {
          "type": "object",
          "description": "an object of what status codes mean or are called",
          "propertyNames": {"$ref": "#/$defs/name"},
          "additionalProperties": {"$ref": "#/$defs/name"}
        },
        "time_zone": {"$ref": "#/$defs/time_zone"},
        "every_seconds": {"$ref": "#/$defs/every_seconds"},
        "timeout_seconds": {"$ref": "#/$defs/timeout_seconds"},
        "is_enabled": {"$ref": "#/$defs/flag"},
        "task_type": {
          "type": ["string", "null"],
          "maxLength": 255,
          "description": "a task type, or null where a column says it"
        },
        "look_back_days": {
          "type": "number",
          "exclusiveMinimum": 0,
          "maximum": 366,
          "description": "a number of days, more than 0 and at most 366"
        },
        "work": {"enum": ["type", "run"], "description": "type or run"},
        "failed_severity": {
          "enum": ["low", "medium", "high", "critical", null],
          "description": "low, medium, high or critical, or null for that of the runs"
        },
        "dataset": {"$ref": "#/$defs/name"},
        "change_source": {"$ref": "#/$defs/name"},
        "is_complete": {"$ref": "#/$defs/flag"},
        "queue_name": {
          "type": ["string", "null"],
          "maxLength": 255,
          "description": "the name of a queue, or null where a column says it"
        }
      },
      "additionalProperties": false
    },
    "workflow": {
      "type": ["object", "null"],
      "description": "an object of settings and steps, or null to remove the workflow"
    },
    "alert_owner": {
      "type": "object",
      "description": "an object of labels and owner",
      "properties": {
        "labels": {
          "type": "object",
          "description": "an object of labels, each with a text",
          "additionalProperties": {"type": "string", "description": "a text"}
        },
        "owner": {"$ref": "#/$defs/name"}
      },
      "required": ["labels", "owner"],
      "additionalProperties": false
    },
    "merged_error_group": {
      "type": ["object", "null"],
      "description": "an object of into and note, or null to forget what was decided",
      "properties": {
        "into": {"$ref": "#/$defs/name"},
        "note": {"$ref": "#/$defs/text"},
        "decided_by": {"$ref": "#/$defs/name"},
        "decided_at": {"$ref": "#/$defs/time"}
      },
      "required": ["into"],
      "additionalProperties": false
    },
    "error_group": {
      "type": ["object", "null"],
      "description": "an object of status, muted_until and note, or null to reopen the group",
      "properties": {
        "status": {"enum": ["resolved", "muted"], "description": "resolved or muted"},
        "muted_until": {
          "anyOf": [{"$ref": "#/$defs/time"}, {"type": "null"}],
          "description": "a time with its offset, or null for no end"
        },
        "note": {"$ref": "#/$defs/text"},
        "decided_by": {"$ref": "#/$defs/name"},
        "decided_at": {"$ref": "#/$defs/time"}
      },
      "additionalProperties": false
    }
  }
}
$json$::jsonb;
