"""What there is to call, from the catalogue, and who may call it."""

from dataclasses import dataclass

import psycopg

ROLES = ("monitoring_writer", "monitoring_reader", "monitoring_operator", "monitoring_admin")

_FUNCTIONS = """
select
    p.oid::int8, p.proname, p.prokind::text, p.proretset, p.pronargdefaults,
    coalesce(p.proargnames, '{}'), p.provariadic <> 0,
    array(
        select format_type(t.oid, null) from unnest(p.proargtypes) with ordinality as t (oid, place)
        order by t.place
    ),
    array(
        select r.role from unnest(%(roles)s::text[]) as r (role)
        where has_function_privilege(r.role, p.oid, 'execute')
    )
from pg_proc as p
where p.pronamespace = 'monitoring'::regnamespace
    and p.prokind in ('f', 'a')
    and p.prorettype <> 'trigger'::regtype
    -- Those that leave it to the caller to say what they return are called from inside only.
    and (p.prorettype <> 'record'::regtype or p.proallargtypes is not null)
order by p.oid::regprocedure::text
"""


@dataclass(frozen=True)
class Function:
    """A function, and the roles that may call it."""

    oid: int
    name: str
    kind: str
    """f, or a for an aggregate."""
    is_set: bool
    defaults: int
    """How many of its last parameters may be left out."""
    names: tuple[str, ...]
    is_variadic: bool
    types: tuple[str, ...]
    roles: frozenset[str]

    @property
    def is_public(self) -> bool:
        """Whether it is meant to be called."""
        return not self.name.startswith("_")


def functions_of(connection: psycopg.Connection) -> list[Function]:
    """Return all functions of the schema, in an order that is always the same."""
    rows = connection.execute(_FUNCTIONS.encode(), {"roles": list(ROLES)}).fetchall()
    return [
        Function(oid, name, kind, is_set, defaults, tuple(names), is_variadic, tuple(types),
                 frozenset(roles))
        for oid, name, kind, is_set, defaults, names, is_variadic, types, roles in rows
    ]  # fmt: skip
