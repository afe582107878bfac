"""All that one database needs, in one program: installed, its jobs run, its page served."""

from pgvigil.together.first_record import tell_first_record
from pgvigil.together.parts import Part, run_parts_until_stopped
from pgvigil.together.preparing import prepare

__all__ = ["Part", "prepare", "run_parts_until_stopped", "tell_first_record"]
