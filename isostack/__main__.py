"""`python -m isostack`, and the installed command."""

from typing import NoReturn

from isostack.interrupts import end_on_interrupt


def main() -> NoReturn:
    """Run the command line and exit."""
    end_on_interrupt()  # before the command line itself is loaded
    from isostack.cli import app
    from isostack.run import run

    run(app)


if __name__ == "__main__":
    main()
