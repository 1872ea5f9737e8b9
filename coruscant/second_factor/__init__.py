"""A second factor beside the password: codes of an authenticator, and backup codes (decision 0038).

Until whoever is asked for one has shown it, a session is nobody's, but on the two pages of this package. django-otp
keeps the secrets and looks at the codes.
"""
