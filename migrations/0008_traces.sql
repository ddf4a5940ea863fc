-- Of a delivery whose event came with a W3C trace context: the trace's id, its flags and its state, which every attempt
-- passes on, also after a restart. Most have none.
ALTER TABLE deliveries ADD COLUMN trace TEXT;
