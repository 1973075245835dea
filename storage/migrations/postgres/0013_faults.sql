-- Which faults are armed in a world, JSON; they outlive a restart.

ALTER TABLE worlds ADD COLUMN faults TEXT COLLATE "C" NOT NULL DEFAULT '';
