"""What the admin pages of all apps share: base classes, figures, groups, templates."""
