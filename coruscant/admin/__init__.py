"""What the admin pages of all apps share: base classes, figures, commands, banners and cards, groups, templates.

Only the `admin` packages of the apps import it; it imports none of them.
"""
