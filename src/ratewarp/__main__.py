"""Where the `ratewarp` command begins: before anything large is imported, signals are heard."""

from __future__ import annotations

from ratewarp._interrupt import stoppable


def main() -> None:
    """Entry point of the `ratewarp` command, and of `python -m ratewarp`."""
    with stoppable():
        from ratewarp.cli import main as run_command

        run_command()


if __name__ == "__main__":
    main()
