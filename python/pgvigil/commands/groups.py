"""Groups of commands: what stands first, and what was probably meant."""

import click


class SuggestingGroup(click.Group):
    """A group that says which command was probably meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one has a name like it."""
        if args[0] not in self.list_commands(ctx) and not args[0].startswith("-"):
            from difflib import get_close_matches

            alike = get_close_matches(args[0], self.list_commands(ctx), n=2)
            meant = " or ".join(f"'{name}'" for name in alike)
            known = ", ".join(self.list_commands(ctx))
            hint = f"Did you mean {meant}?" if meant else f"There are: {known}."
            ctx.fail(f"No such command {args[0]!r}. {hint}")
        return super().resolve_command(ctx, args)


class ListUnlessToldOtherwise(SuggestingGroup):
    """A group that without a subcommand is its ``list``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take options that stand first for those of ``list``."""
        own = {name for parameter in self.get_params(ctx) for name in parameter.opts}
        if not args or (args[0].startswith("-") and args[0] not in own):
            args = ["list", *args]
        return super().parse_args(ctx, args)
