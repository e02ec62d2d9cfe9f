"""Takes alert events to the outside: the desktop, Apprise's services, a command."""
