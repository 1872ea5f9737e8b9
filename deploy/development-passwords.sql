-- Public passwords of the two roles, for docker-compose.yml: for development only.
ALTER ROLE coruscant_owner PASSWORD 'coruscant';
ALTER ROLE coruscant PASSWORD 'coruscant';
