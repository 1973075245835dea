-- Steps of records are two or three KiB, which PostgreSQL would compress to spare
-- a quarter of a page: 50 µs for each login. Up to a page they stay as they are.
ALTER TABLE record_steps SET (toast_tuple_target = 8160);
