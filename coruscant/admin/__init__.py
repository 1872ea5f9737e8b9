"""What the admin pages of all apps share: base classes, columns, figures, commands, banners, cards, groups, templates.

Only the `admin` packages of the apps import it; it imports none of them.
"""
